/** Photos, voice messages, videos and files on their way into the open chat. */

import { store } from "./store.js";
import { attempt, tell } from "./toasts.js";

const [LARGEST, LONG_TO_SEND] = [10_000_000, 1_000_000];
const ACCEPTED = { image: "image/*", audio: "audio/*", video: "video/*", file: "" };

/** Let one choose files of a kind and send them; `camera`: a phone opens its camera. */
export function pick(kind, { camera = false } = {}) {
  const input = document.createElement("input");
  Object.assign(input, { type: "file", accept: ACCEPTED[kind], multiple: kind === "image" });
  if (camera) input.capture = "environment";
  input.addEventListener("change", () => sendFiles(input.files, kind));
  input.click();
}

/** Send files one after the other. Without a kind, each is what its type says. */
export async function sendFiles(files, kind = null) {
  for (const file of files) await attempt(sendFile(file, kind ?? kindOf(file)));
}

/** Send one file to the open chat; `lasts`: ms, of what was just recorded. Throws Error with a sentence. */
export async function sendFile(file, kind, lasts = null) {
  if (file.size > LARGEST) throw new Error(`${file.name} is larger than 10 MB, the most that is taken here.`);
  if (file.size > LONG_TO_SEND) tell(`Sending ${file.name} …`);
  const timed = kind === "audio" || kind === "video";
  const duration = timed ? (lasts ?? (await durationOf(file, kind))) : null;
  const type = file.type.split(";")[0] || "application/octet-stream";
  await store.do("media", { kind, type, name: file.name, duration, data: await base64(file) });
}

function kindOf(file) {
  const kind = file.type.split("/")[0];
  return kind in ACCEPTED ? kind : "file";
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

/** Milliseconds; null where this browser cannot tell how long it lasts. */
function durationOf(file, kind) {
  return new Promise((resolve) => {
    const media = document.createElement(kind);
    const url = URL.createObjectURL(file);
    const done = () => {
      URL.revokeObjectURL(url);
      resolve(Number.isFinite(media.duration) ? Math.round(media.duration * 1000) : null);
    };
    media.preload = "metadata";
    media.onloadedmetadata = media.onerror = done;
    media.src = url;
  });
}
