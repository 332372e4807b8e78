/** The components of Flex bubbles (LINE reference: Flex Message, Component). */

import { labelOf, makePressable, perform } from "./actions.js";
import { h, langOf } from "./dom.js";
import { border, choice, colour, extent, font, gradient, imageWidth, paint, ratio, space, whole } from "./flex-values.js";
import { picture, unknown } from "./placeholder.js";

const DEEPEST = 20;
const MOST_FLEX = 1000;
const ALIGNS = { start: "start", center: "center", end: "end" };
const SIDES = { start: "flex-start", center: "center", end: "flex-end" };
const GRAVITIES = { top: "flex-start", center: "center", bottom: "flex-end" };
const JUSTIFIES = Object.fromEntries(
  ["center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"].map((word) => [word, word]),
);
const WEIGHTS = { regular: "400", bold: "700" };
const STYLES = { normal: "normal", italic: "italic" };
const DECORATIONS = { none: "none", underline: "underline", "line-through": "line-through" };

const DRAWN = new Map([
  ["box", drawBox],
  ["text", drawText],
  ["button", drawButton],
  ["image", drawImage],
  ["icon", drawIcon],
  ["separator", drawSeparator],
  ["filler", () => h("div", { class: "fx-filler" })],
  ["video", drawVideo],
]);

/**
 * A component. `place` is where it stands: the `layout` of the box around it, its `depth`, the `spacing` before it (CSS,
 * or null), and the `context` of its actions.
 */
export function drawComponent(component, place) {
  if (place.depth > DEEPEST) return unknown("Nested too deep");
  const draw = DRAWN.get(component?.type);
  if (!draw) return unknown(String(component?.type ?? "Nothing").slice(0, 40));
  const element = draw(component, place);
  paint(element, { ...sharing(component, place), ...standing(component, place) });
  const isPressable = component.action && component.type !== "button";
  return isPressable ? makePressable(element, component.action, place.context, place.depth + 1) : element;
}

function drawBox(box, { depth, context }) {
  const layout = choice(box.layout, { horizontal: "horizontal", vertical: "vertical", baseline: "baseline" }) ?? "vertical";
  const spacing = space(box.spacing);
  const children = Array.isArray(box.contents) ? box.contents : [];
  let isFirst = true;
  const drawn = children.map((child) => {
    const between = isFirst || child?.type === "filler" || child?.position === "absolute" ? null : spacing;
    if (child?.position !== "absolute") isFirst = false;
    return drawComponent(child, { layout, depth: depth + 1, spacing: between, context });
  });
  const element = h("div", { class: `fx-box fx-${layout}` }, drawn);
  return paint(element, { ...padding(box), ...surface(box), ...arrangement(box, layout) });
}

function padding(box) {
  return {
    padding: space(box.paddingAll),
    paddingTop: space(box.paddingTop),
    paddingBottom: space(box.paddingBottom),
    paddingInlineStart: space(box.paddingStart),
    paddingInlineEnd: space(box.paddingEnd),
  };
}

function surface(box) {
  const width = border(box.borderWidth);
  return {
    backgroundColor: colour(box.backgroundColor),
    backgroundImage: gradient(box.background),
    border: width ? `${width} solid ${colour(box.borderColor) ?? "transparent"}` : null,
    borderRadius: space(box.cornerRadius),
  };
}

function arrangement(box, layout) {
  return {
    width: extent(box.width),
    maxWidth: extent(box.maxWidth),
    height: extent(box.height),
    maxHeight: extent(box.maxHeight),
    justifyContent: choice(box.justifyContent, JUSTIFIES),
    alignItems: layout === "baseline" ? null : choice(box.alignItems, JUSTIFIES),
  };
}

/** How a component shares the length of its box: `flex` is 1 by default across, 0 downwards, 0 for a box with a size. */
function sharing(component, { layout }) {
  if (component.type === "separator" || component.type === "icon") return { flex: "none" };
  const isAcross = layout !== "vertical";
  const isSized = extent(isAcross ? component.width : component.height) !== null;
  const standard = component.type === "filler" || (isAcross && !isSized) ? 1 : 0;
  const share = whole(component.flex, MOST_FLEX) ?? standard;
  if (share === 0) return { flex: "0 0 auto" };
  return { flex: isAcross ? `${share} 0 0px` : `${share} 0 auto` };
}

function standing(component, { layout, spacing }) {
  const isAbsolute = component.position === "absolute";
  const before = isAbsolute ? null : (space(component.margin) ?? spacing);
  const offset = (value) => space(value, { negative: true });
  return {
    [layout === "vertical" ? "marginTop" : "marginInlineStart"]: before,
    position: isAbsolute ? "absolute" : null,
    top: offset(component.offsetTop),
    bottom: layout === "baseline" ? null : offset(component.offsetBottom),
    insetInlineStart: offset(component.offsetStart),
    insetInlineEnd: offset(component.offsetEnd),
  };
}

