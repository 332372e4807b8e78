/** A call of a model: what it was sent, how full its context window was, what it answered. */

import { h } from "./dom.js";
import { count, dollars, duration, number, percent } from "./format.js";
import { aside, side, words } from "./pieces.js";

const ANSWERED = { transcription: "It heard", moderation: "It found" };
const PARTS = { persona: "Persona", history: "Earlier messages", new: "New" };
// Longer texts are folded.
const LONGEST = 280;
const MOST_LINES = 5;
// So many earlier messages are shown at once; more are folded together.
const FEW = 4;

/**
 * One call of a model. `leftOut`: the stored messages that it was not sent, and `why`, in words; `told`: a failure that
 * is told already; `folded`: the prompt is closed at first. `key` is unique on the page, so that what is opened stays
 * open when the trace is drawn anew.
 */
export function drawModel(call, { told, leftOut, why, folded, key }) {
  return h("section", { class: "trace-model" },
    h("h4", {}, h("span", { class: "trace-model-name" }, call.model), badges(call), side(timeOf(call))),
    call.failed && call.failed !== told ? h("p", { class: "trace-failed" }, call.failed) : null,
    drawParameters(call),
    drawWindow(call),
    call.messages.length ? drawSent(call, isChat(call) ? leftOut : [], why, folded, key) : null,
    call.answer ? drawAnswer(call) : null,
  );
}

/** Whether the call makes an answer, and does not only judge or write down what was said. */
export function isChat(call) {
  return call.kind === "chat";
}

function badges(call) {
  const told = [isChat(call) ? null : call.kind, call.rehearsed ? "rehearsal" : null].filter(Boolean);
  return told.map((text) => h("span", { class: "trace-badge" }, text));
}

function timeOf(call) {
  return call.ms === null ? "thinking…" : duration(call.ms);
}

function drawParameters(call) {
  const said = [
    isChat(call) ? `temperature ${call.temperature ?? "of the model's own"}` : null,
    call.max_output_tokens ? `answers with at most ${tokens(call.max_output_tokens)}` : null,
    call.base_url ? `asked at ${call.base_url}` : null,
  ];
  return aside(said.filter(Boolean).join(" · "));
}

/** How full the context window is: the prompt, and the room that is kept for the answer. */
function drawWindow(call) {
  if (!call.context_tokens) return null;
  const sent = call.input_tokens || sum(call.messages);
  const room = call.max_output_tokens ?? 0;
  const full = percent(sent + room, call.context_tokens);
  const told = `${number(sent)} sent + ${number(room)} kept for the answer, of ${number(call.context_tokens)} tokens`;
  return h("div", { class: "trace-window" },
    h("div", { class: "trace-shares", "aria-hidden": "true" },
      share("sent", sent, call.context_tokens), share("room", room, call.context_tokens)),
    aside(h("b", {}, "Context window "), `${told}: ${full}`));
}

function drawSent(call, leftOut, why, folded, key) {
  const name = isChat(call) ? "The prompt as sent" : "What was sent";
  return h("details", { class: "trace-fold", open: !folded, dataset: { key: `${key}-prompt` } },
    h("summary", {}, h("span", {}, name), side(tokens(sum(call.messages)))),
    drawShares(call),
    drawPrompt(call, leftOut, why, key));
}

function drawShares(call) {
  const whole = sum(call.messages);
  const parts = Object.keys(PARTS).map((part) => share(part, sum(ofPart(call, part)), whole));
  return h("div", { class: "trace-shares", "aria-hidden": "true" }, parts);
}

function share(kind, size, whole) {
  if (!size || !whole) return null;
  return h("span", { dataset: { of: kind }, style: { width: `${Math.min(100, (100 * size) / whole)}%` } });
}

function drawPrompt(call, leftOut, why, key) {
  return Object.keys(PARTS).map((part) => [
    part === "history" && leftOut.length ? drawLeftOut(leftOut, why, key) : null,
    drawPart(part, ofPart(call, part), `${key}-${part}`),
  ]);
}

function ofPart(call, part) {
  return call.messages.filter((message) => message.part === part);
}

function drawPart(part, messages, key) {
  if (!messages.length) return null;
  const name = messages.length > 1 ? `${PARTS[part]}: ${messages.length}` : PARTS[part];
  const folds = part === "history" && messages.length > FEW;
  return h(folds ? "details" : "div", { class: "trace-prompt-part", dataset: folds ? { part, key } : { part } },
    drawPartHead(folds ? "summary" : "div", name, tokens(sum(messages))),
    drawMessages(messages, key));
}

function drawPartHead(tag, name, figure) {
  return h(tag, { class: "trace-part-head" }, h("span", { class: "trace-part" }, name), side(figure));
}

function drawMessages(messages, key) {
  const drawn = messages.map((message, at) => drawMessage(message, `${key}-${at}`, messages.length > 1));
  return h("ol", { class: "trace-messages" }, drawn);
}

/** What was stored, and not sent: oldest first, greyed. */
function drawLeftOut(messages, why, key) {
  const told = `${count(messages.length, "earlier message")} ${messages.length === 1 ? "was" : "were"} left out`;
  return h("details", { class: "trace-prompt-part", dataset: { part: "left-out", key: `${key}-left-out` } },
    drawPartHead("summary", why ? `${told}: ${why}` : told, tokens(sum(messages))),
    drawMessages(messages, `${key}-left-out`));
}

function drawMessage(message, key, counted) {
  const head = h("span", { class: "trace-message-head" },
    h("span", { class: "trace-role" }, message.role),
    message.images ? h("span", { class: "trace-badge" }, count(message.images, "image")) : null,
    counted ? side(number(message.tokens ?? 0)) : null);
  const parts = [head, words(message.text || "(no words)", "span")];
  if (!isLong(message.text)) return h("li", { class: "trace-prompt-message" }, parts);
  const summary = h("summary", { onclick: spareSelection }, parts);
  return h("li", { class: "trace-prompt-message" }, h("details", { class: "trace-long", dataset: { key } }, summary));
}

/** Who has just selected some of the text does not mean to fold it. */
function spareSelection(event) {
  if (event.detail > 0 && !getSelection().isCollapsed) event.preventDefault();
}

function isLong(text) {
  return text.length > LONGEST || text.split("\n").length > MOST_LINES;
}

function drawAnswer(call) {
  const used = [call.output_tokens ? tokens(call.output_tokens) : null, call.cost ? dollars(call.cost) : null];
  const head = drawPartHead("div", ANSWERED[call.kind] ?? "It answered", used.filter(Boolean).join(" · "));
  return h("div", { class: "trace-answer" }, head, words(call.answer));
}

function sum(messages) {
  return messages.reduce((whole, message) => whole + (message.tokens ?? 0), 0);
}

function tokens(value) {
  return count(value ?? 0, "token");
}
