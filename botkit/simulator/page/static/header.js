/** The bar above a chat: who it is with, and what can be done with it. */

import { avatar } from "./avatars.js";
import { chatMenu } from "./chatmenu.js";
import { members } from "./dialogs.js";
import { h, langOf } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menus.js";
import { closePanel, navigate, openLast, openTroubles } from "./route.js";
import { store } from "./store.js";

/** The name of the open chat. */
export const titleOf = () => store.group?.name || store.route.place.bot;

/** What the bar holds now. */
export function headerParts() {
  const { group, bot } = store;
  const name = titleOf();
  const face = avatar(name, group ? { kind: "group", seed: group.id } : { seed: bot.user_id });
  const told = group ? memberNames(group) : bot.description;
  const { panel } = store.route;
  return [
    button("back", "Back to the chats", () => navigate({ place: null, panel: null, event: null }), {
      class: "round only-narrow",
    }),
    face,
    h(
      "div",
      { class: "who" },
      h(
        "h1",
        { lang: langOf(name) },
        name,
        group && h("small", {}, String(group.members.length + (group.bot ? 1 : 0))),
      ),
      told && h("p", { lang: langOf(told) }, told),
    ),
    group && button("people", "Members", () => members(group), { class: "round only-wide" }),
    button(
      "trace",
      "What happened last",
      () => (panel === "trace" ? closePanel() : openLast()),
      pressed(panel === "trace"),
    ),
    button(
      "bolt",
      "Troubles",
      () => (panel === "troubles" ? closePanel() : openTroubles()),
      { ...pressed(panel === "troubles"), class: isTrouble() ? "round marked" : "round" },
    ),
    button("more", "Chat menu", (event) => openMenu(chatMenu(), event.currentTarget, "Chat"), {
      "aria-haspopup": "menu",
    }),
  ];
}

/** Whether something goes wrong on purpose. */
export const isTrouble = () => store.state.troubles.some(({ mode }) => mode !== "off");

const pressed = (isPressed) => ({ "aria-pressed": String(isPressed) });

function memberNames(group) {
  const people = group.members.map((id) => store.nameOf(id) ?? "somebody");
  return [...(group.bot ? [group.bot] : []), ...people].join(", ");
}

function button(name, label, onclick, props = {}) {
  return h(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}
