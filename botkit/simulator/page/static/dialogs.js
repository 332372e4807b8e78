/** The page's dialogs: people, groups and their members, and what a message can hold besides text. */

import { act } from "./api.js";
import { avatar } from "./avatars.js";
import { fill, h, langOf } from "./dom.js";
import { icon } from "./icons.js";
import { openChat } from "./route.js";
import { store } from "./store.js";
import { attempt } from "./toasts.js";

const LANGUAGES = [
  ["", "not known"],
  ["ja", "Japanese"],
  ["en", "English"],
  ["zh-TW", "Chinese (Taiwan)"],
  ["th", "Thai"],
  ["ko", "Korean"],
  ["id", "Indonesian"],
];

/**
 * A modal dialog with a form. `submit` gets the form's values: the dialog closes where it returns, and shows what it
 * throws.
 * @param {{title: string, parts: Node[], label?: string, submit?: (values: FormData) => Promise<unknown>}} options
 */
export function openDialog({ title, parts, label = "Done", submit = async () => {} }) {
  const fault = h("p", { class: "fault", role: "alert" });
  const id = `dialog-${crypto.randomUUID()}`;
  const close = h(
    "button",
    { type: "button", class: "round", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const form = h(
    "form",
    { autocomplete: "off" },
    h("header", {}, h("h2", { id }, title), close),
    h("div", { class: "parts" }, parts),
    fault,
    h("footer", {}, h("button", { type: "submit", class: "primary" }, label)),
  );
  const dialog = h("dialog", { "aria-labelledby": id, onclose: () => dialog.remove() }, form);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submit(new FormData(form));
      dialog.close();
    } catch (error) {
      fault.textContent = error.message;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector("input, select, textarea")?.focus();
  return dialog;
}

/** A labelled field. `control` is an input, select or textarea. */
export function field(label, control, hint = null) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint && h("small", {}, hint));
}

const input = (name, props = {}) => h("input", { name, type: "text", ...props });

function select(name, options, chosen) {
  return h(
    "select",
    { name },
    options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );
}

const botOptions = () => store.state.bots.map((bot) => [bot.name, bot.name]);

// -------------------------------------------------------------------- people and groups

/** Make up a person. `then` gets the new id; by default one becomes that person. */
export function newPerson(then = (id) => becomeOrOpen(id)) {
  openDialog({
    title: "New person",
    label: "Add",
    parts: [
      field("Name", input("name", { required: true, maxlength: "20", placeholder: "Hana" })),
      field("Language", select("language", LANGUAGES), "What LINE tells the bot of this person: {{ user.language }}"),
    ],
    submit: async (values) => {
      const { id } = await act("person", { name: values.get("name").trim(), language: values.get("language") || null });
      then(id);
    },
  });
}

/** Be this person; in a 1:1 chat that is another chat with the same bot. */
export function becomeOrOpen(id) {
  const { place } = store.route;
  if (place?.kind === "user") openChat({ ...place, id });
  else store.become(id);
}

/** Make a group of people with a bot, and open it. */
export function newGroup() {
  const people = h("fieldset", { class: "people" });
  const draw = (chosen) =>
    fill(
      people,
      h("legend", {}, "Members"),
      store.state.people.map((person) => personChoice(person, chosen)),
      another(),
    );
  const chosenNow = () => [...people.querySelectorAll("input:checked")].map((box) => box.value);
  const another = () =>
    h("button", { type: "button", class: "link", onclick: () => newPerson(addPerson) }, "New person …");
  const addPerson = (id) => whenKnown(id, () => draw([...chosenNow(), id]));
  draw([store.person.id]);
  openDialog({
    title: "New group",
    label: "Create",
    parts: [
      field("Name of the group", input("name", { required: true, maxlength: "50", placeholder: "Trip to Kyoto" })),
      field("Bot", select("bot", botOptions(), store.route.place?.bot)),
      people,
    ],
    submit: async (values) => {
      const members = values.getAll("member");
      if (!members.length) throw new Error("Choose at least one member.");
      const bot = values.get("bot");
      const { kind, id } = await act("group", { name: values.get("name").trim(), bot, members });
      if (!members.includes(store.person.id)) store.become(members[0]);
      openChat({ bot, kind, id });
    },
  });
}

