/** Stickers and places: LINE's pictures and maps are not loaded, so each is a drawing of our own. */

import { h, langOf } from "./dom.js";
import { STICKERS } from "./stickers.js";

/** A sticker: a face by its keywords, else a face of its own with LINE's numbers; a message sticker with its text. */
export function drawSticker(sticker) {
  const keywords = (Array.isArray(sticker.keywords) ? sticker.keywords : []).map(String);
  const face = faceOf(keywords);
  const text = typeof sticker.text === "string" ? sticker.text : "";
  const numbers = `${sticker.packageId ?? "?"}/${sticker.stickerId ?? "?"}`;
  const name = text || keywords[0] || numbers;
  const drawing = face ? h("span", { class: "msg-sticker-face" }, face) : plainFace(numbers);
  return h(
    "div",
    { class: "msg-sticker", role: "img", "aria-label": `Sticker: ${name}`, title: `Sticker ${numbers} ${keywords.join(", ")}`.trim() },
    drawing,
    text && h("span", { class: "msg-sticker-text", lang: langOf(text) }, text),
    !face && !text && h("span", { class: "msg-sticker-numbers" }, numbers),
  );
}

function faceOf(keywords) {
  const known = keywords.map((word) => STICKERS.find((sticker) => sticker.keywords.includes(word.toLowerCase())));
  return known.find(Boolean)?.face ?? null;
}

/** The same numbers always have the same colour. */
function plainFace(numbers) {
  const hue = [...numbers].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const face = h("span", { class: "msg-sticker-plain" }, h("i"), h("i"), h("b"));
  face.style.setProperty("--hue", String(hue));
  return face;
}

/** A place on a drawn map; a tap opens it on a real one. */
export function drawLocation(place, context) {
  const title = String(place.title ?? "Location");
  const address = String(place.address ?? "");
  const where = [place.latitude, place.longitude].map(Number);
  const spot = where.every(Number.isFinite) ? where.join(",") : address;
  const open = () => context.open(`https://www.google.com/maps/search/?api=1&query=${encodeURIComponent(spot)}`);
  return h(
    "button",
    { type: "button", class: "msg-card msg-place", onclick: open },
    h("span", { class: "msg-map", "aria-hidden": "true" }, h("span", { class: "msg-pin" })),
    h("span", { class: "msg-place-title", lang: langOf(title) }, title),
    h("span", { class: "msg-place-address", lang: langOf(address) }, address),
  );
}
