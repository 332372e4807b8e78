/** Buttons that copy. */

import { h } from "./dom.js";

const SHOWN_FOR = 1600;

/** A button that copies what `text()` gives, and says so for a moment. */
export function copyButton(label, text) {
  const button = h("button", { type: "button", class: "panel-copy", "aria-live": "polite" }, label);
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text())) ? "Copied" : "The browser forbids it";
    setTimeout(() => (button.textContent = label), SHOWN_FOR);
  });
  return button;
}

/** A line of code that is selected by a click, with a button that copies it. */
export function copyLine(text, label) {
  const code = h("code", {}, text);
  return h("div", { class: "trace-copy-line" }, code, withName(copyButton("Copy", () => text), label));
}

function withName(button, name) {
  button.title = name;
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the browser was told not to let the page write there
  }
}
