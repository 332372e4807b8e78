/** Flex messages: bubbles and carousels of them (LINE reference: Flex Message). */

import { makePressable } from "./actions.js";
import { h } from "./dom.js";
import { drawComponent } from "./flex-box.js";
import { colour, paint } from "./flex-values.js";
import { unknown } from "./placeholder.js";
import { slider } from "./slider.js";

const SIZES = ["nano", "micro", "deca", "hecto", "kilo", "mega", "giga"];
const BLOCKS = ["header", "hero", "body", "footer"];
const MOST_BUBBLES = 12;

/** A Flex message; its altText is what a screen reader says of it. */
export function drawFlex(message, context) {
  const contents = message.contents;
  const label = typeof message.altText === "string" ? message.altText : "Flex message";
  if (contents?.type === "carousel") return drawCarousel(contents, label, context);
  if (contents?.type !== "bubble") return unknown("Flex message with neither a bubble nor a carousel");
  return h("div", { class: "flex", role: "group", "aria-label": label }, drawBubble(contents, context));
}

function drawCarousel(carousel, label, context) {
  const bubbles = (Array.isArray(carousel.contents) ? carousel.contents : []).slice(0, MOST_BUBBLES);
  return slider(label, bubbles.map((bubble) => drawBubble(bubble, context)), { className: "flex flex-carousel" });
}

function drawBubble(bubble, context) {
  const size = SIZES.includes(bubble?.size) ? bubble.size : "mega";
  const isRtl = bubble?.direction === "rtl";
  const blocks = BLOCKS.filter((name) => bubble?.[name]);
  const drawn = blocks.map((name, place) => drawBlock(bubble, name, place === 0, context));
  const props = { class: `fx-bubble fx-${size}`, dir: isRtl ? "rtl" : "ltr", dataset: { blocks: blocks.join(" ") } };
  const element = h("div", props, drawn);
  return bubble?.action ? makePressable(element, bubble.action, context) : element;
}

function drawBlock(bubble, name, isFirst, context) {
  const style = bubble.styles?.[name] ?? {};
  const place = { layout: "vertical", depth: 1, context };
  const content = drawComponent(bubble[name], place);
  // In a carousel all bubbles are as high as the highest: it is the body that grows.
  if (name === "body") paint(content, { flex: "1 0 auto" });
  const block = h("div", { class: `fx-block fx-${name}` }, content);
  paint(block, { backgroundColor: colour(style.backgroundColor) });
  // A separator before the first block is ignored (LINE reference: Objects for the block style).
  if (style.separator === true && !isFirst) {
    paint(block, { borderTop: `1px solid ${colour(style.separatorColor) ?? "#d4d6da"}` });
  }
  return block;
}
