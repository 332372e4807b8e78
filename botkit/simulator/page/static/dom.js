/** Building elements: text is always a text node, so nothing that was said can become markup. */

/**
 * An element. `props`: `on…` functions are listeners, `dataset` and `style` are objects, `true` is an empty
 * attribute, `false`, `null` and `undefined` are left out, all else is an attribute. Children may be nested lists,
 * elements or texts.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  element.append(...nodes(children));
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on") && typeof value === "function")
    element.addEventListener(name.slice(2).toLowerCase(), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  else element.setAttribute(name, value === true ? "" : value);
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Put these in place of everything in `element`. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

const shown = new WeakMap();

/**
 * Draw the children of `element` anew, if `what` they show (JSON) is no longer what it was. Who had the focus there has
 * it again: by its label, or by its place.
 */
export function redraw(element, what, children) {
  const key = JSON.stringify(what);
  if (shown.get(element) === key) return;
  shown.set(element, key);
  const stops = () => [...element.querySelectorAll("button, input")];
  const [at, label] = [stops().indexOf(document.activeElement), document.activeElement?.getAttribute("aria-label")];
  fill(element, children());
  if (at < 0) return;
  (stops().find((one) => label && one.getAttribute("aria-label") === label) ?? stops()[at])?.focus();
}

/** The language of a text as far as its script tells, for the right glyphs: kana is Japanese, hangul Korean. */
export function langOf(text) {
  if (/[\u3040-\u30ff\uff66-\uff9d]/u.test(text)) return "ja";
  if (/[\uac00-\ud7af]/u.test(text)) return "ko";
  if (/[\u0e00-\u0e7f]/u.test(text)) return "th";
  return null;
}

/** Whether the page is as narrow as a phone's; the same measure as in app.css. */
export function isNarrow() {
  return matchMedia("(max-width: 759px)").matches;
}
