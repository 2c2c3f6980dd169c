/** What a channel holds when it is opened: the newest messages, the polls and rounds under way, and older pages on demand. */
import { api } from "../lib/api.js";
import { explain, toast } from "../lib/dom.js";
import { now } from "../lib/time.js";

const PAGE = 50;

export class History {
  /**
   * @param {import("./channels.js").Channels} channels @param {import("./log.js").Log} log
   * @param {import("./events.js").ChannelView} view @param {import("./chains.js").Chains} chains
   */
  constructor(channels, log, view, chains) {
    Object.assign(this, { channels, log, view, chains });
    /** Events that came while the history was on its way. @type {object[]|null} */
    this.waiting = null;
    // The channel whose history could not be loaded: tried again when the connection is back.
    this.unloaded = null;
    this.finished = [];
    this.readingOlder = false;
  }

  get loading() {
    return this.waiting !== null;
  }

  /** Show the channel `id`, which is now the current one. @returns {Promise<boolean>} whether it still is when all is there */
  async load(id) {
    const { log, view } = this;
    this.waiting = [];
    this.unloaded = null;
    this.finished = [];
    log.clear();
    view.clear();
    try {
      const { items, next } = await api("GET", `/api/v1/channels/${id}/messages?limit=${PAGE}`);
      if (!this.#isOpen(id)) return false;
      log.show(items, { more: next !== null, readSeq: this.channels.find(id)?.read_seq ?? 0 });
      const order = (log.newest || 0) + 0.5;
      await Promise.all([this.#polls(id, order).catch(quietWhenGone), this.#rounds(id, order).catch(quietWhenGone)]);
    } catch (error) {
      if (error.status === undefined) throw error;
      if (this.#isOpen(id)) toast(explain(error), true);
      if (this.#isOpen(id) && !log.rows.size) this.unloaded = id;
    }
    if (!this.#isOpen(id)) return false;
    const waiting = this.waiting;
    this.waiting = null;
    for (const event of waiting) view.apply(event);
    return true;
  }

  /** An event of the current channel: shown, or kept until the history is there. @returns {boolean} whether it is shown */
  take(event) {
    if (this.waiting) {
      this.waiting.push(event);
      return false;
    }
    this.view.apply(event);
    return true;
  }

  async older() {
    if (this.loading || this.readingOlder) return;
    this.readingOlder = true;
    const id = this.channels.current;
    try {
      const { items, next } = await api("GET", `/api/v1/channels/${id}/messages?limit=${PAGE}&before_seq=${this.log.oldest}`);
      if (this.#isOpen(id)) {
        this.log.showOlder(items, next !== null);
        this.#placeFinished();
      }
    } catch (error) {
      if (error.status === undefined) throw error;
      // Tried again when the reader next scrolls.
      this.readingOlder = false;
      return;
    }
    this.readingOlder = false;
    this.log.check();
  }

  #isOpen(id) {
    return this.channels.current === id;
  }

  /** Polls and rounds that are under way stand at the end, where they are seen. */
  async #polls(id, order) {
    const { items } = await api("GET", `/api/v1/channels/${id}/polls`);
    if (!this.#isOpen(id)) return;
    for (const poll of items.filter((each) => each.state === "open")) this.view.openPoll(poll, order, now());
    this.finished = items.filter((each) => each.state === "closed");
    this.#placeFinished();
  }

  /** Closed polls stand where they were made, as soon as the messages around them are shown. */
  #placeFinished() {
    this.finished = this.finished.filter((poll) => {
      const made = new Date(poll.created_at);
      const order = this.log.placeOf(made);
      if (order !== null) this.view.openPoll(poll, order, made);
      return order === null;
    });
  }

  async #rounds(id, order) {
    const rounds = await this.chains.openRounds(id);
    if (!this.#isOpen(id)) return;
    for (const round of rounds) this.view.openRound(round, order, now());
  }
}

/** A channel lost meanwhile answers 404; the loss itself is told by access.revoked. */
function quietWhenGone(error) {
  if (error.status !== 404) throw error;
}
