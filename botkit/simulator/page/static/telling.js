/** The parts of a trace, top to bottom. */

import { copyButton, copyLine } from "./copy.js";
import { h } from "./dom.js";
import { count, dollars, duration, moment, number, timeOfDay } from "./format.js";
import { drawCall } from "./linecalls.js";
import { aside, heading, side, words } from "./pieces.js";
import { drawModel, isChat } from "./prompt.js";
import { delivered, headline, isLive, related, whyLeftOut } from "./story.js";
import { drawTimeline } from "./timeline.js";

/** All that is known of an event; times are written in `zone`, and `open(event)` shows another event of the bot. */
export function drawTrace(trace, zone, open) {
  return [
    drawHeadline(headline(trace), isLive(trace)),
    drawFacts(trace),
    drawRelated(trace, open),
    trace.turns.map((_, at) => drawTurn(trace, at)),
    drawLine(trace, zone),
    drawNotes(trace, zone),
    drawIds(trace, trace),
  ];
}

/** A sentence in large print, as `headline` of story.js gives it; `live`: more is still to come. */
export function drawHeadline({ tone, text, more }, live = false) {
  const dot = h("span", { class: "trace-dot", dataset: live ? { live: "" } : {}, "aria-hidden": "true" });
  return h("div", { class: "trace-headline", dataset: { tone }, role: "status" },
    h("p", { class: "trace-said" }, dot, h("span", {}, text)),
    more ? h("p", { class: "trace-more" }, more) : null);
}

/** How to find the event in a terminal and in the logs; `trace`, where there is one, can be copied. */
export function drawIds({ bot, event }, trace) {
  return h("section", {},
    heading("To look for it elsewhere"),
    aside("The event's id, as LINE gave it and the log lines name it; and the same story in a terminal."),
    copyLine(event, "Copy the event's id"),
    copyLine(`botkit explain ${bot} ${event}`, "Copy the command"),
    trace ? copyButton("Copy all of it as JSON", () => JSON.stringify(trace, null, 2)) : null);
}

function drawFacts(trace) {
  const sent = delivered(trace);
  const { input_tokens: asked, output_tokens: got, cost } = trace.usage;
  const models = trace.turns.flatMap((turn) => turn.models);
  const isReal = models.some((call) => !call.rehearsed);
  const facts = [
    ["In all", sent ? duration(sent.at - trace.received_at) : null],
    ["Tokens", asked || got ? `${number(asked)} in, ${number(got)} out` : null],
    ["Cost", isReal && (asked || got) ? (cost ? dollars(cost) : "price not known") : null],
    ["Attempts", trace.attempts > 1 ? number(trace.attempts) : null],
    ["Model", models.length && !isReal ? "rehearsal, no key" : null],
  ].filter(([, value]) => value !== null);
  const drawn = facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return drawn.length ? h("dl", { class: "trace-facts" }, drawn) : null;
}

function drawRelated(trace, open) {
  return related(trace).map(({ event, text }) => {
    const link = h("button", { type: "button", class: "trace-link", onclick: () => open(event) }, event);
    return h("p", { class: "trace-related" }, `${text}: `, link);
  });
}

// ---------------------------------------------------------------- an attempt

function drawTurn(trace, at) {
  const turn = trace.turns[at];
  const length = turn.ended === null ? "not ended" : duration(turn.ended - turn.began);
  const several = trace.turns.length > 1;
  return h("section", { class: "trace-turn" },
    several ? h("h3", { class: "trace-attempt" }, `Attempt ${at + 1}`, side(length)) : null,
    several && turn.failed ? h("p", { class: "trace-failed" }, turn.failed) : null,
    turn.steps.length ? [heading("Time", several ? null : length), drawTimeline(trace, at), drawLegend()] : null,
    drawModels(trace, at),
    saysMore(turn) ? drawReply(turn) : null);
}

function drawLegend() {
  const swatch = (of) => h("i", { class: "trace-swatch", dataset: { of } });
  return h("p", { class: "panel-aside trace-legend" },
    h("span", {}, swatch("own"), "own work, as the figures say"),
    h("span", {}, swatch("whole"), "steps inside"));
}

/** The models that were asked. Open is, of the last attempt, the prompt that was answered, or else the last one. */
function drawModels(trace, at) {
  const { models, failed, left_out: leftOut } = trace.turns[at];
  if (!models.length) return null;
  const isLast = at === trace.turns.length - 1;
  const answered = models.findLast((call) => isChat(call) && !call.failed) ?? models.findLast(isChat);
  const about = { told: trace.turns.length > 1 ? failed : null, leftOut, why: whyLeftOut(trace) };
  return [
    heading("The model", models.length > 1 ? `asked ${count(models.length, "time")}` : null),
    models.map((call, one) => {
      const folded = !isLast || call !== answered;
      return drawModel(call, { ...about, folded, key: `model-${at}-${one}` });
    }),
  ];
}

/** Whether what was said is not the model's answer word for word. */
function saysMore({ reply, models }) {
  return reply.length > 0 && (reply.length > 1 || reply[0] !== models.findLast(isChat)?.answer);
}

function drawReply({ reply }) {
  return [
    heading("What the bot said", reply.length > 1 ? count(reply.length, "message") : null),
    reply.map((text) => h("div", { class: "trace-reply" }, words(text))),
  ];
}

// ---------------------------------------------------------------- around the attempts

function drawLine(trace, zone) {
  if (!trace.line.length) return null;
  const calls = trace.line.toSorted((one, other) => one.at - other.at);
  return h("section", {},
    heading("Calls to LINE", number(calls.length)),
    calls.map((call, at) => drawCall(call, { since: trace.received_at ?? calls[0].at, zone, key: `line-${at}` })));
}

function drawNotes(trace, zone) {
  const told = [
    { at: trace.at, text: "it happened, says LINE" },
    { at: trace.received_at, text: "its webhook was received" },
    ...trace.notes,
  ].filter(({ at }) => at);
  const rows = told.toSorted((one, other) => one.at - other.at).map(({ at, text }) =>
    h("li", {}, h("time", { title: moment(at, zone) }, timeOfDay(at, zone)), h("span", {}, text)));
  return rows.length ? h("section", {}, heading("The story"), h("ol", { class: "trace-notes" }, rows)) : null;
}
