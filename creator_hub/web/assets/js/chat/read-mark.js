/** Moves the read mark once the newest message has been in sight for a moment. */
const AFTER_MS = 600;

export class ReadMark {
  /** @param {import("./channels.js").Channels} channels @param {import("./log.js").Log} log @param {import("../lib/stream.js").StreamClient} stream */
  constructor(channels, log, stream) {
    Object.assign(this, { channels, log, stream });
    this.timer = null;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#move(), AFTER_MS);
  }

  #move() {
    const { log, stream } = this;
    const channel = this.channels.find(this.channels.current);
    const seq = log.newest;
    if (!channel || document.hidden || !log.stuck || seq <= (channel.read_seq ?? 0) || !stream.socket.connected) return;
    channel.read_seq = seq;
    stream.request("channel.read", { channel_id: channel.id, seq });
  }
}
