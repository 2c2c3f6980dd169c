/** The channel list: which one is open, what is unread, what one has no access to. */
import { h, icon, t } from "../lib/dom.js";

export class Sidebar {
  /** @param {HTMLUListElement} list @param {HTMLElement} live an aria-live region @param {(id: string) => void} onChoose */
  constructor(list, live, onChoose) {
    Object.assign(this, { list, live, onChoose });
    this.unread = new Map();
    this.named = new Map();
  }

  /** @param {object[]} channels @param {string} current */
  show(channels, current) {
    this.channels = channels;
    this.current = current;
    this.list.replaceChildren(...channels.map((channel) => this.#row(channel)));
  }

  /** Something new in a channel that is not open; `named`: it names the reader. */
  bump(channelId, named = false) {
    if (named) this.named.set(channelId, (this.named.get(channelId) ?? 0) + 1);
    this.unread.set(channelId, (this.unread.get(channelId) ?? 0) + 1);
    this.show(this.channels, this.current);
  }

  clear(channelId) {
    const named = this.named.delete(channelId);
    if (this.unread.delete(channelId) || named) this.show(this.channels, this.current);
  }

  say(text) {
    this.live.textContent = text;
  }

  #row(channel) {
    const symbol = icon(channel.locked ? "lock" : channel.kind === "announcement" ? "horn" : "hash");
    if (channel.locked) {
      return h("li", {}, h("button", { class: "channel channel--locked", type: "button", "data-dialog": "tiers" }, symbol, h("span", {}, channel.name),
        h("span", { class: "visually-hidden" }, t("locked"))));
    }
    const count = this.unread.get(channel.id) ?? 0;
    const named = this.named.get(channel.id) ?? 0;
    return h("li", {}, h("a", {
      class: "channel", href: `?channel=${channel.id}`, "aria-current": channel.id === this.current ? "page" : null,
      onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        this.onChoose(channel.id);
      },
    }, symbol, h("span", {}, channel.name),
    named > 0 && h("span", { class: "badge badge--bad" }, `@${named}`, h("span", { class: "visually-hidden" }, ` ${t("named")}`)), count > 0 && h("span", { class: "badge badge--gold" }, String(count), h("span", { class: "visually-hidden" }, ` ${t("unread")}`))));
  }
}
