/** "What happened": the trace of one event. */

import { fill, h } from "./dom.js";
import { aside } from "./pieces.js";
import { isLive } from "./story.js";
import { drawHeadline, drawIds, drawTrace } from "./telling.js";

// In ms. That LINE's answer was written down is told to nobody, so what is under way is looked at again.
const LOOK_EVERY = 1500;
const NOTHING = "Nothing is shown yet. Write to a bot: beside each answer, one click tells here how it came about.";

/**
 * The panel in `element`, which scrolls. `get(path)` fetches JSON or throws Error(sentence); `open(event)` is asked to
 * show another event of the same bot, by default in this panel; `zone` is the IANA time zone in which times are
 * written, by default the machine's own.
 */
export class TracePanel {
  #element;
  #get;
  #zone;
  #body;
  #open;
  #shown = null;
  #trace = null;
  #fetching = false;
  #again = false;
  #timer = 0;

  constructor(element, { get, open, zone }) {
    this.#element = element;
    this.#get = get;
    this.#open = open ?? ((event) => this.show(this.#shown.bot, event));
    this.#zone = zone;
    this.#body = h("div", { class: "panel-body" });
    element.classList.add("trace-panel");
    fill(element, this.#body);
    this.hide();
  }

  /** Show what happened to an event of a bot. */
  show(bot, event) {
    this.#shown = { bot, event };
    this.#trace = null;
    fill(this.#body, h("p", { class: "panel-aside", role: "status" }, "Looking…"));
    this.#element.scrollTop = 0;
    return this.#fetch();
  }

  /** Something more has happened to an event: fetched anew where it is part of what is shown. */
  changed(bot, event) {
    if (this.#shown?.bot === bot && this.#concerns(event)) this.#fetch();
  }

  /** Show nothing, and forget what was shown. */
  hide() {
    clearTimeout(this.#timer);
    this.#shown = null;
    this.#trace = null;
    fill(this.#body, aside(NOTHING));
  }

  #concerns(event) {
    const { event: own } = this.#shown;
    const turns = this.#trace?.turns.flatMap((turn) => turn.events) ?? [];
    return event === own || event === this.#trace?.lead || turns.includes(event);
  }

  async #fetch() {
    this.#again = true;
    if (this.#fetching) return;
    this.#fetching = true;
    while (this.#again) {
      this.#again = false;
      await this.#fetchOnce();
    }
    this.#fetching = false;
  }

  async #fetchOnce() {
    const asked = this.#shown;
    if (!asked) return;
    const query = new URLSearchParams({ bot: asked.bot, event: asked.event });
    try {
      const trace = await this.#get(`/sim/trace?${query}`);
      if (asked === this.#shown) this.#draw(trace);
    } catch (error) {
      if (asked === this.#shown) this.#drawUnknown(error.message);
    }
  }

  #drawUnknown(sentence) {
    const told = drawHeadline({ tone: "quiet", text: "There is nothing to tell", more: sentence });
    const again = h("button", { type: "button", class: "trace-again", onclick: () => this.#fetch() }, "Look again");
    fill(this.#body, told, again, drawIds(this.#shown, null));
  }

  #draw(trace) {
    clearTimeout(this.#timer);
    if (isLive(trace) || trace.state === "UNDELIVERED") this.#timer = setTimeout(() => this.#fetch(), LOOK_EVERY);
    if (JSON.stringify(trace) === JSON.stringify(this.#trace)) return;
    const keep = new Kept(this.#element);
    this.#trace = trace;
    fill(this.#body, drawTrace(trace, this.#zone, this.#open));
    keep.restore();
  }
}

/** What the person has opened and where the focus is, over a new drawing. */
class Kept {
  constructor(panel) {
    this.panel = panel;
    this.opened = new Map([...panel.querySelectorAll("details[data-key]")].map((one) => [one.dataset.key, one.open]));
    const focused = panel.contains(document.activeElement) ? document.activeElement : null;
    this.focused = focused?.closest("details[data-key]")?.dataset.key ?? null;
  }

  restore() {
    for (const one of this.panel.querySelectorAll("details[data-key]")) {
      if (this.opened.has(one.dataset.key)) one.open = this.opened.get(one.dataset.key);
      if (one.dataset.key === this.focused) one.querySelector("summary").focus({ preventScroll: true });
    }
  }
}
