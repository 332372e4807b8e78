/** Images, videos, audio and files: those of this page are shown, those that are elsewhere have a placeholder. */

import { safeUri } from "./actions.js";
import { h } from "./dom.js";
import { picture } from "./placeholder.js";

const OURS = /^(\/sim\/media\/|blob:)/;
const UNITS = ["B", "KB", "MB", "GB"];

export function drawImage(message, context, media) {
  const url = urlOf(media);
  if (!url) return elsewhere(message, "Image", context);
  const image = h("img", { class: "msg-image", src: url, alt: media.name || "Image", loading: "lazy" });
  return h("button", { type: "button", class: "msg-image-press", onclick: () => enlarge(url, media.name) }, image);
}

export function drawVideo(message, context, media) {
  const url = urlOf(media);
  if (!url) return elsewhere(message, "Video", context);
  return h("video", { class: "msg-video", src: url, controls: true, preload: "metadata", "aria-label": media.name || "Video" });
}

/** A voice message: a button, how far it is, and its length (ms, of the message or of the file). */
export function drawAudio(message, context, media) {
  const url = urlOf(media);
  const length = Number(message.duration ?? media?.duration) || 0;
  const time = h("span", { class: "msg-audio-time" }, clock(length));
  const bar = h("progress", { class: "msg-audio-bar", max: "1", value: "0", "aria-label": "Played" });
  const button = h("button", { type: "button", class: "msg-audio-play", "aria-label": "Play" });
  const card = h("div", { class: "msg-card msg-audio", role: "group", "aria-label": `Audio, ${clock(length)}` }, button, bar, time);
  button.addEventListener("click", url ? playing(url, length, card) : () => openElsewhere(message, context));
  return card;
}

export function drawFile(message, context, media) {
  const name = String(message.fileName ?? media?.name ?? "File");
  const size = Number.isFinite(message.fileSize) ? bytes(message.fileSize) : "";
  const text = h("span", { class: "msg-file-text" }, h("b", {}, name), h("span", { class: "msg-note" }, size));
  const mark = h("span", { class: "msg-file-mark", "aria-hidden": "true" });
  const url = urlOf(media);
  if (!url) return h("div", { class: "msg-card msg-file" }, mark, text);
  return h("a", { class: "msg-card msg-file", href: url, download: name }, mark, text);
}

function urlOf(media) {
  return typeof media?.url === "string" && OURS.test(media.url) ? media.url : null;
}

function elsewhere(message, kind, context) {
  const drawn = picture(message.previewImageUrl ?? message.originalContentUrl, { kind });
  const label = drawn.getAttribute("aria-label");
  return h("button", { type: "button", class: "msg-elsewhere", "aria-label": label, onclick: () => openElsewhere(message, context) }, drawn);
}

function openElsewhere(message, context) {
  const address = safeUri(message.originalContentUrl);
  if (address) context.open(address);
  else context.tell("There is nothing to open.");
}

function enlarge(url, name) {
  const dialog = h("dialog", { class: "msg-enlarged", "aria-label": name || "Image", onclick: () => dialog.close() });
  dialog.append(h("button", { type: "button", class: "msg-enlarged-close", "aria-label": "Close" }, "×"), h("img", { src: url, alt: name || "Image" }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** What a tap on the play button does. The file is asked for at the first. */
function playing(url, length, card) {
  const [button, bar, time] = card.children;
  let sound = null;
  const show = () => {
    const whole = Number.isFinite(sound.duration) ? sound.duration * 1000 : length;
    bar.value = whole ? (sound.currentTime * 1000) / whole : 0;
    time.textContent = clock(sound.currentTime ? sound.currentTime * 1000 : whole);
    card.toggleAttribute("data-playing", !sound.paused);
    button.setAttribute("aria-label", sound.paused ? "Play" : "Pause");
  };
  return async () => {
    sound ??= started(url, show);
    if (!sound.paused) return sound.pause();
    try {
      await sound.play();
    } catch {
      time.textContent = "cannot be played";
    }
  };
}

function started(url, show) {
  const sound = new Audio(url);
  for (const event of ["play", "pause", "timeupdate", "ended"]) sound.addEventListener(event, show);
  return sound;
}

/** 1:05 */
function clock(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function bytes(size) {
  const power = Math.min(Math.floor(Math.log2(Math.max(size, 1)) / 10), UNITS.length - 1);
  const value = size / 1024 ** power;
  return `${value < 10 && power ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
