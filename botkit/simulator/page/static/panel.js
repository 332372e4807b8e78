/** The panel at the right: what happened to a message, or the troubles one can make. */

import { act, get } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { moveByKeys } from "./menus.js";
import { closePanel, openLast, openTrace, openTroubles } from "./route.js";
import { store } from "./store.js";
import { tell } from "./toasts.js";
import { TracePanel } from "./trace.js";
import { TroublesPanel } from "./troubles.js";

export class Panel {
  #shown = "";

  constructor(element) {
    this.element = element;
    this.trace = h("section", { class: "pane", role: "tabpanel", "aria-label": "What happened" });
    this.troubles = h("section", { class: "pane", role: "tabpanel", "aria-label": "Troubles" });
    this.tabs = [tab("What happened", openLast), tab("Troubles", openTroubles)];
    const tabs = h("div", { role: "tablist", "aria-label": "Panel", class: "tabs", onkeydown: moveByKeys }, this.tabs);
    const close = h(
      "button",
      { type: "button", class: "round", "aria-label": "Close the panel", onclick: closePanel },
      icon("close"),
    );
    fill(element, h("header", { class: "bar" }, tabs, close), this.trace, this.troubles);
    element.addEventListener("keydown", (event) => event.key === "Escape" && closePanel());
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.tracePanel = new TracePanel(this.trace, { get, open: openTrace, zone });
    this.troublesPanel = new TroublesPanel(this.troubles, { act, tell });
    store.on("route", () => this.draw());
    store.on("state", () => this.troublesPanel.update(store.state));
    store.on("trace", ({ bot, event }) => this.tracePanel.changed(bot, event));
  }

  draw() {
    const { panel, place, event } = store.route;
    this.element.hidden = !panel;
    this.trace.hidden = panel !== "trace";
    this.troubles.hidden = panel !== "troubles";
    this.tabs.forEach((one, index) =>
      one.setAttribute("aria-selected", String(panel === ["trace", "troubles"][index])),
    );
    const shown = panel === "trace" && event && place ? `${place.bot}/${event}` : "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (shown) this.tracePanel.show(place.bot, event);
    else this.tracePanel.hide();
  }
}

function tab(label, onclick) {
  return h("button", { type: "button", role: "tab", onclick }, label);
}
