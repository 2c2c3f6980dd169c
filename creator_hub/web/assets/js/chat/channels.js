/** The channels of the group as this reader has them, and which one is open. */

// Lost in a way that another tier brings back: the channel stays in the list, locked.
const LOCKS = new Set(["tier", "expired", "refunded"]);

export class Channels {
  /** @param {object[]} all @param {string|null} first the channel to open when the address names none */
  constructor(all, first) {
    this.all = all;
    this.first = first;
    /** @type {string|null} */
    this.current = null;
  }

  find(id) {
    return this.all.find((channel) => channel.id === id);
  }

  get readable() {
    return this.all.filter((channel) => !channel.locked);
  }

  /** The channel the address names, when one may read it; else the first. */
  addressed() {
    const wanted = this.find(new URLSearchParams(location.search).get("channel"));
    return wanted && !wanted.locked ? wanted.id : this.first;
  }

  gain(channel) {
    this.all = [...this.all.filter((each) => each.id !== channel.id), { head_seq: 0, read_seq: 0, ...channel, locked: false }];
  }

  /** @returns {object|undefined} what was lost */
  lose(id, reason) {
    const lost = this.find(id);
    this.all = LOCKS.has(reason) ? this.all.map((each) => (each.id === id ? { ...each, locked: true } : each)) : this.all.filter((each) => each.id !== id);
    return lost;
  }
}
