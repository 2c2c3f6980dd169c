/**
 * Messages on their way: kept in the tab's session storage until the server acknowledged them, so that neither a reload
 * nor a dropped connection loses one. A retry carries the same client_msg_id, which the server stores once.
 *
 * @typedef {{client_msg_id: string, channel_id: string, text: string, reply_to?: string, failed?: string}} Pending
 */
export class Outbox {
  /** @param {Storage} storage @param {string} person whose messages these are */
  constructor(storage, person) {
    this.storage = storage;
    this.key = `hub.outbox.${person}`;
    /** @type {Pending[]} */
    this.items = JSON.parse(storage.getItem(this.key) || "[]");
  }

  /** @param {Pending} item */
  add(item) {
    this.items.push(item);
    this.#save();
  }

  /** Forget what was acknowledged, or seen to arrive. @returns {boolean} whether it was pending */
  settle(clientMsgId) {
    const before = this.items.length;
    this.items = this.items.filter((item) => item.client_msg_id !== clientMsgId);
    if (this.items.length === before) return false;
    this.#save();
    return true;
  }

  /** The server refused it for good; it stays until the writer retries or discards it. */
  fail(clientMsgId, why) {
    const item = this.items.find((each) => each.client_msg_id === clientMsgId);
    if (item) item.failed = why;
    this.#save();
  }

  retry(clientMsgId) {
    const item = this.items.find((each) => each.client_msg_id === clientMsgId);
    if (item) delete item.failed;
    this.#save();
    return item;
  }

  /** @param {string} channelId @returns {Pending[]} in the order they were written */
  of(channelId) {
    return this.items.filter((item) => item.channel_id === channelId);
  }

  /** The oldest message that waits to be sent in a channel: one at a time keeps the writer's order. */
  next(channelId) {
    return this.of(channelId).find((item) => !item.failed);
  }

  #save() {
    this.storage.setItem(this.key, JSON.stringify(this.items));
  }
}
