/** The list at the left: who one is, the bots as friends, the groups. */

import { avatar } from "./avatars.js";
import { problemLine } from "./banner.js";
import { becomeOrOpen, newGroup, newPerson } from "./dialogs.js";
import { fill, h, langOf, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menus.js";
import { openChat } from "./route.js";
import { keyOf, store } from "./store.js";
import { dayKey, shortTimeOf } from "./times.js";

const MOST_UNREAD = 99;

export class Sidebar {
  #filter = "";

  constructor(element) {
    this.head = h("header", { class: "bar" });
    this.search = h("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": "Search chats",
      oninput: () => this.#search(),
    });
    this.list = h("div", { class: "chats" });
    fill(element, this.head, h("div", { class: "search" }, icon("search"), this.search), this.list);
    store.on("state", () => this.draw());
    store.on("route", () => this.draw());
    addEventListener("keydown", (event) => this.#switchByKeys(event));
  }

  draw() {
    if (!store.state) return;
    const { people, bots, groups, chats, problems } = store.state;
    redraw(this.head, [store.person, bots.length, isDarkNow()], () => [me(), tools()]);
    const shown = [
      store.person,
      people,
      bots,
      groups,
      chats,
      problems,
      keyOf(store.route.place),
      [...store.unread],
      this.#filter,
    ];
    redraw(this.list, [shown, dayKey(store.now())], () => [looseProblems(), this.#sections()]);
  }

  /** The chats as listed: bots in the order of the server, groups by what was said last. */
  get places() {
    const bots = store.state.bots.map((bot) => ({ bot: bot.name, kind: "user", id: store.person.id }));
    return [...bots, ...groupPlaces()].filter((place) => this.#matches(place));
  }

  #sections() {
    const [bots, groups] = [
      this.places.filter((place) => place.kind === "user"),
      this.places.filter((place) => place.kind === "group"),
    ];
    return [
      section("Friends", bots, bots.length === 0 && !this.#filter && "No bots yet: botkit new NAME"),
      store.state.bots.length > 0 &&
        section(
          "Groups",
          groups,
          groups.length === 0 &&
            !this.#filter &&
            h("button", { type: "button", class: "link", onclick: newGroup }, "New group …"),
        ),
    ];
  }

  #search() {
    this.#filter = this.search.value.trim().toLowerCase();
    this.draw();
  }

  #matches(place) {
    return nameOf(place).toLowerCase().includes(this.#filter);
  }

  #switchByKeys(event) {
    const step = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !store.state) return;
    event.preventDefault();
    const places = this.places;
    const at = places.findIndex((place) => keyOf(place) === keyOf(store.route.place));
    const next = places[(at < 0 && step < 0 ? 0 : at + step + places.length) % places.length];
    if (next) openChat(next);
  }
}

const nameOf = (place) => (place.kind === "group" ? store.groupOf(place.id)?.name || "Group" : place.bot);

/** A group is one chat, with the bot that is in it now or was last. */
function groupPlaces() {
  const placeOf = (group) => {
    const chats = store.state.chats.filter((chat) => chat.kind === "group" && chat.id === group.id).sort(byLast);
    const bot = group.bot ?? chats[0]?.bot ?? store.state.bots[0]?.name;
    return { bot, kind: "group", id: group.id, last: store.chatOf({ bot, kind: "group", id: group.id })?.last };
  };
  return store.state.groups.map(placeOf).sort(byLast);
}

const byLast = (one, other) => (other.last?.at ?? 0) - (one.last?.at ?? 0);

function me() {
  const { person } = store;
  return h(
    "button",
    {
      type: "button",
      class: "me",
      "aria-haspopup": "menu",
      "aria-label": `You are ${person.name}`,
      onclick: (event) => openPeople(event.currentTarget),
    },
    avatar(person.name, { kind: "person", seed: person.id }),
    h("span", { lang: langOf(person.name) }, person.name),
    icon("down"),
  );
}

function openPeople(anchor) {
  const people = store.state.people.map((person) => ({
    label: person.name,
    lang: langOf(person.name),
    lead: avatar(person.name, { kind: "person", seed: person.id }),
    checked: person.id === store.person.id,
    run: () => becomeOrOpen(person.id),
  }));
  openMenu([...people, { label: "New person …", icon: "person", run: () => newPerson() }], anchor, "You are");
}

function tools() {
  const isDark = isDarkNow();
  return h(
    "div",
    { class: "tools-of-page" },
    store.state.bots.length > 0 && roundButton("people", "New group", newGroup),
    roundButton("person", "New person", () => newPerson()),
    roundButton(isDark ? "light" : "dark", isDark ? "Light colours" : "Dark colours", switchTheme),
  );
}

function roundButton(name, label, onclick) {
  return h("button", { type: "button", class: "round", "aria-label": label, title: label, onclick }, icon(name));
}

function isDarkNow() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The choice that the system makes anyway is not kept: then the page follows the system again. */
function switchTheme() {
  const theme = isDarkNow() ? "light" : "dark";
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  if (theme === system) {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("theme");
  } else {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }
  store.emit("state");
}

function section(title, places, empty) {
  return h(
    "section",
    { "aria-label": title },
    h("h2", {}, title, h("small", {}, places.length || null)),
    places.map(chatItem),
    empty && h("p", { class: "none" }, empty),
  );
}

function chatItem(place) {
  const isOpen = keyOf(place) === keyOf(store.route.place);
  const name = nameOf(place);
  const [last, unread] = [store.chatOf(place)?.last, store.unread.get(keyOf(place)) ?? 0];
  const face = place.kind === "group" ? { kind: "group", seed: place.id } : { seed: store.botOf(place.bot)?.user_id };
  return h(
    "button",
    {
      type: "button",
      class: "chat-item",
      "aria-current": isOpen ? "true" : null,
      "aria-label": unread ? `${name}, ${unread} new` : name,
      dataset: { chat: keyOf(place) },
      onclick: () => openChat(place),
    },
    avatar(name, face),
    h("span", { class: "name", lang: langOf(name) }, h("b", {}, name), mark(place)),
    h("time", {}, last && shortTimeOf(last.at, store.now())),
    lastLine(place, last),
    unread > 0 && h("span", { class: "unread" }, unread > MOST_UNREAD ? `${MOST_UNREAD}+` : String(unread)),
  );
}

function mark(place) {
  const bot = store.botOf(place.bot);
  if (!bot?.problems.length) return null;
  return h(
    "span",
    { class: "mark", title: "Its file is wrong", role: "img", "aria-label": "Its file is wrong" },
    icon("warning"),
  );
}

function lastLine(place, last) {
  const description = place.kind === "user" ? store.botOf(place.bot)?.description : null;
  const text = last ? said(last, place) : (description ?? "");
  return h("span", { class: "last", lang: langOf(text) }, text.replaceAll("\n", " "));
}

function said(last, place) {
  const isMine = last.who.id === store.person.id;
  if (last.unsent) return `${isMine ? "You" : last.who.name} unsent a message`;
  const named = place.kind === "group" && last.who.kind === "person" && !isMine;
  return named ? `${last.who.name}: ${last.text}` : last.text;
}

/** Mistakes in files that are no bot's own, such as one that others extend. */
function looseProblems() {
  const told = new Set(store.state.bots.flatMap((bot) => bot.problems.map((problem) => JSON.stringify(problem))));
  const loose = store.state.problems.filter((problem) => !told.has(JSON.stringify(problem)));
  if (!loose.length) return null;
  return h(
    "section",
    { class: "banner danger", role: "alert", "aria-label": "Files that are wrong" },
    h("ul", {}, loose.map(problemLine)),
  );
}
