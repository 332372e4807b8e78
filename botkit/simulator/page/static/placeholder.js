/** What stands for pictures and films that are elsewhere: they are never loaded. */

import { h } from "./dom.js";

/** The name of an address's host, or "" where there is none. */
export function hostOf(url) {
  try {
    return new URL(String(url)).host;
  } catch {
    return "";
  }
}

/** A ground with the host's name, in place of an image (or of a video, with a play mark). It fills its parent. */
export function picture(url, { kind = "Image", alt = "" } = {}) {
  const host = hostOf(url);
  const label = alt || (host ? `${kind} from ${host}` : kind);
  const address = typeof url === "string" ? url.slice(0, 300) : null;
  const props = { class: `picture picture-${kind.toLowerCase()}`, role: "img", "aria-label": label, title: address };
  return h("span", props, h("span", { class: "picture-mark", "aria-hidden": "true" }), h("span", { class: "picture-host" }, host));
}

/** A small box that says what stands here and is not drawn. */
export function unknown(what) {
  return h("div", { class: "unknown" }, what);
}
