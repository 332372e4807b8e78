/** What the page knows: the server's state, the chat that is open, who one is. Views listen for what they draw. */

import { act, get } from "./api.js";

/** @typedef {{bot: string, kind: "user"|"group", id: string}} Place  a chat, by its bot */
/** @typedef {{place: Place|null, panel: "trace"|"troubles"|null, event: string|null}} Route */

/** A text that names a chat, for comparing. */
export const keyOf = (place) => (place ? `${place.bot}/${place.kind}/${place.id}` : "");

export class Store extends EventTarget {
  state = null;
  connected = true;
  /** @type {Route} */ route = { place: null, panel: null, event: null };
  messages = [];
  loadingUntil = null;
  loaded = false;
  unread = new Map();
  #webhooks = new Map();
  /** What the stream tells of the open chat while that is fetched, to be done again afterwards; null at other times. */
  #meanwhile = null;
  #personId = localStorage.getItem("person");
  #skew = 0;

  /** Listen for "state", "chat" (another chat, or all of it anew), "messages", "route", "connection", "trace". */
  on(kind, listener) {
    this.addEventListener(kind, (event) => listener(event.detail));
  }

  emit(kind, detail = null) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  // ------------------------------------------------------------------ who and where

  /** The time on the server's clock, in ms: the playground can jump. */
  now() {
    return Date.now() + this.#skew;
  }

  /** Whose LINE this is: the person one speaks as, everywhere. */
  get person() {
    return this.personOf(this.#personId) ?? this.state.people[0];
  }

  personOf(id) {
    return this.state?.people.find((person) => person.id === id) ?? null;
  }

  botOf(name) {
    return this.state?.bots.find((bot) => bot.name === name) ?? null;
  }

  /** The bot of the open chat. */
  get bot() {
    return this.botOf(this.route.place?.bot);
  }

  groupOf(id) {
    return this.state?.groups.find((group) => group.id === id) ?? null;
  }

  /** The open group, null in a 1:1 chat. */
  get group() {
    return this.route.place?.kind === "group" ? this.groupOf(this.route.place.id) : null;
  }

  /** What the state tells of a chat: last, count, friend, blocked; null of one in which nothing was said. */
  chatOf(place) {
    return this.state.chats.find((chat) => keyOf(chat) === keyOf(place)) ?? null;
  }

  nameOf(userId) {
    const bot = this.state.bots.find((one) => one.user_id === userId);
    return bot?.name ?? this.personOf(userId)?.name ?? null;
  }

  /** Those of a group who are people one can speak as. */
  membersOf(group) {
    return group.members.map((id) => this.personOf(id)).filter(Boolean);
  }

  /** Whether the person may write in the open chat. */
  get takesPart() {
    return !this.group || this.group.members.includes(this.person.id);
  }

  become(personId) {
    this.#personId = personId;
    localStorage.setItem("person", personId);
    this.emit("state");
    this.emit("messages");
  }

  // ------------------------------------------------------------------ the open chat

  /** Show another place or panel. Loads the chat where it is another one. */
  async go(route) {
    const another = keyOf(route.place) !== keyOf(this.route.place);
    this.route = route;
    if (route.place?.kind === "user" && this.personOf(route.place.id)) this.become(route.place.id);
    if (another) {
      Object.assign(this, { messages: [], loadingUntil: null, loaded: false });
      this.emit("chat");
    }
    this.emit("route");
    if (another) await this.reload();
  }

  /** Fetch the open chat anew. */
  async reload() {
    const place = this.route.place;
    if (!place) return;
    this.unread.delete(keyOf(place));
    const meanwhile = (this.#meanwhile = []);
    const chat = await get(`/sim/chat?${new URLSearchParams(place)}`).catch(() => null);
    if (meanwhile !== this.#meanwhile) return;
    this.#meanwhile = null;
    if (!chat || keyOf(place) !== keyOf(this.route.place)) return;
    this.messages = chat.messages;
    this.loadingUntil = chat.loading_until;
    this.loaded = true;
    for (const again of meanwhile) again();
    this.emit("messages");
    this.emit("state");
  }

  /** The messages and the webhooks that did not get through, in the order in which they happened. */
  get lines() {
    const failures = this.#webhooks.get(keyOf(this.route.place)) ?? [];
    return failures.length ? [...this.messages, ...failures].sort((one, other) => one.at - other.at) : this.messages;
  }

  /** Do something in the open chat, as the person. Throws Error with a sentence. */
  do(verb, body = {}) {
    const { bot, kind, id } = this.route.place;
    return act(verb, { bot, chat: { kind, id }, as: this.person.id, ...body });
  }

  // ------------------------------------------------------------------ what the server tells

  take(notice) {
    const takers = { state: this.#takeState, message: this.#takeMessage, loading: this.#takeLoading };
    takers[notice.kind]?.call(this, notice);
    if (notice.kind === "webhook") this.#takeWebhook(notice);
    if (notice.kind === "trace") this.emit("trace", notice);
  }

  setConnected(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.emit("connection");
    if (connected) this.reload();
  }

  #takeState({ state }) {
    this.#skew = state.now - Date.now();
    this.state = state;
    const { place } = this.route;
    if (place && this.messages.length && !this.chatOf(place)?.lines) this.#begunAnew(place);
    this.emit("state");
  }

  /** Change the open chat: what is just being fetched may not hold it yet. */
  #now(change) {
    change();
    this.#meanwhile?.push(change);
  }

  /** The open chat was emptied. */
  #begunAnew(place) {
    this.#webhooks.delete(keyOf(place));
    this.#now(() => (this.messages = []));
    this.emit("messages");
  }

  #takeMessage({ bot, chat, message }) {
    const place = { bot, ...chat };
    const isOpen = keyOf(place) === keyOf(this.route.place);
    if (isOpen) this.#now(() => this.#put(message));
    this.#noteLast(place, message, isOpen);
    if (isOpen) this.emit("messages");
    this.emit("state");
  }

  #put(message) {
    const index = this.messages.findIndex((one) => one.id === message.id);
    this.messages = index < 0 ? [...this.messages, message] : this.messages.with(index, message);
    if (message.who.kind === "bot") this.loadingUntil = null;
  }

  #noteLast(place, message, isOpen) {
    const known = this.chatOf(place);
    if (known?.last && known.last.at > message.at) return;
    const isNew = known?.last?.id !== message.id;
    if (known) Object.assign(known, { last: message, count: known.count + (isNew ? 1 : 0) });
    else this.state.chats.push({ ...place, last: message, count: 1, lines: 1, blocked: false, friend: true });
    if (isNew && !isOpen && message.who.kind === "bot") {
      this.unread.set(keyOf(place), (this.unread.get(keyOf(place)) ?? 0) + 1);
    }
  }

  #takeLoading({ bot, chat, until }) {
    if (keyOf({ bot, ...chat }) !== keyOf(this.route.place)) return;
    this.#now(() => (this.loadingUntil = until));
    this.emit("messages");
  }

  #takeWebhook({ bot, chat, event, text }) {
    if (!text || !chat) return;
    const key = keyOf({ bot, ...chat });
    const failures = this.#webhooks.get(key) ?? [];
    const at = Math.max(this.now(), this.messages.at(-1)?.at ?? 0);
    this.#webhooks.set(key, [
      ...failures,
      { id: `webhook-${event}-${failures.length}`, at, text, event, failure: true },
    ]);
    if (key === keyOf(this.route.place)) this.emit("messages");
  }
}

export const store = new Store();
