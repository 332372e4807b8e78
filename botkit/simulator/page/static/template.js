/** Template messages (LINE reference: Template messages). */

import { actionButton, makePressable } from "./actions.js";
import { h, langOf } from "./dom.js";
import { colour, paint } from "./flex-values.js";
import { picture, unknown } from "./placeholder.js";
import { slider } from "./slider.js";

const DRAWN = new Map([
  ["buttons", (template, context) => drawCard(template, template, context)],
  ["confirm", drawConfirm],
  ["carousel", drawCarousel],
  ["image_carousel", drawImages],
]);

/** A template message; its altText is what a screen reader says of it. */
export function drawTemplate(message, context) {
  const draw = DRAWN.get(message.template?.type);
  if (!draw) return unknown(`A template of the type ${String(message.template?.type).slice(0, 40)}`);
  const label = typeof message.altText === "string" ? message.altText : "Buttons";
  return h("div", { class: "tpl", role: "group", "aria-label": label }, draw(message.template, context, label));
}

/** A card: picture, title, text and buttons. How the picture stands is said by `looks`. */
function drawCard(card, looks, context) {
  const top = h("div", { class: "tpl-top" }, [
    card.thumbnailImageUrl && thumbnail(card, looks),
    h("div", { class: "tpl-words" }, [
      card.title && h("b", { lang: langOf(words(card.title)) }, words(card.title)),
      h("p", { lang: langOf(words(card.text)) }, words(card.text)),
    ]),
  ]);
  if (card.defaultAction) makePressable(top, card.defaultAction, context);
  return h("div", { class: "tpl-card" }, top, h("div", { class: "tpl-actions" }, buttons(card.actions, context)));
}

function thumbnail(card, looks) {
  const frame = h("div", { class: "tpl-picture" }, picture(card.thumbnailImageUrl));
  const shape = looks.imageAspectRatio === "square" ? "1" : "1.51";
  return paint(frame, { aspectRatio: shape, backgroundColor: colour(card.imageBackgroundColor) });
}

function drawConfirm(template, context) {
  const text = h("div", { class: "tpl-words" }, h("p", { lang: langOf(words(template.text)) }, words(template.text)));
  const choices = h("div", { class: "tpl-actions tpl-choices" }, buttons(template.actions, context));
  return h("div", { class: "tpl-card" }, text, choices);
}

function drawCarousel(template, context, label) {
  const cards = list(template.columns).map((column) => drawCard(column, template, context));
  return slider(label, cards, { className: "tpl-carousel" });
}

function drawImages(template, context, label) {
  const images = list(template.columns).map((column) => {
    const says = words(column.action?.label);
    const image = h("div", { class: "tpl-image" }, picture(column.imageUrl), says && h("span", { class: "tpl-label", lang: langOf(says) }, says));
    return makePressable(image, column.action, context);
  });
  return slider(label, images, { className: "tpl-carousel" });
}

function buttons(actions, context) {
  return list(actions).map((action) => actionButton(action, context, "tpl-action"));
}

function list(value) {
  return (Array.isArray(value) ? value : []).filter((one) => one !== null && typeof one === "object").slice(0, 12);
}

function words(value) {
  return typeof value === "string" ? value : "";
}
