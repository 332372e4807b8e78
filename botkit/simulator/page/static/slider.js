/** A row that scrolls sideways: by wheel, finger, keys, and by arrows where there is a mouse. */

import { h } from "./dom.js";

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) requestAnimationFrame(() => showEnds(target));
});

/**
 * `items` side by side, called `label`. `scrollsByKeys`: the row itself can be focused and moved by the arrow keys;
 * without it the items are what is focused.
 */
export function slider(label, items, { className = "", scrollsByKeys = true } = {}) {
  const track = h("div", { class: "slider-track", role: "group", "aria-label": label }, items);
  if (scrollsByKeys) track.dataset.keys = "";
  track.addEventListener("scroll", () => showEnds(track), { passive: true });
  resized.observe(track);
  return h("div", { class: `slider ${className}` }, track, arrow(track, -1), arrow(track, 1));
}

function arrow(track, way) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const move = () => {
    const step = Math.max(track.firstElementChild?.offsetWidth ?? 0, track.clientWidth * 0.6);
    track.scrollBy({ left: way * step, behavior: calm ? "auto" : "smooth" });
  };
  // Hidden from screen readers and the tab key: these scroll the row itself.
  const props = { type: "button", class: "slider-arrow", tabindex: "-1", "aria-hidden": "true", onclick: move };
  return h("button", { ...props, dataset: { way: way < 0 ? "back" : "on" } }, way < 0 ? "‹" : "›");
}

function showEnds(track) {
  const rest = track.scrollWidth - track.clientWidth;
  const root = track.parentElement;
  root?.toggleAttribute("data-back", track.scrollLeft > 4);
  root?.toggleAttribute("data-on", track.scrollLeft < rest - 4);
  if (rest > 1 && "keys" in track.dataset) track.tabIndex = 0;
  else track.removeAttribute("tabindex");
}
