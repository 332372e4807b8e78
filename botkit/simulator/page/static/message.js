/** What stands in a message's bubble, by the type of LINE's message object (LINE reference: Message objects). */

import { drawQuickReplies } from "./actions.js";
import { h } from "./dom.js";
import { drawFlex } from "./flex.js";
import { drawImagemap } from "./imagemap.js";
import { drawAudio, drawFile, drawImage, drawVideo } from "./media.js";
import { unknown } from "./placeholder.js";
import { drawLocation, drawSticker } from "./sticker.js";
import { drawTemplate } from "./template.js";
import { drawText } from "./text.js";

export { drawQuickReplies };

const DRAWN = new Map([
  ["text", drawText],
  ["textV2", drawText],
  ["sticker", drawSticker],
  ["image", drawImage],
  ["video", drawVideo],
  ["audio", drawAudio],
  ["file", drawFile],
  ["location", drawLocation],
  ["template", drawTemplate],
  ["imagemap", drawImagemap],
  ["flex", drawFlex],
  ["coupon", drawCoupon],
]);

/**
 * The content of a message, as the page's server gives it: `{message, media, …}`. `context` does what is tapped: say(text),
 * postback(data, params, text), open(url), tell(text), pick(kind), nameOf(userId), and `mine`.
 * Whatever a bot sends, something is drawn.
 */
export function drawMessage({ message, media }, context) {
  const draw = DRAWN.get(message?.type);
  if (!draw) return unknown(`A message of the type ${String(message?.type).slice(0, 40)}`);
  return draw(message, context, media ?? null);
}

function drawCoupon(message) {
  const id = h("span", { class: "msg-note" }, String(message.couponId ?? "").slice(0, 100));
  return h("div", { class: "msg-card msg-coupon" }, h("b", {}, "Coupon"), id);
}
