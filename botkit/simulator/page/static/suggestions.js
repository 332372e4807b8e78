/** The list over the composer: whom to mention after "@", the bot's commands after "/". */

import { avatar } from "./avatars.js";
import { fill, h, langOf } from "./dom.js";
import { store } from "./store.js";

const LIST_ID = "suggestions";

/** Lives with its text field. */
export class Suggestions {
  #items = [];
  #at = 0;
  #start = 0;

  constructor(area) {
    this.area = area;
    this.element = h("div", {
      class: "suggestions",
      id: LIST_ID,
      role: "listbox",
      "aria-label": "Suggestions",
      hidden: true,
    });
    area.setAttribute("aria-controls", LIST_ID);
    area.setAttribute("aria-autocomplete", "list");
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Look at what stands before the caret. */
  update() {
    const before = this.area.value.slice(0, this.area.selectionStart);
    const mention = store.group && before.match(/(?<![A-Za-z0-9])@([^\s@]*)$/u);
    const command = before.match(/^\/\S*$/u);
    const typed = mention ? mention[1] : command?.[0];
    const all = mention ? mentionable() : command ? commands() : [];
    this.#start = before.length - (mention?.[0] ?? command?.[0] ?? "").length;
    this.#items = typed === undefined ? [] : all.filter((item) => matches(item.name, typed));
    if (this.#items.length === 1 && this.#items[0].name === typed) this.#items = [];
    this.#at = 0;
    this.#draw();
  }

  close() {
    this.#items = [];
    this.#draw();
  }

  /** Whether the key was for the list. */
  takeKey(event) {
    if (!this.isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#move(step);
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#items[this.#at]);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  #move(step) {
    this.#at = (this.#at + step + this.#items.length) % this.#items.length;
    this.#draw();
  }

  #choose(item) {
    this.area.setRangeText(item.insert, this.#start, this.area.selectionStart, "end");
    this.close();
    this.area.focus();
    this.area.dispatchEvent(new Event("input"));
  }

  #draw() {
    this.element.hidden = this.#items.length === 0;
    fill(
      this.element,
      this.#items.map((item, index) => this.#option(item, index)),
    );
    if (this.isOpen) this.area.setAttribute("aria-activedescendant", `${LIST_ID}-${this.#at}`);
    else this.area.removeAttribute("aria-activedescendant");
    this.element.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  #option(item, index) {
    const props = {
      id: `${LIST_ID}-${index}`,
      role: "option",
      "aria-selected": String(index === this.#at),
      lang: langOf(item.name),
      onmousedown: (event) => event.preventDefault(),
      onclick: () => this.#choose(item),
    };
    return h("div", props, item.face, h("span", {}, item.name), item.about && h("small", {}, item.about));
  }
}

/** After the "/" alone come commands of other shapes, too: リセット. */
const matches = (name, typed) => typed === "/" || name.toLowerCase().startsWith(typed.toLowerCase());

function mentionable() {
  const { group, bot } = store;
  const people = store.membersOf(group).filter((person) => person.id !== store.person.id);
  return [
    ...(group.bot ? [{ name: group.bot, about: "bot", face: avatar(group.bot, { seed: bot.user_id }) }] : []),
    ...people.map((person) => ({ name: person.name, face: avatar(person.name, { kind: "person", seed: person.id }) })),
    { name: "All", about: "everybody", face: avatar("All", { kind: "group" }) },
  ].map((item) => ({ ...item, insert: `@${item.name} ` }));
}

const commands = () => store.bot.commands.map((name) => ({ name, insert: name, about: "command" }));

/** Whom a text mentions in the open group, as the server takes them: "bot", "all", the ids of people. */
export function mentionsIn(text) {
  const { group } = store;
  if (!group) return [];
  const names = [
    ...(group.bot ? [["bot", group.bot]] : []),
    ["all", "All"],
    ...store.membersOf(group).map((person) => [person.id, person.name]),
  ];
  return names.filter(([, name]) => isMentioned(text, name)).map(([who]) => who);
}

/** "@Ken" is not mentioned in "@Kenji". */
function isMentioned(text, name) {
  return new RegExp(
    `@${RegExp.escape?.(name) ?? name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![A-Za-z0-9-])`,
    "u",
  ).test(text);
}
