/** Menus and other small windows that close at a click elsewhere and at Esc. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const EDGE = 8;

/**
 * A menu at an element, or at a point `{x, y}`.
 * @param {{label: string, run: () => void, icon?: string, lead?: Node, checked?: boolean, danger?: boolean,
 *          lang?: string}[]} items
 */
export function openMenu(items, anchor, label) {
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: moveByKeys });
  menu.append(...items.map((item) => menuItem(item, menu)));
  popUp(menu, anchor);
}

function menuItem(item, menu) {
  const hasCheck = "checked" in item;
  const run = () => {
    menu.hidePopover();
    item.run();
  };
  return h(
    "button",
    {
      type: "button",
      role: hasCheck ? "menuitemradio" : "menuitem",
      "aria-checked": hasCheck ? String(item.checked) : null,
      class: item.danger ? "danger" : null,
      tabindex: "-1",
      lang: item.lang,
      onclick: run,
    },
    item.lead ?? icon(item.icon ?? "check"),
    h("span", {}, item.label),
    hasCheck && item.checked && icon("check"),
  );
}

/** Arrow keys, Home and End within a list of things that can have the focus. */
export function moveByKeys(event) {
  const items = [...event.currentTarget.children];
  const at = items.indexOf(document.activeElement);
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: items.length - 1,
  };
  if (!(event.key in to)) return;
  event.preventDefault();
  items[(to[event.key] + items.length) % items.length]?.focus();
}

/** Show an element above the page at `anchor`, the focus on its first child. Closed, it gives that back and is gone. */
export function popUp(element, anchor) {
  element.popover = "auto";
  document.body.append(element);
  element.showPopover();
  element.addEventListener("toggle", (event) => event.newState === "closed" && element.remove());
  place(element, anchor);
  element.firstElementChild?.focus();
}

/** Below the anchor where there is room, else above it; never over the edge. */
function place(element, anchor) {
  const at = anchor instanceof Element ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  const { width, height } = element.getBoundingClientRect();
  const below = at.bottom + height + EDGE <= innerHeight;
  const top = below ? at.bottom + 4 : Math.max(EDGE, at.top - height - 4);
  const left = Math.min(at.left, innerWidth - width - EDGE);
  element.style.top = `${top}px`;
  element.style.left = `${Math.max(EDGE, left)}px`;
}
