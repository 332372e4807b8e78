/** How the panels write times, sizes and money. */

const SECOND = 1000;
const UNITS = [
  ["day", 86_400 * SECOND],
  ["h", 3600 * SECOND],
  ["min", 60 * SECOND],
  ["s", SECOND],
];

/** "12 ms", "1.2 s", "48 s", "1 min 5 s", "1 day 2 h": the two largest units, of a time in ms. */
export function duration(ms) {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const [first, second] = split(ms);
  return second ? `${first} ${second}` : first;
}

function split(ms) {
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [, size] = UNITS[at];
  const rest = Math.floor((ms % size) / (UNITS[at + 1]?.[1] ?? size));
  return [written(Math.floor(ms / size), at), rest && at < UNITS.length - 1 ? written(rest, at + 1) : ""];
}

function written(number, at) {
  const [unit] = UNITS[at];
  return unit === "day" ? count(number, "day") : `${number} ${unit}`;
}

/** The time of day of `at` (ms since 1970), to the millisecond, in `zone` or the machine's own. */
export function timeOfDay(at, zone) {
  return formatter("en-GB", zone).format(at);
}

/** The day and the time of day. */
export function moment(at, zone) {
  const day = { year: "numeric", month: "2-digit", day: "2-digit" };
  return `${formatter("sv-SE", zone, day).format(at)} ${timeOfDay(at, zone)}`;
}

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };

function formatter(locale, zone, parts = TIME) {
  return new Intl.DateTimeFormat(locale, { ...parts, timeZone: zone || undefined });
}

/** "1,234". */
export function number(value) {
  return value.toLocaleString("en-GB");
}

/** "1 message", "3 messages". */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Millionths of a dollar: "$0.0004", "$1.25". */
export function dollars(millionths) {
  const value = millionths / 1_000_000;
  if (value >= 1) return `$${value.toFixed(2)}`;
  return `$${value.toLocaleString("en-US", { maximumSignificantDigits: 2, useGrouping: false })}`;
}

/** A share as a percentage that never reads 0 % where there is something. */
export function percent(part, whole) {
  const share = (100 * part) / whole;
  if (share > 0 && share < 1) return "under 1 %";
  return `${Math.round(share)} %`;
}
