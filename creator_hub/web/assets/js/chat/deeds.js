/** What one does to messages: send, try again, react, edit, delete, report, mute or ban the author. */
import { t, toast } from "../lib/dom.js";

export class Deeds {
  /**
   * @param {{me: object, channels: import("./channels.js").Channels, log: import("./log.js").Log,
   *   stream: import("../lib/stream.js").StreamClient, outbox: import("../lib/outbox.js").Outbox}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
  }

  send(text, replyTo, pictures) {
    const item = { client_msg_id: crypto.randomUUID(), channel_id: this.channels.current, text };
    if (replyTo) item.reply_to = replyTo;
    if (pictures.length) item.attachments = pictures.map((each) => each.id);
    this.log.addPending(item);
    this.log.toBottom();
    this.stream.send(item);
  }

  retry(item) {
    const again = this.outbox.retry(item.client_msg_id);
    this.log.addPending(again);
    this.stream.flush(again.channel_id);
  }

  discard(item) {
    this.outbox.settle(item.client_msg_id);
    this.log.removePending(item.client_msg_id);
  }

  edit(id, text) {
    return this.#command("message.edit", { id, text });
  }

  remove(message) {
    return window.confirm(t("delete_sure")) && this.#command("message.delete", { id: message.id });
  }

  /** Set or take back; shown as one's own at once, and as it was when the server refuses. */
  async react({ id }, emoji) {
    const before = this.log.message(id)?.my_reactions ?? [];
    const unset = before.includes(emoji);
    this.log.change(id, { my_reactions: unset ? before.filter((each) => each !== emoji) : [...before, emoji] });
    const done = await this.#command(unset ? "reaction.unset" : "reaction.set", { message_id: id, emoji });
    if (!done) this.log.change(id, { my_reactions: before });
  }

  rightsOver(message) {
    const isStaff = (role) => role === "creator" || role === "moderator";
    const own = message.author.id === this.me.id;
    const mayKeepOrder = isStaff(this.me.role);
    return { react: true, edit: own, remove: own || mayKeepOrder, report: !own, ban: mayKeepOrder && !own && !isStaff(message.author.role) };
  }

  /** Open the dialog of a ban, a mute or a report about a message, for the person or message that it concerns. */
  askAbout(id, field, value, message) {
    const dialog = document.getElementById(id);
    dialog.querySelector("[data-whom]").textContent = message.author.display_name;
    dialog.querySelector(`input[name=${field}]`).value = value;
    dialog.showModal();
  }

  async #command(name, payload) {
    const ack = await this.stream.request(name, payload);
    if (!ack.ok) toast(ack.error.code === "timeout" ? t("offline") : ack.error.detail, true);
    return ack.ok;
  }
}
