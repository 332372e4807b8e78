/** What can be done with one message. */

import { openMenu } from "./menus.js";
import { openTrace } from "./route.js";
import { store } from "./store.js";
import { attempt, copy, tell } from "./toasts.js";

/** Open the menu of a message; replying and editing go on in the composer. */
export function messageMenu(line, anchor, composer) {
  openMenu(itemsOf(line, composer), anchor, "Message");
}

function itemsOf(line, composer) {
  const isText = ["text", "textV2"].includes(line.message.type);
  const isMine = line.who.kind === "person" && line.who.id === store.person.id;
  const items = [
    store.takesPart && { label: "Reply", icon: "reply", run: () => composer.quote(line) },
    line.text && { label: "Copy", icon: "copy", run: () => copy(line.text) },
    isMine && isText && store.group && { label: "Edit", icon: "edit", run: () => composer.edit(line) },
    line.event && { label: "What happened", icon: "trace", run: () => openTrace(line.event) },
    line.who.kind === "person" && { label: "Send the webhook again", icon: "again", run: () => redeliver(line) },
    isMine && {
      label: "Unsend",
      icon: "undo",
      danger: true,
      run: () => attempt(store.do("unsend", { message: line.id })),
    },
  ];
  return items.filter(Boolean);
}

async function redeliver(line) {
  if (await attempt(store.do("redeliver", { message: line.id })))
    tell("The same webhook was sent again. A bot must not answer it twice.");
}
