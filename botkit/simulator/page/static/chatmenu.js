/** What can be done with the open chat as a whole. */

import { invite, members } from "./dialogs.js";
import { store } from "./store.js";
import { attempt } from "./toasts.js";

/** The items of the menu in the header. */
export function chatMenu() {
  const { group } = store;
  const act = (verb, body) => () => attempt(store.do(verb, body));
  const wipe = { label: "Start this chat anew", icon: "wipe", danger: true, run: act("reset") };
  if (!group) return [...friendship(), wipe];
  const bot = group.bot
    ? { label: `Remove ${group.bot} from the group`, icon: "leave", run: act("leave") }
    : { label: "Invite a bot", icon: "plus", run: () => invite(group) };
  return [{ label: "Members", icon: "people", run: () => members(group) }, bot, wipe];
}

/** Following and blocking, as far as each makes sense now. */
export function friendship() {
  const chat = store.chatOf(store.route.place);
  const act = (verb) => () => attempt(store.do(verb));
  if (chat?.blocked) return [{ label: "Unblock", icon: "heart", run: act("follow") }];
  const block = { label: "Block", icon: "block", danger: true, run: act("block") };
  return chat?.friend ? [block] : [{ label: "Add friend", icon: "heart", run: act("follow") }];
}
