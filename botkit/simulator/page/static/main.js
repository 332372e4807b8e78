/** The page: its parts, and the stream that keeps them current. */

import { openStream } from "./api.js";
import { drawConnection } from "./banner.js";
import { ChatView } from "./chat.js";
import { Panel } from "./panel.js";
import { startRoute } from "./route.js";
import { Sidebar } from "./sidebar.js";
import { store } from "./store.js";

const part = (id) => document.getElementById(id);

function showScreen() {
  const { place, panel } = store.route;
  document.body.dataset.screen = panel ? "panel" : place ? "chat" : "list";
}

function start() {
  store.on("chat", showScreen);
  store.on("route", showScreen);
  new Sidebar(part("sidebar")).draw();
  new ChatView(part("main"));
  new Panel(part("panel"));
  store.emit("chat");
  store.emit("state");
  startRoute();
}

function take(notice) {
  const isFirst = !store.state;
  store.take(notice);
  if (isFirst && store.state) start();
}

store.on("connection", () => drawConnection(part("connection")));
drawConnection(part("connection"));
openStream(take, (isOpen) => store.setConnected(isOpen));
