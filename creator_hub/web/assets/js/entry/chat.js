/** The group's live chat: one page, many channels. */
import { io } from "socket.io-client";
import { Composer } from "../chat/composer.js";
import { drawer } from "../chat/drawer.js";
import { ChannelView } from "../chat/events.js";
import { Log } from "../chat/log.js";
import { MessageMenu } from "../chat/menu.js";
import { Sidebar } from "../chat/sidebar.js";
import { Writers } from "../chat/writers.js";
import { api } from "../lib/api.js";
import { explain, h, pageData, t, toast } from "../lib/dom.js";
import { Outbox } from "../lib/outbox.js";
import { StreamClient } from "../lib/stream.js";
import { now } from "../lib/time.js";

const PAGE = 50;
const READ_AFTER_MS = 600;

const page = pageData("page-data");
const { me, group } = page;
const $ = (selector) => document.querySelector(selector);
const isStaff = me.role === "creator" || me.role === "moderator";

let channels = page.channels;
let current = null;
let loading = null;
// The channel whose history could not be loaded: tried again when the connection is back.
let unloaded = null;
let finished = [];
const mine = new Set();

const sidebar = new Sidebar($("[data-channels]"), $("[data-live]"), choose);
const writers = new Writers($("[data-typing]"));
const outbox = new Outbox(sessionStorage, me.id);
const socket = io({ transports: ["websocket"], autoConnect: false, reconnection: false });
const stream = new StreamClient(socket, (id, after) => api("GET", `/api/v1/channels/${id}/events?after_seq=${after}&limit=500`), outbox, {
  shown, connection, hint, granted, revoked, denied,
  reset: async (id, head) => (id === current && (await open(id)), head),
  refused: (item) => item.channel_id === current && log.addPending(item),
});
const log = new Log($("[data-scroller]"), $("[data-log]"), $("[data-pill]"), {
  me, mine,
  onMenu: (message, opener) => menu.open(message, opener, rightsOver(message)),
  onReact: react, onRetry: retry,
  onDiscard: (item) => { outbox.settle(item.client_msg_id); log.removePending(item.client_msg_id); },
  onOlder: older, onBottom: readSoon,
  onEmpty: (empty) => { $("[data-empty]").hidden = !empty || Boolean(loading); },
});
const view = new ChannelView(log, { mayRun: isStaff, chainTitle });
const composer = new Composer($("[data-composer]"), $(".talk"), {
  onSend: send, onTyping: () => stream.typing(current),
  onEdit: (id, text) => command("message.edit", { id, text }),
});
const menu = new MessageMenu({
  onReact: react, onReply: (message) => composer.reply(message), onEdit: (message) => composer.edit(message),
  onDelete: (message) => confirm(t("delete_sure")) && command("message.delete", { id: message.id }),
  onReport: (message) => askAbout("report", "message_id", message.id, message),
  onMute: (message) => askAbout("mute", "user_id", message.author.id, message), onBan: (message) => askAbout("ban", "user_id", message.author.id, message),
});

const channelOf = (id) => channels.find((channel) => channel.id === id);

/** Open a channel: the newest page over HTTP; what arrives meanwhile waits its turn. */
async function open(id) {
  current = id;
  loading = [];
  unloaded = null;
  finished = [];
  const channel = channelOf(id);
  log.clear();
  view.clear();
  sidebar.show(channels, id);
  sidebar.clear(id);
  $("[data-channel-name]").textContent = channel.name;
  for (const input of document.querySelectorAll("input[data-current-channel]")) input.value = id;
  for (const form of document.querySelectorAll("form[data-poll-form]")) form.dataset.api = `POST /api/v1/channels/${id}/polls`;
  $("[data-log-wrap]").setAttribute("aria-busy", "true");
  showPresence(null);
  writers.clear();
  composer.open(id, channel.kind === "announcement" && !isStaff ? t("announcement_only") : "");
  $("[data-closed]").hidden = !(channel.kind === "announcement" && !isStaff);
  try {
    const { items, next } = await api("GET", `/api/v1/channels/${id}/messages?limit=${PAGE}`);
    if (current !== id) return;
    log.show(items, { more: next !== null, readSeq: channel.read_seq ?? 0 });
    const order = (log.newest || 0) + 0.5;
    await Promise.all([openPolls(id, order).catch(quietWhenGone), openRounds(id, order).catch(quietWhenGone)]);
  } catch (error) {
    if (error.status === undefined) throw error;
    if (current === id) toast(explain(error), true);
    if (current === id && !log.rows.size) unloaded = id;
  }
  if (current !== id) return;
  const waiting = loading;
  loading = null;
  $("[data-log-wrap]").removeAttribute("aria-busy");
  for (const event of waiting) view.apply(event);
  for (const item of outbox.of(id)) log.addPending(item);
  $("[data-empty]").hidden = log.rows.size > 0 || unloaded === id;
  log.check();
}