function personChoice(person, chosen) {
  const box = h("input", { type: "checkbox", name: "member", value: person.id, checked: chosen.includes(person.id) });
  return h(
    "label",
    { class: "choice", lang: langOf(person.name) },
    box,
    avatar(person.name, { kind: "person", seed: person.id }),
    h("span", {}, person.name),
  );
}

/** The state comes by the stream: a new person may be known only in a moment. */
function whenKnown(id, then) {
  if (store.personOf(id)) then();
  else store.addEventListener("state", () => whenKnown(id, then), { once: true });
}

/** Who is in the group: they come and go, and the bot too. */
export function members(group) {
  const list = h("div", { class: "members" });
  const draw = () => {
    const now = store.groupOf(group.id);
    if (now) fill(list, memberRows(now));
  };
  draw();
  const dialog = openDialog({ title: `Members of ${group.name || "the group"}`, parts: [list] });
  const listener = () => (dialog.isConnected ? draw() : store.removeEventListener("state", listener));
  store.addEventListener("state", listener);
}

function memberRows(group) {
  const change = (verb, person) => () => attempt(store.do(verb, { people: [person.id] }));
  const isIn = (person) => group.members.includes(person.id);
  const row = (person, label, onclick) =>
    h(
      "div",
      { class: "member", role: "group", "aria-label": person.name },
      avatar(person.name, { kind: person.id ? "person" : "bot", seed: person.id ?? person.user_id }),
      h("span", { lang: langOf(person.name) }, person.name),
      h("button", { type: "button", class: "secondary", onclick }, label),
    );
  const bot = group.bot
    ? row(store.botOf(group.bot), "Remove", () => attempt(store.do("leave")))
    : h("button", { type: "button", class: "secondary", onclick: () => invite(group) }, "Invite a bot");
  const others = store.state.people.filter((person) => !isIn(person));
  return [
    h("h3", {}, "In the group"),
    bot,
    store.state.people.filter(isIn).map((person) => row(person, "Remove", change("go", person))),
    others.length > 0 && h("h3", {}, "Others"),
    others.map((person) => row(person, "Add", change("come", person))),
    h(
      "button",
      { type: "button", class: "link", onclick: () => newPerson((id) => attempt(store.do("come", { people: [id] }))) },
      "New person …",
    ),
  ];
}

/** Ask a bot into a group that has none. */
export function invite(group) {
  openDialog({
    title: "Invite a bot",
    label: "Invite",
    parts: [field("Bot", select("bot", botOptions(), store.route.place.bot))],
    submit: async (values) => {
      const bot = values.get("bot");
      const place = { bot, kind: "group", id: group.id };
      await act("join", { bot, chat: { kind: "group", id: group.id }, as: store.person.id });
      openChat(place);
    },
  });
}

// -------------------------------------------------------------------- what a message can hold

/** A place on the map. */
export function askPlace() {
  openDialog({
    title: "Location",
    label: "Send",
    parts: [
      field("Title", input("title", { required: true, maxlength: "100", value: "京都駅" })),
      field(
        "Address",
        input("address", { required: true, maxlength: "100", value: "〒600-8216 京都市下京区東塩小路町" }),
      ),
    ],
    submit: (values) => store.do("location", { title: values.get("title"), address: values.get("address") }),
  });
}

/** The tap of a button that the page does not show: a rich menu's, an old message's. */
export function askPostback() {
  openDialog({
    title: "Button tap",
    label: "Tap",
    parts: [
      field(
        "Data",
        input("data", { required: true, maxlength: "300", placeholder: "menu=breakfast" }),
        "What the postback event carries",
      ),
      field("Shown text", input("text", { maxlength: "300" }), "displayText: said as your message; may be empty"),
    ],
    submit: (values) =>
      store.do("postback", { data: values.get("data"), params: null, text: values.get("text") || null }),
  });
}
