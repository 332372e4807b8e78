/** One attempt as a waterfall: the wait in the queue, the steps with their own work marked, the models, LINE. */

import { h } from "./dom.js";
import { duration } from "./format.js";
import { aside } from "./pieces.js";

// A wait longer than so many times the work would leave no room for it: it is told in words instead.
const LONGEST_WAIT = 6;
// How much longer than what is known the axis of a turn at work is, so that one sees what it is at.
const OPEN_END = 4;
// A call to LINE later than that after the turn's end (ms) belongs to a later attempt to send.
const SENDING = 10_000;

/**
 * The waterfall of `trace.turns[at]`. Times in it are counted from the receipt of the webhook, or, where the attempt
 * began long after that, from its own beginning.
 */
export function drawTimeline(trace, at) {
  const turn = trace.turns[at];
  const calls = callsOf(trace, at);
  const wait = Math.max(0, turn.began - (trace.received_at ?? turn.began));
  const work = extent(turn, calls);
  const waits = at === 0 && wait > 0 && wait <= LONGEST_WAIT * Math.max(work, 1);
  const rows = [
    ...(waits ? [{ kind: "queue", name: "queue", depth: 0, from: -wait, to: 0, own: wait, pieces: [[-wait, 0]] }] : []),
    ...stepRows(turn, work),
    ...calls.map((call) => callRow(call, turn.began)),
  ];
  const axis = { from: waits ? -wait : 0, to: Math.max(work, 1) };
  const live = turn.ended === null;
  return h("div", { class: "trace-timeline" },
    h("div", { class: "trace-rows", role: "list" }, rows.map((row) => drawRow(row, axis))),
    h("div", { class: "trace-axis", "aria-hidden": "true" }, drawAxis(axis.to - axis.from, live)),
    waits || wait === 0 ? null : aside(`This began ${duration(wait)} after the webhook was received.`),
  );
}

function drawAxis(length, live) {
  if (live) return [h("span", {}, "0 ms"), h("span", {}, "now")];
  const shares = length < 10 ? [0, 1] : [0, 0.5, 1];
  return shares.map((share) => h("span", {}, duration(share * length)));
}

function callsOf(trace, at) {
  const { began, ended } = trace.turns[at];
  const next = trace.turns[at + 1]?.began ?? Infinity;
  const until = Math.min(next, ended === null ? Infinity : ended + SENDING);
  return trace.line.filter((call) => call.at >= began && call.at < until);
}

function extent(turn, calls) {
  const known = Math.max(
    0,
    turn.ended === null ? 0 : turn.ended - turn.began,
    ...[...turn.steps, ...turn.models].map((one) => one.after + (one.ms ?? 0)),
    ...calls.map((call) => call.at - turn.began),
  );
  return turn.ended === null ? known * OPEN_END : known;
}

/** The steps, outermost first, and after the step that asked it each model. */
function stepRows(turn, end) {
  const spans = turn.steps.map((step) => ({ ...step, to: step.ms === null ? end : step.after + step.ms }));
  const rows = [];
  for (const [at, span] of spans.entries()) {
    const depth = spans.slice(0, at).filter((outer) => contains(outer, span)).length;
    const inside = spans.slice(at + 1).filter((inner) => contains(span, inner));
    rows.push({
      kind: "step", name: wordOf(span.step), depth, from: span.after, to: span.to, own: span.own, all: span.ms,
      live: span.ms === null, pieces: without([span.after, span.to], inside),
    });
  }
  const models = turn.models.map((call) => modelRow(call, end));
  for (const row of models) rows.splice(placeOf(row, rows), 0, row);
  return rows;
}

/** A step of botkit's own is named as in the bot file; one of the user's by its class. */
function wordOf(step) {
  return /^[A-Z][a-z]+$/.test(step) ? step.toLowerCase() : step;
}

function contains(outer, inner) {
  return outer.after <= inner.after && inner.to <= outer.to;
}

/** What is left of a stretch of time without the steps inside it. */
function without([from, to], inside) {
  const pieces = [];
  let at = from;
  for (const inner of inside.toSorted((one, other) => one.after - other.after)) {
    if (inner.after > at) pieces.push([at, inner.after]);
    at = Math.max(at, inner.to);
  }
  if (to > at) pieces.push([at, to]);
  return pieces;
}

function modelRow(call, end) {
  const to = call.ms === null ? end : call.after + call.ms;
  return {
    kind: "model", failed: Boolean(call.failed), name: call.model, depth: 0, from: call.after, to, own: call.ms,
    live: call.ms === null, pieces: [[call.after, to]],
  };
}

/** Behind the last step that had begun when the model was asked, and the models asked before. */
function placeOf(row, rows) {
  const asker = rows.findLastIndex(({ kind, from, to }) => kind === "step" && from <= row.from && to >= row.from);
  const before = rows.findLastIndex(({ kind, from }) => kind === "model" && from <= row.from);
  row.depth = asker < 0 ? 0 : rows[asker].depth + 1;
  return Math.max(asker, before) + 1;
}

function callRow(call, began) {
  const from = call.at - began;
  const failed = call.status === null || (call.status >= 400 && call.status !== 409);
  const status = call.status === null ? "no answer" : String(call.status);
  const name = `LINE: ${call.endpoint.replaceAll("_", " ")}`;
  return { kind: "line", failed, name, depth: 0, from, to: from, pieces: [[from, from]], said: status };
}

function drawRow(row, axis) {
  const place = (at) => `${(100 * (at - axis.from)) / (axis.to - axis.from)}%`;
  const length = (from, to) => `${(100 * (to - from)) / (axis.to - axis.from)}%`;
  const bar = ([from, to], what) =>
    h("span", { class: `trace-${what}`, style: { left: place(from), width: length(from, to) } });
  const said = row.said ?? (row.live ? "…" : duration(row.own));
  const about = { kind: row.kind, ...(row.live && { live: "" }), ...(row.failed && { failed: "" }) };
  return h("div", { class: "trace-row", dataset: about, role: "listitem", title: titleOf(row) },
    h("span", { class: "trace-name", style: { "--depth": String(Math.min(row.depth, 10)) } }, row.name),
    h("span", { class: "trace-track", "aria-hidden": "true" },
      row.kind === "step" ? bar([row.from, row.to], "whole") : null,
      row.pieces.map((piece) => bar(piece, "own"))),
    h("span", { class: "trace-ms" }, said),
  );
}

function titleOf(row) {
  if (row.said) return `${row.name}: ${row.said}`;
  if (row.live) return `${row.name}: at work`;
  if (row.kind !== "step" || row.all === row.own) return `${row.name}: ${duration(row.own)}`;
  return `${row.name}: ${duration(row.own)} of its own, ${duration(row.all)} with the steps inside it`;
}
