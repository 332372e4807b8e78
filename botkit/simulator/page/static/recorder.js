/** The dialog in which a voice message is spoken, or chosen as a file. */

import { pick, sendFile } from "./attach.js";
import { openDialog } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** LINE's voice messages are m4a; not every browser can record that. */
const TYPES = ["audio/mp4", "audio/webm", "audio/ogg"];

/** Ask for a voice message and send it. */
export function askVoice() {
  const recording = new Recording();
  const dialog = openDialog({
    title: "Voice message",
    label: "Send",
    parts: [
      recording.element,
      h("button", { type: "button", class: "link", onclick: () => chooseFile(dialog) }, "Choose an audio file …"),
    ],
    submit: () => recording.send(),
  });
  dialog.addEventListener("close", () => recording.stop());
}

function chooseFile(dialog) {
  dialog.close();
  pick("audio");
}

class Recording {
  #recorder = null;
  #file = null;
  #began = 0;
  #lasts = 0;

  constructor() {
    this.player = h("audio", { controls: true, hidden: true });
    this.button = h("button", { type: "button", class: "secondary", onclick: () => this.#toggle() });
    this.element = h("div", { class: "recording" }, this.button, this.player);
    this.#draw();
  }

  async send() {
    await this.stop();
    if (!this.#file) throw new Error("Record something first, or choose a file.");
    await sendFile(this.#file, "audio", this.#lasts);
  }

  /** Stop recording; what was recorded is there once this is done. */
  async stop() {
    if (this.#recorder?.state !== "recording") return;
    const stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
    this.#recorder.stop();
    await stopped;
  }

  #draw() {
    const isOn = this.#recorder?.state === "recording";
    const label = isOn ? "Stop" : this.#file ? "Record again" : "Record";
    fill(this.button, icon(isOn ? "stop" : "mic"), label);
  }

  async #toggle() {
    if (this.#recorder?.state === "recording") return this.stop();
    const stream = await navigator.mediaDevices?.getUserMedia({ audio: true }).catch(() => null);
    if (!stream) return fill(this.button, "No microphone may be used here");
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, { mimeType });
    this.#recorder.ondataavailable = (event) => this.#keep(event.data, mimeType);
    this.#recorder.onstop = () => stream.getTracks().forEach((track) => track.stop());
    this.#recorder.start();
    this.#began = performance.now();
    return this.#draw();
  }

  #keep(data, mimeType) {
    this.#lasts = Math.round(performance.now() - this.#began);
    this.#file = new File([data], `voice.${mimeType.split("/")[1]}`, { type: mimeType });
    this.player.src = URL.createObjectURL(this.#file);
    this.player.hidden = false;
    this.#draw();
  }
}
