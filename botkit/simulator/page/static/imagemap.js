/** Imagemaps: a placeholder with its areas as buttons (LINE reference: Imagemap message). */

import { labelOf, perform } from "./actions.js";
import { h } from "./dom.js";
import { paint } from "./flex-values.js";
import { picture } from "./placeholder.js";

// LINE reference: Imagemap message, baseSize.width.
const WIDTH = 1040;
const MOST_AREAS = 50;

/** Areas are in units of the base size, whatever the size it is drawn in. */
export function drawImagemap(message, context) {
  const width = positive(message.baseSize?.width) ?? WIDTH;
  const height = positive(message.baseSize?.height) ?? WIDTH;
  const actions = (Array.isArray(message.actions) ? message.actions : []).slice(0, MOST_AREAS);
  const label = typeof message.altText === "string" ? message.altText : "Imagemap";
  const areas = actions.filter((action) => action?.area).map((action) => drawArea(action, width, height, context));
  const map = h("div", { class: "msg-imagemap", role: "group", "aria-label": label }, picture(message.baseUrl), areas);
  return paint(map, { aspectRatio: String(Math.max(width / height, 0.2)) });
}

function drawArea(action, width, height, context) {
  const { area } = action;
  const press = () => perform(action, context);
  const button = h("button", { type: "button", class: "msg-area", "aria-label": labelOf(action), title: labelOf(action), onclick: press });
  return paint(button, {
    left: share(area.x, width),
    top: share(area.y, height),
    width: share(area.width, width),
    height: share(area.height, height),
  });
}

function share(value, whole) {
  const part = Number.isFinite(value) ? value / whole : 0;
  return `${Math.max(0, Math.min(1, part)) * 100}%`;
}

function positive(value) {
  return Number.isFinite(value) && value > 0 ? value : null;
}
