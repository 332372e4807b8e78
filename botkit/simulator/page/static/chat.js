/** The chat in the middle: its header, banners, log and composer. */

import { avatar } from "./avatars.js";
import { Banners } from "./banner.js";
import { Composer } from "./composer.js";
import { askPlace } from "./dialogs.js";
import { fill, h, langOf, redraw } from "./dom.js";
import { headerParts, isTrouble, titleOf } from "./header.js";
import { Log } from "./log.js";
import { messageMenu } from "./messagemenu.js";
import { openTrace } from "./route.js";
import { store } from "./store.js";
import { attempt, tell } from "./toasts.js";
import { welcome } from "./welcome.js";

const OPENED = /^(https?|tel|mailto|line):/i;

export class ChatView {
  constructor(element) {
    this.element = element;
    this.header = h("header", { class: "bar" });
    this.banners = new Banners();
    this.composer = new Composer();
    this.log = new Log({
      contextOf: (mine) => this.#context(mine),
      onTrace: openTrace,
      onQuote: (id) => this.log.show(id),
      onMenu: (line, anchor) => messageMenu(line, anchor, this.composer),
      empty: () => emptyChat(),
    });
    store.on("chat", () => this.#open());
    store.on("messages", () => this.#drawLog());
    store.on("state", () => this.#drawAround());
    store.on("route", () => this.#drawAround());
  }

  #open() {
    this.log.clear();
    const hasChat = Boolean(store.route.place && store.bot);
    this.element.classList.toggle("welcome", !hasChat);
    if (hasChat) fill(this.element, this.header, this.banners.element, this.log.element, this.composer.element);
    else fill(this.element, welcome());
    this.#drawAround();
    if (hasChat) this.composer.open();
  }

  #drawLog() {
    if (store.bot) this.log.draw();
  }

  #drawAround() {
    const isShown = this.element.contains(this.header);
    if (isShown !== Boolean(store.bot)) this.#open();
    else if (!isShown) fill(this.element, welcome());
    else {
      const { route, group, bot, person } = store;
      redraw(this.header, [route, group, bot, person, isTrouble()], headerParts);
      this.banners.draw();
      this.composer.draw();
    }
    document.title = store.bot ? `${titleOf()} · botkit` : "botkit";
  }

  /** What messages need to do what their buttons say. */
  #context(mine) {
    return {
      mine,
      say: (text) => attempt(store.do("say", { text, mentions: [], quote: null })),
      postback: (data, params = null, text = null) => attempt(store.do("postback", { data, params, text })),
      open: (url) =>
        OPENED.test(url) ? window.open(url, "_blank", "noopener,noreferrer") : tell(`LINE would open ${url}`),
      tell: (text) => tell(text),
      fill: (text) => this.composer.write(text),
      pick: (kind) => (kind === "location" ? askPlace() : this.composer.pickPhoto(kind === "camera")),
      nameOf: (userId) => store.nameOf(userId),
    };
  }
}

function emptyChat() {
  const { bot, group } = store;
  const add = h(
    "button",
    { type: "button", class: "primary", onclick: () => attempt(store.do("follow")) },
    "Add friend",
  );
  const hint = group
    ? `In a group ${bot.name} hears everything and answers as its file says under groups: mention it with @${bot.name}.`
    : "Add it as a friend to be greeted, or just write.";
  return h(
    "div",
    { class: "empty" },
    avatar(titleOf(), group ? { kind: "group", seed: group.id } : { seed: bot.user_id }),
    h("h2", { lang: langOf(titleOf()) }, titleOf()),
    !group && bot.description && h("p", { lang: langOf(bot.description) }, bot.description),
    h("p", {}, hint),
    !group && add,
  );
}
