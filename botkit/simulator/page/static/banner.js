/** What to know above a chat: a rehearsal, a wrong file, no connection. */

import { fill, h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { copy } from "./toasts.js";

const DISMISSED = "rehearsal-dismissed";
const OWN_SERVER = "OPENAI_BASE_URL=http://localhost:11434/v1";

/** The banners of the open chat. */
export class Banners {
  constructor() {
    this.element = h("div", { class: "banners" });
  }

  draw() {
    const { bot } = store;
    redraw(this.element, [bot, sessionStorage.getItem(DISMISSED)], () => [
      wrongFile(bot),
      !bot.problems.length && rehearsal(bot, () => this.#dismiss()),
    ]);
  }

  #dismiss() {
    sessionStorage.setItem(DISMISSED, "yes");
    this.draw();
  }
}

function wrongFile(bot) {
  if (!bot.problems.length && bot.works && !bot.stale) return null;
  const answers = bot.works
    ? "Until this is mended, the last good version answers."
    : "Nothing answers until this is mended.";
  return h(
    "section",
    { class: "banner danger", role: "alert", "aria-label": "The bot's file is wrong" },
    icon("warning"),
    h("div", {}, h("ul", {}, bot.problems.map(problemLine)), h("p", {}, answers)),
  );
}

/** A mistake with its place. */
export function problemLine({ file, line, column, text }) {
  const where = line ? [file, line, column].join(":") : file;
  return h("li", {}, h("code", {}, where), " ", text);
}

function rehearsal(bot, dismiss) {
  if (!bot.rehearses || sessionStorage.getItem(DISMISSED)) return null;
  const setting = `${bot.key || "OPENAI_API_KEY"}=`;
  const copyButton = h("button", { type: "button", class: "link", onclick: () => copy(setting) }, `Copy ${setting}`);
  const close = h(
    "button",
    { type: "button", class: "round small", "aria-label": "Dismiss", onclick: dismiss },
    icon("close"),
  );
  return h(
    "section",
    { class: "banner warning", "aria-label": "Rehearsal" },
    h(
      "p",
      {},
      h("b", {}, "Rehearsal: no model is asked."),
      " Put ",
      h("code", {}, `${setting}…`),
      " into ",
      h("code", {}, ".env"),
      h("span", { class: "only-wide" }, " (or ", h("code", {}, OWN_SERVER), " for Ollama, vLLM, llama.cpp)"),
      "; the next message uses it. ",
      copyButton,
    ),
    close,
  );
}

/** The bar over everything while the server cannot be reached. */
export function drawConnection(element) {
  const isLost = !store.connected;
  element.hidden = !isLost;
  fill(element, isLost && [h("b", {}, "botkit dev is not running"), " … reconnecting"]);
}
