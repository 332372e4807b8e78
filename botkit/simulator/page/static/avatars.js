/** Round pictures of bots, people and groups: a letter on a colour that stays the same. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** The picture of `name`; `kind` "group" shows two heads. `seed` picks the colour (an id; default the name). */
export function avatar(name, { kind = "bot", seed = name } = {}) {
  const face = kind === "group" ? icon("people") : ([...name.trim()][0]?.toLocaleUpperCase() ?? "?");
  return h("span", { class: `avatar ${kind}`, "aria-hidden": true, style: { "--hue": hueOf(seed) } }, face);
}

/** FNV-1a, and a last stir: near names get colours far apart. */
function hueOf(seed) {
  let hash = 0x811c9dc5;
  for (const unit of seed) hash = Math.imul(hash ^ unit.codePointAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return String(((hash ^ (hash >>> 12)) >>> 0) % 360);
}
