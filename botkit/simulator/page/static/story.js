/** What happened to one event, in a sentence. */

import { count, duration } from "./format.js";

const TOOK = /^(reply|push): LINE took it/;
const ARRIVED = "reply: so the earlier call had been delivered";
const UNKNOWN = /^reply: nobody can know whether it arrived; taken/;
const NOTICE = "notice: the answer takes long";
const TAPPED = /^a tap: brings the answer to (\S+)/;
const DROPPED = /^(?:push: not tried, (the person has .*)|(the answer came too late.*))$/;
const FAILED = /^(?:no answer: |a step failed: )(.*)$/s;
const GIVEN_UP = /^given up after \d+ attempts$/;
// These tell how a turn went, and never why nothing was said.
const COURSE = /^(?:turn|history|answer|model \S+): /;
const OF_LINE = /^(?:LINE|reply|push|kept|the answer came too late)\b/;
const REQUEST = / \(request [^)]*\)$/;
const STEP = /^(?:groups|media|events|moderation|limits|commands): /;

/** {tone: "good" | "quiet" | "waiting" | "warning" | "bad", text, more: a few lines besides, or ""}. */
export function headline(trace) {
  if (trace.state === null) return line("quiet", "Not taken in by the bot", trace.meaning);
  if (trace.state === "RECEIVED") return waiting(trace);
  if (trace.state === "SENDING") return sending(trace);
  if (trace.state === "UNDELIVERED") return kept(trace);
  return done(trace);
}

function line(tone, text, more = "") {
  return { tone, text, more };
}

/** Whether more is still to come. */
export function isLive(trace) {
  return trace.state === "RECEIVED" || trace.state === "SENDING";
}

/** When the answer was delivered (ms since 1970), and by "reply" or "push"; null where it was not, or nobody knows. */
export function delivered(trace) {
  const note = trace.notes.findLast(({ text }) => TOOK.test(text) || text === ARRIVED);
  return note ? { at: note.at, via: TOOK.exec(note.text)?.[1] ?? "reply" } : null;
}

/** Other events that belong to the story: [{event, text}]. */
export function related(trace) {
  const events = trace.turns.flatMap((turn) => turn.events);
  const known = new Map(events.map((event) => [event, "Answered in the same turn"]));
  const tapped = first(trace, TAPPED)?.[1];
  if (tapped) known.set(tapped, "The message that was answered");
  if (trace.lead) known.set(trace.lead, "The message whose answer covers it");
  known.delete(trace.event);
  return [...known].map(([event, text]) => ({ event, text }));
}

/** Why earlier messages were left out, in the words of the bot file; "" where no note says so. */
export function whyLeftOut(trace) {
  const byHistory = first(trace, /^history: .*left out by (max_tokens: \d+)$/);
  if (byHistory) return `history has ${byHistory[1]}`;
  const byModel = first(trace, /^model .*left out, its context window is (\d+)$/);
  return byModel ? `the model's context window is ${byModel[1]} tokens` : "";
}

function waiting(trace) {
  const last = trace.turns.at(-1);
  if (!last) return line("waiting", "Waiting in the queue", "The webhook is stored; no worker has begun.");
  if (last.ended === null) {
    const thinks = last.models.some((call) => call.ms === null);
    const button = noted(trace, NOTICE) ? "A button that brings the answer is shown meanwhile." : "";
    return line("waiting", thinks ? "Waiting: the model is thinking" : "Waiting: the bot is at work", button);
  }
  const tries = `${count(trace.attempts, "attempt")} so far; the sweep sees to the next.`;
  return line("waiting", `Waiting for the next attempt${last.failed ? `: ${last.failed}` : ""}`, tries);
}

function sending(trace) {
  const call = trace.line.findLast(isAnswer);
  const failing = call?.status === 429 || call?.status >= 500;
  const text = failing ? `On its way: LINE answered ${call.status} and is asked again` : "On its way to LINE";
  const tries = trace.sends > 1 ? `${count(trace.sends, "call")} so far, each with the same answer.` : "";
  return line("waiting", text, tries);
}

function kept(trace) {
  if (noted(trace, NOTICE)) {
    return line("warning", "Ready, and waiting for a tap", "The reply token was spent on the button that brings it.");
  }
  return line("warning", "Kept for the next reply", problems(trace).join("\n"));
}

function done(trace) {
  const sent = delivered(trace);
  if (failure(trace) !== null) return failed(trace, sent);
  if (sent) return answered(trace, sent);
  if (trace.lead && trace.lead !== trace.event) return together(trace);
  if (first(trace, UNKNOWN)) {
    return line("warning", "Perhaps answered: nobody can know whether it arrived", problems(trace).join("\n"));
  }
  const dropped = first(trace, DROPPED);
  if (dropped) return line("warning", `Said nothing: ${dropped[1] ?? dropped[2]}`);
  if (trace.turns.some((turn) => turn.reply.length) || trace.sends) {
    return line("bad", "Failed: LINE did not take the answer", problems(trace).join("\n"));
  }
  return silent(trace);
}

function answered(trace, sent) {
  const text = `Answered in ${duration(sent.at - trace.received_at)} by ${sent.via}`;
  if (first(trace, TAPPED)) return line("good", text, "A tap on the button: it brought an answer that was waiting.");
  const tries = trace.attempts > 1 ? `It took ${count(trace.attempts, "attempt")}.` : "";
  const withoutModel = trace.turns.some((turn) => turn.models.length) ? "" : reason(trace);
  return line("good", text, [tries, withoutModel, ...problems(trace)].filter(Boolean).join("\n"));
}

function failed(trace, sent) {
  const said = sent
    ? `The error text was said instead, after ${duration(sent.at - trace.received_at)} by ${sent.via}.`
    : "Nothing was said.";
  return line("bad", `Failed: ${failure(trace)}`, said);
}

function together(trace) {
  const waited = noted(trace, NOTICE) || noted(trace, "kept, to be shown with the next reply");
  return waited
    ? line("good", "Answered later, with another reply", "The answer waited, and went out with the one below.")
    : line("good", "Answered together with another message", "What is sent in a row is answered once.");
}

function silent(trace) {
  const why = reason(trace);
  return line("quiet", why ? `Said nothing: ${why.replace(STEP, "")}` : "Said nothing");
}

/** What the steps noted last of why the turn went as it did; "" where that needs no reason. */
function reason(trace) {
  const notes = trace.notes.map(({ text }) => text);
  return notes.findLast((text) => !COURSE.test(text) && !OF_LINE.test(text)) ?? "";
}

/** What went wrong in the bot, where the error text took the answer's place; null where nothing did. */
function failure(trace) {
  const noted = first(trace, GIVEN_UP)?.[0] ?? first(trace, FAILED)?.[1];
  // The turn itself says more than the note, which must not hold what a person has said.
  return noted ? (trace.turns.findLast((turn) => turn.failed)?.failed ?? noted) : null;
}

/** What LINE refused or left open, and what was made of it, as noted; each once. */
function problems(trace) {
  const told = trace.notes.map(({ text }) => text).filter((text) => OF_LINE.test(text) && !TOOK.test(text));
  return [...new Set(told.map((text) => text.replace(REQUEST, "")))];
}

function isAnswer(call) {
  return call.endpoint === "reply" || call.endpoint === "push";
}

function noted(trace, beginning) {
  return trace.notes.some(({ text }) => text.startsWith(beginning));
}

function first(trace, pattern) {
  for (const { text } of trace.notes) {
    const found = pattern.exec(text);
    if (found) return found;
  }
  return null;
}