/** A channel lost meanwhile answers 404; the loss itself is told by access.revoked. */
function quietWhenGone(error) {
  if (error.status !== 404) throw error;
}

/** Polls and rounds that are under way stand at the end, where they are seen. */
async function openPolls(id, order) {
  const { items } = await api("GET", `/api/v1/channels/${id}/polls`);
  if (current !== id) return;
  for (const poll of items.filter((each) => each.state === "open")) view.openPoll(poll, order, now());
  finished = items.filter((each) => each.state === "closed");
  placeFinished();
}

/** Closed polls stand where they were made, as soon as the messages around them are shown. */
function placeFinished() {
  finished = finished.filter((poll) => {
    const made = new Date(poll.created_at);
    const order = log.placeOf(made);
    if (order !== null) view.openPoll(poll, order, made);
    return order === null;
  });
}

let chains = null;

async function openRounds(id, order) {
  chains = (await api("GET", `/api/v1/groups/${group.handle}/chains`)).items;
  const open = chains.filter((chain) => chain.channel_id === id && chain.open_round_id);
  const rounds = await Promise.all(open.map((chain) => api("GET", `/api/v1/rounds/${chain.open_round_id}`)));
  if (current !== id) return;
  for (const round of rounds) view.openRound(round, order, now());
}

async function chainTitle(chainId) {
  const known = chains?.find((chain) => chain.id === chainId);
  return (known ?? (await api("GET", `/api/v1/chains/${chainId}`))).title;
}

/** The channel the address names, when one may read it; else the first. */
function addressed() {
  const wanted = channelOf(new URLSearchParams(location.search).get("channel"));
  return wanted && !wanted.locked ? wanted.id : page.channel_id;
}

function choose(id) {
  closeDrawer();
  if (id === current) return;
  history.pushState(null, "", `?channel=${id}`);
  open(id);
}

async function older() {
  if (loading || older.busy) return;
  older.busy = true;
  const id = current;
  try {
    const { items, next } = await api("GET", `/api/v1/channels/${id}/messages?limit=${PAGE}&before_seq=${log.oldest}`);
    if (current === id) {
      log.showOlder(items, next !== null);
      placeFinished();
    }
  } catch (error) {
    if (error.status === undefined) throw error;
    // Tried again when the reader next scrolls.
    older.busy = false;
    return;
  }
  older.busy = false;
  log.check();
}

function shown(channelId, event) {
  const channel = channelOf(channelId);
  if (!channel) return;
  channel.head_seq = Math.max(channel.head_seq ?? 0, event.seq);
  if (event.kind === "message.created") writers.stop(event.data.author.id);
  if (channelId !== current) {
    if (event.kind === "message.created" && event.data.author.id !== me.id) sidebar.bump(channelId);
  } else if (loading) loading.push(event);
  else {
    view.apply(event);
    if (log.stuck) readSoon();
  }
}

function send(text, replyTo, pictures) {
  const item = { client_msg_id: crypto.randomUUID(), channel_id: current, text };
  if (replyTo) item.reply_to = replyTo;
  if (pictures.length) item.attachments = pictures.map((each) => each.id);
  log.addPending(item);
  log.toBottom();
  stream.send(item);
}

function retry(item) {
  const again = outbox.retry(item.client_msg_id);
  log.addPending(again);
  stream.flush(again.channel_id);
}

async function command(name, payload) {
  const ack = await stream.request(name, payload);
  if (!ack.ok) toast(ack.error.code === "timeout" ? t("offline") : ack.error.detail, true);
  return ack.ok;
}

async function react(message, emoji) {
  const key = `${message.id} ${emoji}`;
  const unset = mine.has(key);
  mine[unset ? "delete" : "add"](key);
  const done = await command(unset ? "reaction.unset" : "reaction.set", { message_id: message.id, emoji });
  if (!done) mine[unset ? "add" : "delete"](key);
}

function rightsOver(message) {
  const own = message.author.id === me.id;
  const authorIsStaff = message.author.role === "creator" || message.author.role === "moderator";
  return { react: true, edit: own, remove: own || isStaff, report: !own, ban: isStaff && !own && !authorIsStaff };
}

