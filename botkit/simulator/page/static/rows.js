/** One row of a chat: a bubble with its avatar, name, time and tools, or a line in the middle. */

import { avatar } from "./avatars.js";
import { h, langOf } from "./dom.js";
import { icon } from "./icons.js";
import { drawMessage } from "./message.js";
import { timeOf } from "./times.js";

const LONG_PRESS_MS = 600;

/**
 * @param {{key: string, line?: object, day?: string, flags?: object}} row  as `rowsOf` gives it
 * @param {{contextOf: (mine: boolean) => object, onTrace: (event: string) => void, onQuote: (id: string) => void,
 *          onMenu: (line: object, anchor: Element|{x: number, y: number}) => void, isGroup: boolean}} view
 */
export function drawRow(row, view) {
  if (row.day) return h("div", { class: "middle day" }, h("span", {}, row.day));
  const { line, flags } = row;
  if (line.failure) return failureLine(line, view);
  if (line.unsent) return middleLine(`${flags.mine ? "You" : nameOf(line)} unsent a message`, line, flags, view);
  if (line.via === "system") return middleLine(line.text, line, flags, view);
  return bubbleRow(line, flags, view);
}

/** What of a row cannot change without drawing it anew; all else is a matter of `refreshRow`. */
export function bodyOf({ line, day, flags }) {
  if (day || line.failure || line.unsent || line.via === "system") return JSON.stringify([day, line, flags]);
  const { message, text, quote: quoted, media, sender } = line;
  return JSON.stringify([message, text, quoted, media, sender, flags.mine, flags.first]);
}

/** Bring time, marks and tools of a bubble's row up to date, and leave what is said alone: it may be playing. */
export function refreshRow(element, { line, flags }, view) {
  element.classList.toggle("newest", flags.newest);
  element.querySelector(".beside > .aside").replaceWith(aside(line, flags));
  element.querySelector(".beside > .tools").replaceWith(tools(line, flags, view));
}

const nameOf = (line) => line.sender?.name ?? line.who.name;

function middleLine(text, line, flags, view) {
  const tools = line.event && !flags.answered && traceButton(line.event, view);
  return h("div", { class: "middle", lang: langOf(text) }, h("span", {}, text), h("time", {}, timeOf(line.at)), tools);
}

function failureLine(line, view) {
  const text = h("span", {}, icon("warning"), line.text);
  return h("div", { class: "middle failure", role: "alert" }, text, line.event && traceButton(line.event, view));
}

function bubbleRow(line, flags, view) {
  const { mine, first, newest } = flags;
  const name = nameOf(line);
  const classes = ["row", mine ? "mine" : "theirs", first && "first", newest && "newest"].filter(Boolean);
  const row = h(
    "article",
    {
      class: classes.join(" "),
      "aria-label": `${mine ? "You" : name}, ${timeOf(line.at)}`,
      tabindex: "-1",
      dataset: { id: line.id, type: line.message.type },
      oncontextmenu: (event) => openAtPointer(event, line, view),
      onpointerdown: (event) => openAfterLongPress(event, line, view),
    },
    !mine && h("div", { class: "face" }, first && avatar(name, { kind: line.who.kind, seed: line.who.id ?? name })),
    h(
      "div",
      { class: "stack" },
      first && !mine && h("div", { class: "speaker", lang: langOf(name) }, name),
      h("div", { class: "beside" }, bubble(line, flags, view), aside(line, flags), tools(line, flags, view)),
    ),
  );
  return row;
}

function bubble(line, flags, view) {
  const content = drawMessage(line, view.contextOf(flags.mine));
  return h(
    "div",
    { class: "bubble", dataset: { type: line.message.type }, lang: langOf(line.text ?? "") },
    quote(line.quote, view),
    content,
  );
}

function quote(quoted, view) {
  if (!quoted) return null;
  const text = quoted.text || "This message is gone";
  const props = {
    type: "button",
    class: "quote",
    lang: langOf(text),
    title: "Show it",
    onclick: () => view.onQuote(quoted.id),
  };
  return h("button", props, h("b", {}, quoted.name), h("span", {}, text));
}

function aside(line, flags) {
  const marks = [line.edited && "Edited", flags.mine && line.read && flags.timed && "Read"].filter(Boolean);
  const push =
    line.via === "push" && h("span", { title: "Sent by LINE's Push API, which costs a message of the quota" }, "Push");
  const time = flags.timed && h("time", { datetime: new Date(line.at).toISOString() }, timeOf(line.at));
  return h(
    "div",
    { class: "aside" },
    push,
    marks.map((mark) => h("span", {}, mark)),
    time,
  );
}

function tools(line, flags, view) {
  const hasTrace = line.event && (line.who.kind === "bot" || !flags.answered);
  const more = h(
    "button",
    {
      type: "button",
      class: "tool",
      "aria-label": "Message menu",
      "aria-haspopup": "menu",
      onclick: (event) => view.onMenu(line, event.currentTarget),
    },
    icon("more"),
  );
  return h("div", { class: "tools" }, hasTrace && traceButton(line.event, view), more);
}

function traceButton(event, view) {
  const onclick = () => view.onTrace(event);
  const props = {
    type: "button",
    class: "tool trace-button",
    "aria-label": "What happened",
    title: "What happened",
    onclick,
  };
  return h("button", props, icon("trace"), h("span", {}, "What happened"));
}

/** Safari on phones has no contextmenu event; elsewhere that comes first. */
function openAfterLongPress(event, line, view) {
  if (event.pointerType !== "touch" || event.target.closest("button, a, input, video")) return;
  const [row, ends] = [event.currentTarget, ["pointerup", "pointercancel", "pointermove", "contextmenu"]];
  const timer = setTimeout(() => view.onMenu(line, row.querySelector(".bubble")), LONG_PRESS_MS);
  const stop = () => clearTimeout(timer);
  for (const end of ends) row.addEventListener(end, stop, { once: true });
}

function openAtPointer(event, line, view) {
  if (getSelection().toString() || event.target.closest("a, input, textarea")) return;
  event.preventDefault();
  const byKey = event.clientX === 0 && event.clientY === 0;
  view.onMenu(line, byKey ? event.currentTarget.querySelector(".bubble") : { x: event.clientX, y: event.clientY });
}
