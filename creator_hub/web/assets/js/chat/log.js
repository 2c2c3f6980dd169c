/** The message list of one channel: what is known, in order, and how it lies on the page. */
import { h, t } from "../lib/dom.js";
import { dayKey, dayName, now } from "../lib/time.js";
import { messageRow, pendingRow } from "./message.js";

const GROUP_WITHIN_MS = 5 * 60_000;
const NEAR_BOTTOM_PX = 80;
const KEEP = 400;
const TRIM_TO = 300;

/**
 * @typedef {{order: number, at: Date, message?: object, author?: string, element: HTMLElement}} Row
 * `order` is the stream's seq; what has no seq yet comes last.
 */
export class Log {
  /**
   * @param {HTMLElement} scroller @param {HTMLOListElement} list @param {HTMLButtonElement} pill
   * @param {{me: object, onMenu: Function, onReact: Function, onRetry: Function, onDiscard: Function, onOlder: Function, onBottom: Function}} context
   */
  constructor(scroller, list, pill, context) {
    Object.assign(this, { scroller, list, pill, context });
    this.clear();
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    pill.addEventListener("click", () => this.toBottom());
    // Who opens something to read it does not want to be taken to the end when it unfolds.
    list.addEventListener("click", (event) => { if (event.target.closest("summary")) this.stuck = false; });
    const follow = new ResizeObserver(() => this.stuck && this.#jump());
    for (const each of [scroller, list]) follow.observe(each);
  }

  clear() {
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.readSeq = Infinity;
    this.stuck = true;
    this.fresh = 0;
    this.more = false;
    this.list.replaceChildren();
    this.pill.hidden = true;
  }

  /** The newest page, with the read mark that places the unread line. */
  show(messages, { more, readSeq }) {
    this.more = more;
    this.readSeq = readSeq;
    for (const message of messages) this.#put(message);
    this.#layout();
    const line = this.list.querySelector(".log__unread");
    if (line) line.scrollIntoView({ block: "center" });
    else this.#jump();
    this.#scrolled();
  }

  /** An older page: what one looks at stays where it is. */
  showOlder(messages, more) {
    this.more = more;
    const height = this.scroller.scrollHeight;
    for (const message of messages) this.#put(message);
    this.#layout();
    this.scroller.scrollTop += this.scroller.scrollHeight - height;
  }

  /** Look where the reader stands, also when nothing scrolled: a page that fits on the screen may still have older ones. */
  check() {
    this.#scrolled();
  }

  /** The seq of the oldest message shown. */
  get oldest() {
    return Math.min(...[...this.rows.values()].filter((row) => row.message).map((row) => row.order));
  }

  get newest() {
    return Math.max(0, ...[...this.rows.values()].filter((row) => row.message).map((row) => row.order));
  }

  /** Where something of that moment stands among the messages shown; null while the page there is not loaded. */
  placeOf(moment) {
    const messages = [...this.rows.values()].filter((row) => row.message);
    const earlier = messages.filter((row) => row.at <= moment).map((row) => row.order);
    if (!earlier.length && this.more) return null;
    return Math.max(0, ...earlier) + 0.5;
  }

  message(id) {
    return this.rows.get(id)?.message;
  }

  add(message) {
    this.rows.get(message.client_msg_id)?.element.remove();
    this.rows.delete(message.client_msg_id);
    const known = this.rows.has(message.id);
    this.#put(message);
    if (!known && !this.stuck && message.author.id !== this.context.me.id) this.fresh += 1;
    this.#changed();
  }

  /** Change a message that is shown; what is not on the page needs nothing. */
  change(id, changes) {
    const row = this.rows.get(id);
    if (!row?.message) return;
    this.#put({ ...row.message, ...changes });
    this.#changed();
  }

  addPending(item) {
    const element = pendingRow(item, this.context);
    this.rows.get(item.client_msg_id)?.element.remove();
    this.rows.set(item.client_msg_id, { order: Infinity, at: now(), author: this.context.me.id, element });
    this.#changed();
  }

  removePending(clientMsgId) {
    const row = this.rows.get(clientMsgId);
    if (!row || row.message) return;
    row.element.remove();
    this.rows.delete(clientMsgId);
    this.#changed();
  }

  /** A poll or round card at its place in the stream. */
  addCard(key, element, order, at) {
    this.rows.get(key)?.element.remove();
    this.rows.set(key, { order, at, element: h("li", { class: "log__card" }, element) });
    this.#changed();
  }

  toBottom() {
    this.stuck = true;
    this.#jump();
    this.#scrolled();
  }

  #put(message) {
    const old = this.rows.get(message.id);
    const quoted = message.reply_to ? this.message(message.reply_to) ?? null : null;
    const element = messageRow(message, quoted, this.context);
    if (old) old.element.replaceWith(element);
    this.rows.set(message.id, { order: message.seq, at: new Date(message.sent_at), message, author: message.author.id, element });
  }

  #changed() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.#trim();
      this.#layout();
      if (this.stuck) this.#jump();
      this.#showPill();
    });
  }

  /** A long evening must not slow the page down: the oldest leave while one reads at the bottom. */
  #trim() {
    if (!this.stuck || this.rows.size <= KEEP) return;
    const sorted = this.#sorted();
    for (const [key, row] of sorted.slice(0, sorted.length - TRIM_TO)) {
      row.element.remove();
      this.rows.delete(key);
    }
    this.more = true;
  }

  #sorted() {
    return [...this.rows.entries()].sort(([, a], [, b]) => (a.order === b.order ? a.at - b.at : a.order - b.order));
  }

  /** Put rows in order with day separators, the unread line, and runs of one author drawn together. */
  #layout() {
    for (const separator of this.list.querySelectorAll(".log__day, .log__unread")) separator.remove();
    let before = null;
    let lineDone = false;
    let cursor = this.list.firstElementChild;
    const place = (element) => {
      if (element === cursor) cursor = cursor.nextElementSibling;
      else this.list.insertBefore(element, cursor);
    };
    for (const [, row] of this.#sorted()) {
      const newDay = !before || dayKey(before.at) !== dayKey(row.at);
      if (newDay) place(h("li", { class: "log__day" }, h("span", {}, dayName(row.at))));
      const unread = !lineDone && row.message && row.order > this.readSeq && row.author !== this.context.me.id;
      if (unread) {
        place(h("li", { class: "log__unread" }, h("span", {}, t("unread_line"))));
        lineDone = true;
      }
      const joined = !newDay && !unread && row.author && before?.author === row.author && row.at - before.at < GROUP_WITHIN_MS;
      row.element.classList.toggle("msg--joined", Boolean(joined) && !row.message?.reply_to);
      place(row.element);
      before = row;
    }
    this.context.onEmpty(this.rows.size === 0);
  }

  #jump() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
    if (this.stuck) {
      this.fresh = 0;
      this.context.onBottom();
    }
    this.#showPill();
    if (scrollTop < 200 && this.more) this.context.onOlder();
  }

  #showPill() {
    this.pill.hidden = this.stuck;
    this.pill.lastElementChild.textContent = this.fresh ? t("new_messages", { count: this.fresh }) : t("to_newest");
  }
}
