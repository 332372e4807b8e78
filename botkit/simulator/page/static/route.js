/** The address of what is shown: `#/concierge/user/U…`, with `/troubles` or `/trace/EVENT` for the panel. */

import { isNarrow } from "./dom.js";
import { store } from "./store.js";

const NOWHERE = "-";

function hashOf({ place, panel, event }) {
  const where = place ? [place.bot, place.kind, place.id] : panel ? [NOWHERE] : [];
  return "#/" + [...where, panel, panel && event].filter(Boolean).map(encodeURIComponent).join("/");
}

function routeOf(hash) {
  const parts = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .filter(Boolean)
    .map(decodeURIComponent);
  const hasPlace = parts.length >= 3 && parts[0] !== NOWHERE;
  const [panel = null, event = null] = parts.slice(hasPlace ? 3 : 1);
  return { place: hasPlace ? { bot: parts[0], kind: parts[1], id: parts[2] } : null, panel, event };
}

/** Go somewhere. Within an open panel, and where a panel closes, the step back leads out of it. */
export function navigate(change) {
  const route = { ...store.route, ...change };
  const staysInPanel = Boolean(store.route.panel) && !("place" in change);
  history[staysInPanel ? "replaceState" : "pushState"](null, "", hashOf(route));
  return store.go(route);
}

/** Open a chat; the troubles stay in sight beside it, where there is room. */
export function openChat(place) {
  const panel = store.route.panel === "troubles" && !isNarrow() ? "troubles" : null;
  return navigate({ place, panel, event: null });
}

export const openTrace = (event) => navigate({ panel: "trace", event });
/** What happened to the newest message of the open chat. */
export const openLast = () => openTrace(store.messages.findLast((message) => message.event)?.event ?? null);
export const openTroubles = () => navigate({ panel: "troubles", event: null });
export const closePanel = () => navigate({ panel: null, event: null });

/** Show what the address names, now and on each step back and forward. */
export function startRoute() {
  addEventListener("popstate", () => store.go(routeOf(location.hash)));
  return store.go(routeOf(location.hash));
}
