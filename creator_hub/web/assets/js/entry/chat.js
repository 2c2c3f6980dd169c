/** The group's live chat: one page, many channels. Here its parts are put together. */
import { io } from "socket.io-client";
import { Access } from "../chat/access.js";
import { Chains } from "../chat/chains.js";
import { Channels } from "../chat/channels.js";
import { Composer } from "../chat/composer.js";
import { Deeds } from "../chat/deeds.js";
import { aimForms, keepPage } from "../chat/dialogs.js";
import { drawer } from "../chat/drawer.js";
import { ChannelView } from "../chat/events.js";
import { History } from "../chat/history.js";
import { Line } from "../chat/line.js";
import { Log } from "../chat/log.js";
import { MessageMenu } from "../chat/menu.js";
import { names } from "../chat/naming.js";
import { ReadMark } from "../chat/read-mark.js";
import { Sidebar } from "../chat/sidebar.js";
import { Writers } from "../chat/writers.js";
import { api } from "../lib/api.js";
import { pageData, t, toast } from "../lib/dom.js";
import { Outbox } from "../lib/outbox.js";
import { refreshParts } from "../lib/parts.js";
import { StreamClient } from "../lib/stream.js";

const page = pageData("page-data");
const { me, group } = page;
const $ = (selector) => document.querySelector(selector);
const isStaff = me.role === "creator" || me.role === "moderator";

const channels = new Channels(page.channels, page.channel_id);
const sidebar = new Sidebar($("[data-channels]"), $("[data-live]"), choose);
const writers = new Writers($("[data-typing]"));
const line = new Line($("[data-banner]"), $("[data-presence]"), loadAgain);
const outbox = new Outbox(sessionStorage, me.id);
const socket = io({ transports: ["websocket"], autoConnect: false, reconnection: false });
const stream = new StreamClient(socket, (id, after) => api("GET", `/api/v1/channels/${id}/events?after_seq=${after}&limit=500`), outbox, {
  shown, hint,
  connection: (state) => line.is(state),
  granted: (grant) => access.granted(grant),
  revoked: (loss) => access.revoked(loss),
  denied: (id, error) => id === channels.current && toast(error.detail, true),
  reset: async (id, head) => (id === channels.current && (await open(id)), head),
  refused: (item) => item.channel_id === channels.current && log.addPending(item),
});
const log = new Log($("[data-scroller]"), $("[data-log]"), $("[data-pill]"), {
  me,
  onMenu: (message, opener) => menu.open(message, opener, deeds.rightsOver(message)),
  onReact: (message, emoji) => deeds.react(message, emoji),
  onRetry: (item) => deeds.retry(item),
  onDiscard: (item) => deeds.discard(item),
  onOlder: () => history.older(),
  onBottom: () => readMark.soon(),
  onEmpty: (empty) => { $("[data-empty]").hidden = !empty || history.loading; },
});
const chains = new Chains(group.handle);
const view = new ChannelView(log, { mayRun: isStaff, chainOf: (id) => chains.find(id) });
const history = new History(channels, log, view, chains);
const readMark = new ReadMark(channels, log, stream);
const deeds = new Deeds({ me, channels, log, stream, outbox });
const composer = new Composer($("[data-composer]"), $(".talk"), {
  onSend: (text, replyTo, pictures) => deeds.send(text, replyTo, pictures),
  onTyping: () => stream.typing(channels.current),
  onEdit: (id, text) => deeds.edit(id, text),
}, group);
const menu = new MessageMenu({
  onReact: (message, emoji) => deeds.react(message, emoji),
  onReply: (message) => composer.reply(message),
  onEdit: (message) => composer.edit(message),
  onDelete: (message) => deeds.remove(message),
  onReport: (message) => deeds.askAbout("report", "message_id", message.id, message),
  onMute: (message) => deeds.askAbout("mute", "user_id", message.author.id, message),
  onBan: (message) => deeds.askAbout("ban", "user_id", message.author.id, message),
});
const access = new Access({ group, channels, sidebar, choose, leave, follow: (id, after) => stream.follow(id, after) });
const closeDrawer = drawer($("[data-drawer]"), $("[data-drawer-open]"));

/** Open a channel: its history over HTTP; what arrives meanwhile waits its turn. */
async function open(id) {
  const channel = channels.find(id);
  channels.current = id;
  sidebar.show(channels.all, id);
  sidebar.clear(id);
  $("[data-channel-name]").textContent = channel.name;
  aimForms(id);
  line.show(null);
  writers.clear();
  const closed = channel.kind === "announcement" && !isStaff;
  composer.open(id, closed ? t("announcement_only") : "");
  $("[data-closed]").hidden = !closed;
  $("[data-log-wrap]").setAttribute("aria-busy", "true");
  if (!(await history.load(id))) return;
  $("[data-log-wrap]").removeAttribute("aria-busy");
  for (const item of outbox.of(id)) log.addPending(item);
  $("[data-empty]").hidden = log.rows.size > 0 || history.unloaded === id;
  log.check();
}

function choose(id) {
  closeDrawer();
  if (id === channels.current) return;
  window.history.pushState(null, "", `?channel=${id}`);
  open(id);
}

/** Nothing is open any more. @returns {HTMLElement} where that is said */
function leave() {
  log.clear();
  composer.form.hidden = true;
  $("[data-empty]").hidden = true;
  return $("[data-log]");
}

function shown(channelId, event) {
  const channel = channels.find(channelId);
  if (!channel) return;
  channel.head_seq = Math.max(channel.head_seq ?? 0, event.seq);
  if (event.kind === "message.created") writers.stop(event.data.author.id);
  if (channelId !== channels.current) {
    if (event.kind === "message.created" && event.data.author.id !== me.id) sidebar.bump(channelId, names(event.data, me.handle));
  } else if (history.take(event) && log.stuck) readMark.soon();
}

function hint(name, payload) {
  const here = payload.channel_id === channels.current;
  if (name === "typing") return here && payload.user.id !== me.id && writers.start(payload.user);
  if (name === "presence") return here && line.show(payload);
  return view.hint(name, payload);
}

function loadAgain() {
  if (history.unloaded && history.unloaded === channels.current) open(channels.current);
}

keepPage();
$("[data-log-wrap]").addEventListener("click", closeDrawer);
$("[data-reconnect]").addEventListener("click", () => stream.reconnectNow());
window.addEventListener("popstate", () => {
  // A jump to a quoted message moves the address too, not the channel.
  const id = channels.addressed();
  if (id !== channels.current && channels.find(id)) open(id);
});
window.addEventListener("online", () => {
  stream.reconnectNow();
  loadAgain();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  stream.reconnectNow();
  readMark.soon();
  // Who comes back from paying in another tab has another tier, which need not bring a channel.
  refreshParts();
});

for (const channel of channels.readable) if (channel.mentions) sidebar.named.set(channel.id, channel.mentions);
for (const channel of channels.readable) stream.follow(channel.id, channel.head_seq);
stream.connect();
if (page.channel_id) open(channels.addressed());
else access.showLoss({ id: null, name: "" }, "none");
