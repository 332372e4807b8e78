/** What stands where in a chat: days, who begins a run of messages, where a time is shown. */

import { dayKey, dayOf } from "./times.js";

const RUN_MS = 5 * 60_000;

const isBubble = (line) => !line.failure && line.via !== "system" && !line.unsent;
const speakerOf = (line) => `${line.who.kind}/${line.who.id}/${line.sender?.name ?? ""}`;
const minuteOf = (line) => Math.floor(line.at / 60_000);

/**
 * The rows of a chat: `{key, line, flags}`, and `{key, day}` between days. `me` is the id of the person whose LINE
 * it is. Flags: mine · first (of a run: with avatar and name) · timed (shows its time) · newest · answered.
 */
export function rowsOf(lines, me, now) {
  const answered = new Set(lines.filter((line) => line.who?.kind === "bot").map((line) => line.event));
  const newest = lines.findLast((line) => line.who?.kind === "bot")?.id;
  const rows = [];
  lines.forEach((line, index) => {
    const [before, after] = [lines[index - 1], lines[index + 1]];
    if (!before || dayKey(before.at) !== dayKey(line.at)) {
      rows.push({ key: `day-${dayKey(line.at)}`, day: dayOf(line.at, now) });
    }
    const flags = {
      mine: line.who?.kind === "person" && line.who.id === me,
      first: !goesOn(before, line),
      timed: !goesOn(line, after) || minuteOf(line) !== minuteOf(after),
      newest: line.id === newest,
      answered: line.who?.kind === "bot" || answered.has(line.event),
    };
    rows.push({ key: line.id, line, flags });
  });
  return rows;
}

function goesOn(line, next) {
  if (!line || !next || !isBubble(line) || !isBubble(next)) return false;
  const sameDay = dayKey(line.at) === dayKey(next.at);
  return sameDay && next.at - line.at < RUN_MS && speakerOf(line) === speakerOf(next);
}

/** The quick replies of the newest message: they are gone once anything newer was said. */
export function quickRepliesOf(lines) {
  const newest = lines.findLast((line) => !line.failure && line.via !== "system");
  return (newest?.who.kind === "bot" && !newest.unsent && newest.message.quickReply?.items) || [];
}
