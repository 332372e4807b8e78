/** Texts: line breaks, links, mentions and LINE emojis (LINE reference: Text message, Text message (v2)). */

import { safeUri } from "./actions.js";
import { h } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"'`、。「」『』（）［］【】]+/giu;
// What ends a sentence is not the link's last character.
const AFTER_LINK = /[.,:;!?'"*]+$/;
const PLACEHOLDER = /\{\{|\}\}|\{([0-9a-zA-Z_]{1,20})\}/g;

/** A text message of either version. Positions in it are UTF-16 code units, as in JavaScript. */
export function drawText(message, context) {
  const text = typeof message.text === "string" ? message.text : "";
  const pieces = message.type === "textV2" ? substituted(text, message.substitution, context) : marked(text, message);
  return h("div", { class: "msg-text" }, pieces.flatMap((piece) => (typeof piece === "string" ? linked(piece, context) : piece)));
}

/** The text in pieces: strings, and elements for its mentions and LINE emojis. */
function marked(text, message) {
  const pieces = [];
  let end = 0;
  for (const { index, length, draw } of marks(message)) {
    // One that overlaps another, or lies outside the text, is none.
    if (index < end || index + length > text.length) continue;
    pieces.push(text.slice(end, index), draw(text.slice(index, index + length)));
    end = index + length;
  }
  return [...pieces, text.slice(end)];
}

function marks(message) {
  const mentions = list(message.mention?.mentionees).map((one) => ({ ...one, draw: mention }));
  // An emoji that is sent has no length: it stands for one "$".
  const emojis = list(message.emojis).map((one) => ({ ...one, length: one.length ?? 1, draw: (text) => emoji(one, text) }));
  const all = [...mentions, ...emojis].filter(({ index, length }) => Number.isInteger(index) && index >= 0 && Number.isInteger(length) && length > 0);
  return all.sort((one, other) => one.index - other.index);
}

/** The text with its `{key}`s replaced; a literal brace is doubled. */
function substituted(text, substitution, context) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    pieces.push(text.slice(end, match.index), replacement(match, substitution, context));
    end = match.index + match[0].length;
  }
  return joined([...pieces, text.slice(end)]);
}

function replacement([whole, key], substitution, context) {
  if (key === undefined) return whole[0];
  const found = substitution && Object.hasOwn(substitution, key) ? substitution[key] : null;
  if (found?.type === "emoji") return emoji(found, "");
  if (found?.type !== "mention") return whole;
  const { mentionee } = found;
  return mention(mentionee?.type === "all" ? "@All" : `@${context.nameOf(mentionee?.userId) ?? "?"}`);
}

/** Strings that stand side by side as one, so that a link with a brace in it stays whole. */
function joined(pieces) {
  return pieces.reduce((all, piece) => {
    const isSplit = typeof piece === "string" && typeof all.at(-1) === "string";
    return isSplit ? [...all.slice(0, -1), all.at(-1) + piece] : [...all, piece];
  }, []);
}

function mention(text) {
  return h("span", { class: "msg-mention" }, text);
}

/** A LINE emoji's picture is not ours to show: a face, named by what stands in the text where LINE says that. */
function emoji({ productId, emojiId }, text) {
  const name = /^\((.+)\)$/.exec(text)?.[1] ?? `${productId}/${emojiId}`;
  return h("span", { class: "msg-emoji", role: "img", "aria-label": `LINE emoji ${name}`, title: `LINE emoji ${name}` }, "☺");
}

function linked(text, context) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = trimmed(match[0]);
    const uri = safeUri(address);
    if (!uri) continue;
    pieces.push(text.slice(end, match.index), link(uri, address, context));
    end = match.index + address.length;
  }
  return [...pieces, text.slice(end)];
}

/** A link without what stands behind it; a bracket belongs to it if it was opened in it. */
function trimmed(address) {
  const bare = address.replace(AFTER_LINK, "");
  const isOpen = bare.split("(").length >= bare.split(")").length;
  return bare.endsWith(")") && !isOpen ? trimmed(bare.slice(0, -1)) : bare;
}

function link(uri, text, context) {
  const onclick = (event) => {
    event.preventDefault();
    context.open(uri);
  };
  return h("a", { class: "msg-link", href: uri, target: "_blank", rel: "noopener noreferrer", onclick }, text);
}

function list(value) {
  return Array.isArray(value) ? value.filter((one) => one !== null && typeof one === "object") : [];
}
