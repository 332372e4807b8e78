/** What buttons do: LINE's action objects (LINE reference: Action objects), quick replies and the date picker. */

import { h } from "./dom.js";
import { slider } from "./slider.js";

const OPENED = ["http:", "https:", "tel:", "mailto:", "line:"];
const INPUTS = { date: "date", time: "time", datetime: "datetime-local" };
const MOMENTS = {
  date: /^\d{4}-\d{2}-\d{2}$/,
  time: /^\d{2}:\d{2}$/,
  datetime: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/,
};
const PICKED = ["camera", "cameraRoll", "location"];

/** The address as it may be opened, or null: what a bot sends is never to run as a script or read a file. */
export function safeUri(uri) {
  try {
    const url = new URL(String(uri));
    return OPENED.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** What a button with this action says. */
export function labelOf(action) {
  const texts = [action?.label, action?.displayText, action?.text, action?.uri, action?.linkUri, action?.type];
  return texts.find((text) => typeof text === "string" && text.trim()) ?? "";
}

/** Do an action, as a tap on it would. Returns a promise: what is sent is sent in its order. */
export async function perform(action, context) {
  const type = action?.type;
  if (type === "message") await context.say(words(action.text));
  else if (type === "postback") await postBack(action, context);
  else if (type === "uri") open(action.uri ?? action.linkUri, context);
  else if (type === "datetimepicker") pickMoment(action, context);
  else if (type === "clipboard") await copy(words(action.clipboardText), context);
  else if (PICKED.includes(type)) context.pick(type);
  else if (type === "richmenuswitch") context.tell("Rich menus are not played here.");
  else context.tell(`This button has an action that LINE does not know: ${words(type) || "none"}`);
}

/** A button with the action's label. */
export function actionButton(action, context, className) {
  return h("button", { type: "button", class: className, onclick: () => perform(action, context) }, labelOf(action));
}

/**
 * An invisible button over the whole of `element`, which need not be one itself: so a box with an action may hold others.
 * `level` puts the button of what lies deeper above.
 */
export function makePressable(element, action, context, level = 1) {
  const name = words(action?.label) || element.textContent.trim().slice(0, 100) || labelOf(action);
  const press = (event) => {
    event.stopPropagation();
    perform(action, context);
  };
  const button = h("button", { type: "button", class: "press-over", "aria-label": name, onclick: press });
  button.style.zIndex = String(level);
  element.append(button);
  return element;
}

/** The chips of a quick reply's `items`, in a row that scrolls; an item's icon is a placeholder. */
export function drawQuickReplies(items, context) {
  const chips = (Array.isArray(items) ? items : []).slice(0, 13).map((item) => drawChip(item, context));
  return slider("Quick replies", chips, { className: "quick-replies", scrollsByKeys: false });
}

function drawChip(item, context) {
  const icon = item?.imageUrl ? h("span", { class: "chip-icon", "aria-hidden": "true" }) : null;
  const props = { type: "button", class: "chip", onclick: () => perform(item?.action, context) };
  return h("button", props, icon, labelOf(item?.action));
}

async function postBack(action, context) {
  // What `text` holds is sent as a message besides; `displayText` is shown only (LINE reference: Postback action).
  if (!action.displayText && action.text) await context.say(words(action.text));
  await context.postback(words(action.data), null, words(action.displayText) || null);
  if (action.inputOption === "openKeyboard" && action.fillInText) context.fill?.(words(action.fillInText));
}

function open(uri, context) {
  const address = safeUri(uri);
  if (address) context.open(address);
  else context.tell(`LINE does not open this address: ${words(uri).slice(0, 100)}`);
}

async function copy(text, context) {
  try {
    await navigator.clipboard.writeText(text);
    context.tell("Copied");
  } catch {
    context.tell("The browser does not allow copying here.");
  }
}

function pickMoment(action, context) {
  const mode = Object.hasOwn(INPUTS, action.mode) ? action.mode : "date";
  const input = h("input", {
    type: INPUTS[mode],
    class: "moment-input",
    "aria-label": labelOf(action),
    min: moment(action.min, mode),
    max: moment(action.max, mode),
    required: true,
  });
  input.value = moment(action.initial, mode) ?? "";
  const dialog = h("dialog", { class: "moment", "aria-label": labelOf(action) });
  const send = () => {
    if (!input.reportValidity()) return;
    dialog.close();
    // Browsers add seconds where there are any; LINE knows minutes.
    context.postback(words(action.data), { [mode]: input.value.slice(0, mode === "time" ? 5 : 16) }, null);
  };
  const buttons = h("div", { class: "moment-buttons" }, [
    h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
    h("button", { type: "button", class: "moment-send", onclick: send }, "OK"),
  ]);
  dialog.append(h("p", { class: "moment-label" }, labelOf(action)), input, buttons);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    // Else the same key presses the button that has the focus back.
    event.preventDefault();
    send();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}

/** A date or time as inputs take it, or null; LINE also writes a small t between the two. */
function moment(value, mode) {
  const text = words(value).replace("t", "T");
  return MOMENTS[mode].test(text) ? text : null;
}

function words(value) {
  return typeof value === "string" ? value : "";
}
