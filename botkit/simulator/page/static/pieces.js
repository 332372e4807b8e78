/** Small things that the two panels are made of. */

import { h, langOf } from "./dom.js";

/** A heading, with a figure at its right where there is one. */
export function heading(text, figure = null) {
  return h("h3", {}, text, figure === null ? null : side(figure));
}

/** A figure at the right of its line. */
export function side(text) {
  return h("span", { class: "panel-side" }, text);
}

/** A line in small print. */
export function aside(...children) {
  return h("p", { class: "panel-aside" }, children);
}

/** What was said or is to be said, as it is, in glyphs of its language. */
export function words(text, tag = "p") {
  return h(tag, { class: "trace-words", lang: langOf(text) }, text);
}
