/**
 * The channel client: Socket.IO underneath, docs/delivery's promises above.
 *
 * `handlers`: shown(channelId, event) · reset(channelId, headSeq) → Promise<newLastSeq> ·
 * connection("online" | "offline" | "connecting") · refused(pending, error) ·
 * hint(name, payload) · granted({channel_id, group}) · revoked({channel_id, reason}) · denied(channelId, error).
 */
import { backoff, hasGap, newFeed, noteHead, receive, restart } from "./feed.js";

const GAP_WAIT_MS = 200;
const SLOW_GAP_WAIT_MS = 3_000;
const ACK_WAIT_MS = 8_000;
const HINTS = ["typing", "presence", "poll.tallied", "round.tallied", "question.ranked"];
// Refusals that another try may cure; all others are final.
const PASSING = new Set(["unavailable", "slow_down", "internal", "timeout"]);

export class StreamClient {
  /**
   * @param {import("socket.io-client").Socket} socket made with autoConnect and reconnection off
   * @param {(channelId: string, afterSeq: number) => Promise<{items: object[]}>} fetchEvents
   * @param {import("./outbox.js").Outbox} outbox
   * @param {object} handlers
   * @param {{setTimeout: Function, clearTimeout: Function, random: Function}} [clock]
   */
  constructor(socket, fetchEvents, outbox, handlers, clock = {}) {
    this.socket = socket;
    this.fetchEvents = fetchEvents;
    this.outbox = outbox;
    this.handlers = handlers;
    this.later = clock.setTimeout ?? ((work, ms) => setTimeout(work, ms));
    this.cancel = clock.clearTimeout ?? ((timer) => clearTimeout(timer));
    this.random = clock.random ?? Math.random;
    /** @type {Map<string, import("./feed.js").Feed>} */
    this.feeds = new Map();
    this.joined = new Set();
    this.filling = new Set();
    this.sending = new Set();
    this.attempt = 0;
    this.reconnectTimer = null;
    this.#bind();
  }

  connect() {
    this.handlers.connection("connecting");
    this.socket.connect();
  }

  /** Try at once, for example when the browser says it is online again. */
  reconnectNow() {
    if (this.socket.connected) return;
    this.cancel(this.reconnectTimer);
    this.connect();
  }

  /** Follow a channel from `afterSeq` on. */
  follow(channelId, afterSeq) {
    this.feeds.set(channelId, newFeed(afterSeq));
    if (this.socket.connected) this.#join(channelId);
  }

  unfollow(channelId) {
    this.feeds.delete(channelId);
    if (this.joined.delete(channelId) && this.socket.connected) this.socket.emit("channel.leave", { channel_id: channelId }, () => {});
  }

  /** Keep a message until it is acknowledged, and start sending. */
  send(pending) {
    this.outbox.add(pending);
    this.flush(pending.channel_id);
  }

  /** Send what waits in a channel, oldest first, one at a time. */
  async flush(channelId) {
    if (this.sending.has(channelId) || !this.joined.has(channelId)) return;
    this.sending.add(channelId);
    let pause = 0;
    for (let item = this.outbox.next(channelId); item && this.joined.has(channelId); item = this.outbox.next(channelId)) {
      const ack = await this.request("message.send", item);
      if (ack.ok) this.outbox.settle(item.client_msg_id);
      else if (PASSING.has(ack.error.code)) {
        pause = (ack.error.retry_after ?? 1) * 1000;
        break;
      } else {
        this.outbox.fail(item.client_msg_id, ack.error.detail);
        this.handlers.refused(item, ack.error);
      }
    }
    this.sending.delete(channelId);
    if (pause) this.later(() => this.flush(channelId), pause);
  }

  /** Emit and wait for the acknowledgement; a lost connection or silence counts as the passing error `timeout`. */
  request(name, payload) {
    return new Promise((resolve) => {
      this.socket.timeout(ACK_WAIT_MS).emit(name, payload, (failure, ack) => {
        resolve(failure ? { ok: false, error: { code: "timeout", detail: "" } } : ack);
      });
    });
  }

