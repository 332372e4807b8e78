/** The calls to LINE's API, each with its body. */

import { copyButton } from "./copy.js";
import { h } from "./dom.js";
import { duration, timeOfDay } from "./format.js";
import { aside, side } from "./pieces.js";

const STRING = /("(?:[^"\\]|\\.)*")(\s*:)?/g;
const ACCEPTED_BEFORE = 409;

/** A call as LINE's API got and answered it. `since` (ms since 1970) is what its time is counted from. */
export function drawCall(call, { since, zone, key }) {
  const where = [
    h("p", { class: "panel-aside trace-path" }, `${call.method} ${call.path}`),
    call.retry_key ? h("p", { class: "panel-aside trace-path" }, `X-Line-Retry-Key: ${call.retry_key}`) : null,
    meaning(call.status),
  ];
  if (!call.request) return h("div", { class: "trace-call" }, drawHead("div", call, since, zone), where);
  return h("details", { class: "trace-call", dataset: { key } },
    drawHead("summary", call, since, zone), where, drawBody(call.request));
}

function drawHead(tag, call, since, zone) {
  const time = side(`+${duration(Math.max(0, call.at - since))}`);
  time.title = timeOfDay(call.at, zone);
  return h(tag, { class: "trace-call-head" },
    h("span", { class: "trace-status", dataset: { tone: toneOf(call.status) } }, String(call.status ?? "none")),
    h("span", { class: "trace-endpoint" }, call.endpoint.replaceAll("_", " ")),
    time);
}

function drawBody(request) {
  const body = JSON.stringify(request, null, 2);
  return h("div", { class: "trace-code" }, h("pre", { tabindex: "0" }, coloured(body)), copyButton("Copy", () => body));
}

function toneOf(status) {
  if (status === ACCEPTED_BEFORE) return "known";
  return status !== null && status < 400 ? "good" : "bad";
}

function meaning(status) {
  if (status === null) return aside("LINE gave no answer: whether it did it is unknown.");
  return status === ACCEPTED_BEFORE ? aside("LINE had taken this push before, under the same retry key.") : null;
}

function coloured(json) {
  const parts = [];
  let at = 0;
  for (const found of json.matchAll(STRING)) {
    const kind = found[2] ? "trace-key" : "trace-string";
    parts.push(json.slice(at, found.index), h("span", { class: kind }, found[1]), found[2] ?? "");
    at = found.index + found[0].length;
  }
  return [...parts, json.slice(at)];
}
