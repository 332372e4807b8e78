/** Where one writes: text with mentions and commands, a quote or an edit, and everything behind the ＋. */

import { pick, sendFiles } from "./attach.js";
import { avatar } from "./avatars.js";
import { friendship } from "./chatmenu.js";
import { askPlace, askPostback, invite } from "./dialogs.js";
import { fill, h, isNarrow, langOf, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { moveByKeys, openMenu, popUp } from "./menus.js";
import { askVoice } from "./recorder.js";
import { STICKERS } from "./stickers.js";
import { keyOf, store } from "./store.js";
import { mentionsIn, Suggestions } from "./suggestions.js";
import { attempt, tell } from "./toasts.js";

/** The key code of a key that an input method takes for itself, where isComposing is already over (Safari). */
const TAKEN_BY_IME = 229;

export class Composer {
  /** What is meant beside the text: `{kind: "quote"|"edit", line}`. */
  #aim = null;
  #drafts = new Map();
  #key = "";
  #queue = Promise.resolve();

  constructor() {
    this.area = h("textarea", { rows: "1", "aria-label": "Message", enterkeyhint: "send" });
    this.suggestions = new Suggestions(this.area);
    this.strip = h("div", { class: "strip", hidden: true });
    this.speakers = h("div", { class: "speakers", role: "radiogroup", "aria-label": "Speak as" });
    this.sendButton = roundButton("send", "Send", () => this.#submit());
    this.row = h(
      "div",
      { class: "write" },
      roundButton("plus", "Add", (event) => this.#openMore(event.currentTarget), { "aria-haspopup": "menu" }),
      h(
        "div",
        { class: "field-of-text" },
        this.area,
        roundButton("smile", "Stickers", (event) => openStickers(event.currentTarget)),
      ),
      this.sendButton,
    );
    this.closed = h("div", { class: "closed" });
    this.element = h(
      "footer",
      { class: "composer" },
      this.suggestions.element,
      this.strip,
      this.speakers,
      this.row,
      this.closed,
    );
    this.#listen();
  }

  #listen() {
    this.area.addEventListener("input", () => this.#changed());
    this.area.addEventListener("keydown", (event) => this.#takeKey(event));
    this.area.addEventListener("blur", () => this.suggestions.close());
    this.area.addEventListener("paste", (event) => this.#takeFiles(event, event.clipboardData));
    const main = document.getElementById("main");
    main.addEventListener("dragover", (event) => event.preventDefault());
    main.addEventListener("drop", (event) => this.#takeFiles(event, event.dataTransfer));
  }

  // ------------------------------------------------------------------ what the chat calls

  /** Another chat is open: its draft comes back. */
  open() {
    this.#drafts.set(this.#key, this.area.value);
    this.#key = keyOf(store.route.place);
    this.area.value = this.#drafts.get(this.#key) ?? "";
    this.#aimAt(null);
    this.#changed();
    if (!isNarrow()) this.area.focus({ preventScroll: true });
  }

  /** Draw what depends on the state: who speaks, and whether one may. */
  draw() {
    const reason = reasonNotToWrite();
    this.row.hidden = this.strip.hidden = Boolean(reason);
    this.strip.hidden ||= !this.#aim;
    redraw(this.closed, reason?.[0].textContent ?? null, () => [reason]);
    this.closed.hidden = !reason;
    const people = store.group ? store.membersOf(store.group) : [];
    this.speakers.hidden = people.length < 2;
    redraw(this.speakers, [people, store.person.id], () => [h("span", {}, "Speak as"), people.map(speakerChoice)]);
    this.area.placeholder = store.group ? `Message as ${store.person.name}` : "Message";
  }

  quote(line) {
    this.#aimAt({ kind: "quote", line });
    this.area.focus();
  }

  edit(line) {
    this.#aimAt({ kind: "edit", line });
    this.write(line.message.text);
  }

  /** Put a text where one writes, to be gone on with. */
  write(text) {
    this.area.value = text;
    this.#changed();
    this.area.focus();
  }

  pickPhoto(camera = false) {
    pick("image", { camera });
  }

  // ------------------------------------------------------------------ writing

  #changed() {
    this.area.lang = langOf(this.area.value) ?? "";
    this.area.style.height = "auto";
    if (this.area.scrollHeight) this.area.style.height = `${this.area.scrollHeight}px`;
    this.sendButton.disabled = !this.area.value.trim();
    this.suggestions.update();
  }

  #takeKey(event) {
    if (event.isComposing || event.keyCode === TAKEN_BY_IME) return;
    if (this.suggestions.takeKey(event)) return;
    if (event.key === "Escape" && this.#aim) this.#giveUp();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.#submit();
  }

  /** What is sent goes out in the order in which it was written. What fails stands in the field again. */
  #submit() {
    const text = this.area.value.trim();
    if (!text) return;
    const [aim, key] = [this.#aim, this.#key];
    const send = sending(text, aim);
    this.area.value = "";
    this.#aimAt(null);
    this.#changed();
    this.area.focus();
    this.#queue = this.#queue.then(send).catch((error) => {
      tell(error.message, "error");
      this.#putBack(text, aim, key);
    });
  }

  #putBack(text, aim, key) {
    if (key !== this.#key) return this.#drafts.set(key, text);
    this.area.value = [text, this.area.value].filter(Boolean).join("\n");
    this.#aimAt(aim);
    return this.#changed();
  }

  #aimAt(aim) {
    this.#aim = aim;
    this.strip.hidden = !aim;
    if (!aim) return;
    const { kind, line } = aim;
    const title = kind === "edit" ? "Edit message" : `Reply to ${line.sender?.name ?? line.who.name}`;
    const text = h("span", { lang: langOf(line.text) }, line.text);
    fill(
      this.strip,
      icon(kind === "edit" ? "edit" : "reply"),
      h("div", {}, h("b", {}, title), text),
      roundButton("close", "Cancel", () => this.#giveUp()),
    );
  }

  #giveUp() {
    if (this.#aim?.kind === "edit") this.area.value = "";
    this.#aimAt(null);
    this.#changed();
    this.area.focus();
  }

  #takeFiles(event, source) {
    if (!source?.files.length || !store.route.place || reasonNotToWrite()) return;
    event.preventDefault();
    sendFiles([...source.files]);
  }

  // ------------------------------------------------------------------ more than text

  #openMore(anchor) {
    const items = [
      { label: "Photo", icon: "photo", run: () => this.pickPhoto() },
      { label: "Voice message", icon: "mic", run: askVoice },
      { label: "Video", icon: "video", run: () => pick("video") },
      { label: "File", icon: "file", run: () => pick("file") },
      { label: "Sticker", icon: "smile", run: () => openStickers(anchor) },
      { label: "Location", icon: "pin", run: askPlace },
      { label: "Button tap", icon: "tap", run: askPostback },
      ...(store.group ? [] : friendship()),
    ];
    openMenu(items, anchor, "Add");
  }
}

/** The call that sends a text from the chat and the person of now, whoever is chosen when its turn comes. */
function sending(text, aim) {
  const { place } = store.route;
  const body = { as: store.person.id, bot: place.bot, chat: { kind: place.kind, id: place.id } };
  if (aim?.kind === "edit") return () => store.do("edit", { ...body, message: aim.line.id, text });
  return () => store.do("say", { ...body, text, mentions: mentionsIn(text), quote: aim?.line.id ?? null });
}

function roundButton(name, label, onclick, props = {}) {
  return h(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}

function speakerChoice(person) {
  const isChosen = person.id === store.person.id;
  const props = {
    type: "button",
    role: "radio",
    "aria-checked": String(isChosen),
    "aria-label": person.name,
    title: person.name,
    onclick: () => store.become(person.id),
  };
  return h(
    "button",
    props,
    avatar(person.name, { kind: "person", seed: person.id }),
    isChosen && h("span", { lang: langOf(person.name) }, person.name),
  );
}

function openStickers(anchor) {
  const grid = h("div", { class: "stickers", role: "menu", "aria-label": "Stickers", onkeydown: moveByKeys });
  for (const { face, label, keywords } of STICKERS) {
    const send = () => {
      grid.hidePopover();
      attempt(store.do("sticker", { keywords, text: null }));
    };
    grid.append(
      h(
        "button",
        { type: "button", role: "menuitem", "aria-label": label, title: keywords.join(", "), onclick: send },
        face,
      ),
    );
  }
  popUp(grid, anchor);
}

/** What stands in place of the composer where one may not write; null where one may. */
function reasonNotToWrite() {
  const { group, person, route } = store;
  const line = (text, label, onclick) => [
    h("p", {}, text),
    h("button", { type: "button", class: "secondary", onclick }, label),
  ];
  if (!group && route.place.kind === "group") return [h("p", {}, "This group is no more.")];
  if (group && !group.bot) return line(`${route.place.bot} has left the group.`, "Invite a bot", () => invite(group));
  if (!store.takesPart) {
    const who = person.name === "You" ? "You are" : `${person.name} is`;
    return line(`${who} not in this group.`, `Add ${person.name}`, () =>
      attempt(store.do("come", { people: [person.id] })),
    );
  }
  if (store.chatOf(route.place)?.blocked)
    return line(`You blocked ${route.place.bot}.`, "Unblock", () => attempt(store.do("follow")));
  return null;
}
