/** The log of the open chat: draws what changed, keeps the end in sight, moves by keys. */

import { avatar } from "./avatars.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { quickRepliesOf, rowsOf } from "./lines.js";
import { drawQuickReplies } from "./message.js";
import { bodyOf, drawRow, refreshRow } from "./rows.js";
import { store } from "./store.js";

const NEAR_END = 48;

export class Log {
  #drawn = new Map();
  #atEnd = true;
  #timer = 0;

  /** `view` is what `drawRow` takes, and `empty()`: what stands where nothing was said yet. */
  constructor(view) {
    this.view = view;
    this.lines = h("div", { class: "lines", role: "log", "aria-live": "polite", "aria-label": "Messages" });
    this.foot = h("div", { class: "foot" });
    this.content = h("div", { class: "content" }, this.lines, this.foot);
    this.scroller = h("div", { class: "scroller", onscroll: () => this.#scrolled() }, this.content);
    this.pill = h(
      "button",
      { type: "button", class: "pill", hidden: true, onclick: () => this.toEnd() },
      icon("arrow"),
      "New messages",
    );
    this.element = h("div", { class: "log" }, this.scroller, this.pill);
    this.lines.addEventListener("keydown", (event) => this.#moveByKeys(event));
    this.lines.addEventListener("focusin", (event) => this.#markCurrent(event.target.closest("article")));
    const observer = new ResizeObserver(() => this.#atEnd && this.toEnd());
    observer.observe(this.content);
    observer.observe(this.scroller);
  }

  /** Another chat: forget what was drawn. */
  clear() {
    this.#drawn.clear();
    this.#atEnd = true;
    fill(this.lines);
    fill(this.foot);
    this.pill.hidden = true;
  }

  /** Draw what the store has of the open chat. */
  draw() {
    const hadRows = this.#drawn.size > 0;
    const rows = rowsOf(store.lines, store.person.id, store.now());
    const added = rows.filter((row) => !this.#drawn.has(row.key));
    this.#place(rows);
    this.#drawFoot(rows);
    if (this.#atEnd || added.some((row) => row.flags?.mine)) this.toEnd();
    else if (hadRows && added.length) this.pill.hidden = false;
  }

  toEnd() {
    this.#atEnd = true;
    this.pill.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Bring a message into sight and to the focus. */
  show(id) {
    this.lines.querySelector(`article[data-id="${CSS.escape(id)}"]`)?.focus();
  }

  #place(rows) {
    const wanted = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.#drawn) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    rows.forEach((row, index) => {
      const element = this.#elementOf(row);
      const there = this.lines.children[index] ?? null;
      if (element !== there) this.lines.insertBefore(element, there);
    });
    // The tab key leads to the newest message, unless somebody is among the others just now.
    const current = this.lines.contains(document.activeElement) && this.lines.querySelector("article[tabindex='0']");
    this.#markCurrent(current || [...this.lines.querySelectorAll("article")].at(-1));
  }

  /** The element already drawn as far as possible: what plays goes on, and nothing is read out twice. */
  #elementOf(row) {
    const drawn = this.#drawn.get(row.key);
    const flags = JSON.stringify(row.flags ?? row.day);
    if (drawn && drawn.line === row.line && drawn.flags === flags) return drawn.element;
    const body = bodyOf(row);
    const isSame = drawn?.body === body && drawn.element.matches("article");
    const element = isSame ? drawn.element : drawRow(row, this.view);
    if (isSame) refreshRow(element, row, this.view);
    else drawn?.element.replaceWith(element);
    this.#drawn.set(row.key, { line: row.line, flags, body, element });
    return element;
  }

  #drawFoot(rows) {
    clearTimeout(this.#timer);
    const left = (store.loadingUntil ?? 0) - store.now();
    if (left > 0) this.#timer = setTimeout(() => this.draw(), left + 50);
    const items = left > 0 ? [] : quickRepliesOf(store.lines);
    const isEmpty = store.loaded && rows.length === 0;
    fill(
      this.foot,
      isEmpty && this.view.empty(),
      left > 0 && loadingBubble(store.bot.name),
      items.length > 0 &&
        store.takesPart &&
        h("div", { class: "quick" }, drawQuickReplies(items, this.view.contextOf(false))),
    );
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#atEnd) this.pill.hidden = true;
  }

  /** One message at a time is a tab stop, with its tools. */
  #markCurrent(article) {
    for (const one of this.lines.querySelectorAll("article")) {
      const isCurrent = one === article;
      one.tabIndex = isCurrent ? 0 : -1;
      for (const tool of one.querySelectorAll(".tool")) tool.tabIndex = isCurrent ? 0 : -1;
    }
  }

  #moveByKeys(event) {
    const article = event.target.closest("article");
    if (event.target !== article || event.altKey) return;
    const articles = [...this.lines.querySelectorAll("article")];
    const at = articles.indexOf(article);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: articles.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    articles[to]?.focus();
  }
}

function loadingBubble(name) {
  const dots = h(
    "div",
    { class: "bubble dots", role: "img", "aria-label": `${name} is typing` },
    h("i"),
    h("i"),
    h("i"),
  );
  return h(
    "div",
    { class: "row theirs first" },
    h("div", { class: "face" }, avatar(name, { seed: store.bot.user_id })),
    h("div", { class: "stack" }, dots),
  );
}
