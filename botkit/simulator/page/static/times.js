/** Times as LINE shows them. */

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "long" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 14:05 */
export const timeOf = (at) => TIME.format(at);

/** A text that is the same for all times of one day here. */
export const dayKey = (at) => new Date(at).toDateString();

/** Today · Yesterday · Mon, 24 November · with the year where it is another. */
export function dayOf(at, now) {
  const near = nearDay(at, now);
  if (near) return near;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? DAY : DAY_OF_YEAR).format(at);
}

/** For the list of chats: 14:05 · Yesterday · 24 Nov */
export function shortTimeOf(at, now) {
  const near = nearDay(at, now);
  return near === "Today" ? timeOf(at) : (near ?? SHORT_DAY.format(at));
}

function nearDay(at, now) {
  if (dayKey(at) === dayKey(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return dayKey(at) === yesterday.toDateString() ? "Yesterday" : null;
}