  typing(channelId) {
    if (this.joined.has(channelId)) this.socket.volatile.emit("typing", { channel_id: channelId });
  }

  #bind() {
    const { socket, handlers } = this;
    socket.on("connect", () => {
      this.attempt = 0;
      handlers.connection("online");
      for (const channelId of this.feeds.keys()) this.#join(channelId);
    });
    socket.on("disconnect", () => this.#lost());
    socket.on("connect_error", () => this.#lost());
    socket.on("event", (event) => this.#take(event.channel_id, event));
    socket.on("heads", (heads) => Object.entries(heads).forEach(([id, head]) => this.#head(id, head)));
    socket.on("hello", ({ heads }) => Object.entries(heads ?? {}).forEach(([id, head]) => this.#head(id, head)));
    socket.on("channel.caught_up", ({ channel_id: id, head_seq: head }) => this.#head(id, head));
    socket.on("channel.reset", ({ channel_id: id, head_seq: head }) => this.#reset(id, head));
    socket.on("access.granted", (grant) => handlers.granted(grant));
    socket.on("access.revoked", (loss) => {
      this.feeds.delete(loss.channel_id);
      this.joined.delete(loss.channel_id);
      handlers.revoked(loss);
    });
    for (const name of HINTS) socket.on(name, (payload) => handlers.hint(name, payload));
  }

  #lost() {
    this.joined.clear();
    this.cancel(this.reconnectTimer);
    this.handlers.connection("offline");
    this.reconnectTimer = this.later(() => this.connect(), backoff(this.attempt++, this.random));
  }

  async #join(channelId) {
    const feed = this.feeds.get(channelId);
    const ack = await this.request("channel.join", { channel_id: channelId, after_seq: feed.last });
    if (this.feeds.get(channelId) !== feed) return;
    if (ack.ok) {
      this.joined.add(channelId);
      this.#head(channelId, ack.head_seq);
      this.flush(channelId);
    } else if (!PASSING.has(ack.error.code)) {
      this.handlers.denied(channelId, ack.error);
    } else if (this.socket.connected) {
      this.later(() => this.socket.connected && this.feeds.has(channelId) && this.#join(channelId), (ack.error.retry_after ?? 1) * 1000);
    }
  }

  #take(channelId, event) {
    const feed = this.feeds.get(channelId);
    if (!feed) return;
    for (const ready of receive(feed, event)) {
      const mine = ready.kind === "message.created" && ready.data.client_msg_id;
      if (mine) this.outbox.settle(ready.data.client_msg_id);
      this.handlers.shown(channelId, ready);
    }
    this.#watch(channelId);
  }

  #head(channelId, head) {
    const feed = this.feeds.get(channelId);
    if (!feed) return;
    noteHead(feed, head);
    this.#watch(channelId);
  }

  /** A gap that stands for 200 ms is filled over HTTP; one that the server cannot fill yet is asked for less often. */
  #watch(channelId, wait = GAP_WAIT_MS) {
    const feed = this.feeds.get(channelId);
    if (!feed || !hasGap(feed) || this.filling.has(channelId)) return;
    this.filling.add(channelId);
    const before = feed.last;
    this.later(async () => {
      try {
        // Progress within the wait means that catch-up pages are flowing: look again before asking twice.
        if (feed.last === before && hasGap(feed) && this.feeds.get(channelId) === feed) await this.#fill(channelId, feed);
      } catch {
        // The next event, head or reconnect looks again.
      }
      this.filling.delete(channelId);
      if (this.socket.connected) this.#watch(channelId, feed.last === before ? SLOW_GAP_WAIT_MS : GAP_WAIT_MS);
    }, wait);
  }

  async #fill(channelId, feed) {
    const { items } = await this.fetchEvents(channelId, feed.last);
    if (this.feeds.get(channelId) !== feed) return;
    for (const event of items) this.#take(channelId, event);
  }

  async #reset(channelId, head) {
    const feed = this.feeds.get(channelId);
    if (!feed) return;
    const last = await this.handlers.reset(channelId, head);
    if (this.feeds.get(channelId) !== feed) return;
    restart(feed, last);
    this.#join(channelId);
  }
}