/** Open the dialog of a ban, a mute or a report about a message, for the person or message that it concerns. */
function askAbout(id, field, value, message) {
  const dialog = document.getElementById(id);
  dialog.querySelector("[data-whom]").textContent = message.author.display_name;
  dialog.querySelector(`input[name=${field}]`).value = value;
  dialog.showModal();
}

let readTimer = null;

/** Move the read mark once the newest message has been in sight for a moment. */
function readSoon() {
  clearTimeout(readTimer);
  readTimer = setTimeout(() => {
    const channel = channelOf(current);
    const seq = log.newest;
    if (!channel || document.hidden || !log.stuck || seq <= (channel.read_seq ?? 0) || !socket.connected) return;
    channel.read_seq = seq;
    stream.request("channel.read", { channel_id: current, seq });
  }, READ_AFTER_MS);
}

function hint(name, payload) {
  if (name === "typing") return payload.channel_id === current && payload.user.id !== me.id && writers.start(payload.user);
  if (name === "presence") return payload.channel_id === current && showPresence(payload);
  return view.hint(name, payload);
}

function showPresence(presence) {
  const place = $("[data-presence]");
  place.textContent = presence ? t("online", { count: presence.online }) : "";
  place.title = presence ? presence.sample.map((user) => user.display_name).join(", ") : "";
}

function loadAgain() {
  if (unloaded && unloaded === current) open(current);
}

function connection(state) {
  const banner = $("[data-banner]");
  clearTimeout(connection.timer);
  // A blink is not worth a word: the banner waits a second.
  if (state === "online") {
    banner.hidden = true;
    loadAgain();
  }
  else connection.timer = setTimeout(() => { banner.hidden = false; }, 1_000);
}

async function granted({ channel_id: id, group: owner }) {
  if (owner.id !== group.id) return;
  const { items } = await api("GET", `/api/v1/groups/${group.handle}/channels`);
  const fresh = items.find((channel) => channel.id === id);
  if (!fresh) return;
  channels = [...channels.filter((channel) => channel.id !== id), { head_seq: 0, read_seq: 0, ...fresh, locked: false }];
  sidebar.show(channels, current);
  sidebar.say(t("gained", { name: fresh.name }));
  toast(t("gained", { name: fresh.name }));
  stream.follow(id, 0);
}

function revoked({ channel_id: id, reason }) {
  const lost = channelOf(id);
  if (!lost) return;
  channels = reason === "tier" || reason === "expired" || reason === "refunded" ? channels.map((each) => (each.id === id ? { ...each, locked: true } : each)) : channels.filter((each) => each.id !== id);
  sidebar.show(channels, current);
  sidebar.say(t("lost", { name: lost.name }));
  if (id === current) showLoss(lost, reason);
}

function denied(id, error) {
  if (id === current) toast(error.detail, true);
}

function showLoss(channel, reason) {
  current = null;
  log.clear();
  composer.form.hidden = true;
  $("[data-empty]").hidden = true;
  const next = channels.find((each) => !each.locked && each.id !== channel.id);
  $("[data-log]").append(h("li", { class: "log__loss" },
    h("h2", {}, t("lost", { name: channel.name })), h("p", {}, t(`reason_${reason}`)),
    next ? h("button", { class: "button button--quiet", type: "button", onclick: () => choose(next.id) }, t("go_to", { name: next.name })) : h("a", { class: "button button--quiet", href: "/" }, t("to_groups"))));
}

const closeDrawer = drawer($("[data-drawer]"), $("[data-drawer-open]"));
$("[data-log-wrap]").addEventListener("click", closeDrawer);

document.addEventListener("hub:done", (event) => {
  if (event.target.matches("[data-first-round]")) {
    event.preventDefault();
    event.target.closest("dialog").close();
    event.target.reset();
    api("POST", `/api/v1/chains/${event.detail.id}/rounds`, {}).catch((error) => toast(explain(error), true));
  } else if (event.target.closest("#ban, #mute, #report, #new-poll")) {
    event.preventDefault();
    event.target.closest("dialog").close();
    event.target.reset();
    if (event.target.matches("#report form")) toast(t("reported"));
  }
});
window.addEventListener("popstate", () => {
  // A jump to a quoted message moves the address too, not the channel.
  const id = addressed();
  if (id !== current && channelOf(id)) open(id);
});
window.addEventListener("online", () => {
  stream.reconnectNow();
  loadAgain();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  stream.reconnectNow();
  readSoon();
});
$("[data-reconnect]").addEventListener("click", () => stream.reconnectNow());

for (const channel of channels.filter((each) => !each.locked)) stream.follow(channel.id, channel.head_seq);
stream.connect();
if (page.channel_id) open(addressed());
else showLoss({ id: null, name: "" }, "none");