function drawText(text, { layout }) {
  const spans = Array.isArray(text.contents) && text.contents.length > 0 ? text.contents.map(drawSpan) : words(text.text);
  const line = h("p", { lang: langOf(words(text.text)) }, spans);
  const element = h("div", { class: "fx-text" }, line);
  if (text.wrap === true) element.classList.add("fx-wrap");
  else if (text.adjustMode === "shrink-to-fit") shrinkToFit(element);
  const most = whole(text.maxLines, 1000);
  if (most && text.wrap === true) paint(line, { display: "-webkit-box", webkitBoxOrient: "vertical", webkitLineClamp: most });
  paint(line, { textAlign: choice(text.align, ALIGNS), ...lines(text.lineSpacing) });
  return paint(element, { ...lettering(text), justifyContent: layout === "baseline" ? null : choice(text.gravity, GRAVITIES) });
}

function drawSpan(span) {
  return span?.type === "span" ? paint(h("span", { lang: langOf(words(span.text)) }, words(span.text)), lettering(span)) : unknown(String(span?.type));
}

function lettering(text) {
  return {
    fontSize: font(text.size),
    color: colour(text.color),
    fontWeight: choice(text.weight, WEIGHTS),
    fontStyle: choice(text.style, STYLES),
    textDecoration: choice(text.decoration, DECORATIONS),
  };
}

/** Room between the lines, not before the first nor after the last (LINE reference: Text, lineSpacing). */
function lines(spacing) {
  const room = space(spacing);
  return room ? { lineHeight: `calc(1.4em + ${room})`, marginBlock: `calc(${room} / -2)` } : {};
}

function drawButton(button, { layout, depth, context }) {
  const style = choice(button.style, { primary: "primary", secondary: "secondary", link: "link" }) ?? "link";
  const height = button.height === "sm" ? "sm" : "md";
  const label = h("span", { lang: langOf(labelOf(button.action)) }, labelOf(button.action));
  const props = { type: "button", class: `fx-press fx-${style} fx-press-${height}`, onclick: () => perform(button.action, context) };
  const press = h("button", props, label);
  paint(press, { [style === "link" ? "color" : "backgroundColor"]: colour(button.color) });
  if (button.adjustMode === "shrink-to-fit") shrinkToFit(press);
  const element = h("div", { class: "fx-button" }, press);
  paint(element, { justifyContent: layout === "baseline" ? null : choice(button.gravity, GRAVITIES) });
  // Above the invisible buttons of the boxes around it.
  return paint(element, { zIndex: String(depth + 1) });
}

function drawImage(image) {
  const fills = image.size === "full";
  const frame = h("div", { class: "fx-frame" }, picture(image.url, { kind: image.animated === true ? "Animation" : "Image" }));
  if (image.aspectMode === "cover") frame.classList.add("fx-cover");
  paint(frame, {
    width: imageWidth(image.size) ?? imageWidth("md"),
    aspectRatio: String(ratio(image.aspectRatio)),
    backgroundColor: colour(image.backgroundColor),
  });
  const element = h("div", { class: `fx-image${fills ? " fx-full" : ""}` }, frame);
  return paint(element, { alignItems: choice(image.align, SIDES), justifyContent: choice(image.gravity, GRAVITIES) });
}

function drawIcon(icon) {
  const frame = h("span", { class: "fx-glyph" }, picture(icon.url, { kind: "Icon" }));
  paint(frame, { width: `${Math.min(ratio(icon.aspectRatio), 10)}em` });
  return paint(h("div", { class: "fx-icon" }, frame), { fontSize: font(icon.size) });
}

function drawSeparator(separator) {
  return paint(h("div", { class: "fx-separator", role: "separator" }), { backgroundColor: colour(separator.color) });
}

/** A video's preview; what it does when it was watched is on a button above it. */
function drawVideo(video) {
  const frame = h("div", { class: "fx-frame fx-cover" }, picture(video.previewUrl, { kind: "Video" }));
  paint(frame, { width: "100%", aspectRatio: String(ratio(video.aspectRatio, 16 / 9)) });
  const label = video.action ? h("span", { class: "fx-video-label" }, labelOf(video.action)) : null;
  return h("div", { class: "fx-image fx-full" }, frame, label);
}

const resized = new ResizeObserver((entries) => {
  // Not at once: a change of the size within the observer's own round is an error.
  for (const { target } of entries) requestAnimationFrame(() => shrink(target));
});

function shrinkToFit(element) {
  resized.observe(element);
}

function shrink(element) {
  const line = element.firstElementChild;
  line.style.fontSize = "";
  const share = line.clientWidth / line.scrollWidth;
  if (share < 1) line.style.fontSize = `${Math.max(share, 0.3) * 100}%`;
}

function words(value) {
  return typeof value === "string" ? value : "";
}
