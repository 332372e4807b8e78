/** "Troubles": what goes wrong on purpose, the clock, and the queue. */

import { fill, h } from "./dom.js";
import { count, duration } from "./format.js";
import { aside, heading } from "./pieces.js";

const MODES = { off: "Off", once: "Next message", on: "Always" };
const MINUTE = 60_000;
const JUMPS = { "1 minute": MINUTE, "10 minutes": 10 * MINUTE, "1 hour": 60 * MINUTE, "1 day": 1440 * MINUTE };

const ABOUT_TROUBLES = "What goes wrong out there, at will: see what becomes of an answer, and what the person reads.";
const ABOUT_TIME =
  "Reply tokens live a minute: let one pass while the model thinks. After an hour or a day, limits begin anew. " +
  "Time only goes forward.";
const ABOUT_SWEEP = "Every minute the sweep looks for what nobody has finished, as after a killed worker.";

/**
 * The panel in `element`. `act(verb, body)` does something or throws Error(sentence), `tell(text)` shows a sentence.
 * It shows what `update` was last given.
 */
export class TroublesPanel {
  #act;
  #tell;
  #troubles = new Map();
  #list = h("div", { class: "trouble-list" });
  #active = h("p", { class: "trouble-active", role: "status" });
  #clear;
  #clock = h("p", { class: "trouble-clock", role: "status" });
  #queue = h("p", { class: "trouble-queue", role: "status" });

  constructor(element, { act, tell }) {
    this.#act = act;
    this.#tell = tell;
    this.#clear = button("Clear all", () => this.#clearAll());
    element.classList.add("troubles-panel");
    fill(element, this.#body());
  }

  /** Show this state of the world. */
  update(state) {
    this.#drawTroubles(state.troubles);
    fill(this.#clock, clockOf(state.offset));
    fill(this.#queue, ...queueOf(state.cloud));
  }

  #body() {
    const jumps = Object.entries(JUMPS).map(([label, ms]) => button(label, () => this.#do("jump", { ms })));
    const sweep = button("Run the sweep now", () => this.#do("sweep", {}));
    return h("div", { class: "panel-body" },
      h("section", { "aria-label": "Troubles" },
        aside(ABOUT_TROUBLES), h("div", { class: "trouble-active-line" }, this.#active, this.#clear), this.#list),
      h("section", {},
        heading("Let time pass"), aside(ABOUT_TIME), h("div", { class: "trouble-jumps" }, jumps), this.#clock),
      h("section", {},
        heading("The queue"), aside(ABOUT_SWEEP), h("div", { class: "trouble-sweep-line" }, this.#queue, sweep)));
  }

  #drawTroubles(troubles) {
    const names = troubles.map(({ name }) => name);
    if (names.join() !== [...this.#troubles.keys()].join()) {
      const cards = troubles.map((trouble) => new TroubleCard(trouble, (set) => this.#set(set)));
      this.#troubles = new Map(cards.map((card) => [card.name, card]));
      fill(this.#list, cards.map(({ element }) => element));
    }
    for (const trouble of troubles) this.#troubles.get(trouble.name).update(trouble);
    const on = troubles.filter(({ mode }) => mode !== "off").length;
    fill(this.#active, on ? `${count(on, "trouble")} ${on === 1 ? "is" : "are"} on` : "All is well");
    this.#active.classList.toggle("on", on > 0);
    this.#clear.disabled = on === 0;
  }

  async #set(set) {
    if (!(await this.#do("trouble", set))) this.#troubles.get(set.name).undo();
  }

  async #clearAll() {
    for (const { name, mode, value } of this.#troubles.values()) {
      if (mode !== "off" && !(await this.#do("trouble", { name, mode: "off", value }))) return;
    }
  }

  async #do(verb, body) {
    try {
      await this.#act(verb, body);
      return true;
    } catch (error) {
      this.#tell(error.message);
      return false;
    }
  }
}

/** One trouble: when it happens, and how much of it where it has a measure. `set` is called with what was chosen. */
class TroubleCard {
  #now;
  #set;
  #choices;
  #amount;

  constructor(trouble, set) {
    this.#now = trouble;
    this.#set = set;
    const id = `trouble-${trouble.name}`;
    this.#choices = Object.keys(MODES).map((mode) =>
      h("input", { type: "radio", name: id, value: mode, onchange: () => this.#choose() }));
    this.#amount = trouble.value === null || trouble.value === undefined ? null : this.#drawAmount(trouble);
    this.element = h("fieldset", { class: "trouble", "aria-describedby": `${id}-about` },
      h("legend", {}, trouble.label),
      h("p", { class: "panel-aside", id: `${id}-about` }, drawAbout(trouble.about)),
      h("div", { class: "trouble-controls" },
        h("div", { class: "trouble-choices" }, this.#choices.map(drawChoice)),
        this.#amount && h("label", { class: "trouble-amount" }, this.#amount, h("span", {}, trouble.unit ?? ""))));
  }

  get name() {
    return this.#now.name;
  }

  get mode() {
    return this.#now.mode;
  }

  get value() {
    return this.#now.value ?? null;
  }

  /** Show what the server says of it; what is being typed is left alone. */
  update(trouble) {
    this.#now = trouble;
    this.#show();
    if (this.#amount && this.#amount !== document.activeElement) this.#amount.value = trouble.value;
  }

  /** Show again what the server said last. */
  undo() {
    this.#show();
    if (this.#amount) this.#amount.value = this.value;
  }

  #show() {
    for (const input of this.#choices) input.checked = input.value === this.mode;
    this.element.classList.toggle("on", this.mode !== "off");
  }

  #drawAmount(trouble) {
    const label = `${trouble.label}: how many ${trouble.unit === "s" ? "seconds" : (trouble.unit ?? "of them")}`;
    const measure = { type: "number", min: "0", step: "1", inputmode: "numeric", "aria-label": label };
    return h("input", { ...measure, onchange: () => this.#choose() });
  }

  #choose() {
    const mode = this.#choices.find((input) => input.checked)?.value ?? "off";
    const typed = this.#amount ? this.#amount.valueAsNumber : null;
    this.#set({ name: this.name, mode, value: Number.isNaN(typed) ? this.value : typed });
  }
}

/** What stands between backticks is code. */
function drawAbout(text) {
  return text.split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

function drawChoice(input) {
  return h("label", {}, input, h("span", {}, MODES[input.value]));
}

function button(label, onclick) {
  return h("button", { type: "button", onclick }, label);
}

function clockOf(offset) {
  return offset ? `The clock is ${duration(offset)} ahead of the machine's.` : "The clock is the machine's own.";
}

function queueOf({ waiting, running, dead }) {
  if (!waiting && !running && !dead) return ["The queue is empty: everything is answered."];
  return [
    [
      waiting ? `${count(waiting, "conversation")} ${waiting === 1 ? "waits" : "wait"}` : null,
      running ? `${count(running, "worker")} at work` : null,
    ].filter(Boolean).join(", "),
    dead ? h("span", { class: "trouble-dead" }, `${count(dead, "wake-up")} given up after five tries`) : null,
  ].filter(Boolean);
}
