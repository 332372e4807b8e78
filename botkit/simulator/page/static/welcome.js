/** What stands in the middle while no chat is open. */

import { newGroup } from "./dialogs.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openChat, openTroubles } from "./route.js";
import { store } from "./store.js";
import { copy } from "./toasts.js";

/** The first things to try; or how to make a bot where there is none. */
export function welcome() {
  if (!store.state) return h("div", { class: "hello" }, h("p", {}, "Connecting to botkit dev …"));
  const bots = store.state.bots;
  return h(
    "div",
    { class: "hello" },
    h("span", { class: "hello-mark" }, icon("smile")),
    bots.length ? things(bots) : noBots(),
  );
}

function things(bots) {
  const first = bots.find((bot) => bot.works) ?? bots[0];
  return [
    h("h1", {}, "Your bots, as on LINE"),
    h("p", {}, "They run here as they do when deployed, without an account and without a key."),
    h(
      "ol",
      {},
      thing(
        "Write to a bot",
        `Say something to ${first.name}, then click “What happened” beside its answer.`,
        "Open the chat",
        () => openChat({ bot: first.name, kind: "user", id: store.person.id }),
      ),
      thing(
        "Meet in a group",
        "Make a group of several people, speak as any of them, mention the bot with @.",
        "New group",
        () => newGroup(),
      ),
      thing(
        "Make trouble",
        "A slow model, a worker that dies, a webhook that comes twice: see what your bot makes of it.",
        "Troubles",
        openTroubles,
      ),
    ),
    h("p", { class: "hint" }, "Change a bot’s file while you talk to it: the next message uses it."),
  ];
}

function thing(title, text, label, onclick) {
  return h(
    "li",
    {},
    h("div", {}, h("h2", {}, title), h("p", {}, text)),
    h("button", { type: "button", class: "secondary", onclick }, label),
  );
}

function noBots() {
  const command = "botkit new concierge";
  return [
    h("h1", {}, "No bots yet"),
    h(
      "p",
      {},
      "A bot is one YAML file in the folder of bots. Make the first in a terminal; it appears here by itself.",
    ),
    h(
      "p",
      { class: "command" },
      h("code", {}, command),
      h("button", { type: "button", class: "secondary", onclick: () => copy(command) }, "Copy"),
    ),
  ];
}
