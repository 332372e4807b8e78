/** Short notices at the foot of the page. */

import { h } from "./dom.js";

const [SHOWN_MS, LONGEST] = [6000, 3];

/** Say something for six seconds; `kind` "error" is red. */
export function tell(text, kind = "info") {
  const toasts = document.getElementById("toasts");
  const toast = h("div", { class: `toast ${kind}` }, text);
  toasts.append(toast);
  raise(toasts);
  while (toasts.childElementCount > LONGEST) toasts.firstElementChild.remove();
  setTimeout(() => toast.remove(), SHOWN_MS);
}

/** Above everything, also above a dialog that was opened since. */
function raise(element) {
  if (element.matches(":popover-open")) element.hidePopover();
  element.showPopover();
}

/** Await what may fail; a failure is told, and gives null. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    tell(error.message, "error");
    return null;
  }
}

/** Put a text on the clipboard. */
export async function copy(text) {
  if ((await attempt(navigator.clipboard.writeText(text).then(() => true))) !== null) tell("Copied");
}
