/** Channels won and lost while the page is open. */
import { api } from "../lib/api.js";
import { h, t, toast } from "../lib/dom.js";
import { refreshParts } from "../lib/parts.js";

export class Access {
  /**
   * @param {{group: object, channels: import("./channels.js").Channels, sidebar: import("./sidebar.js").Sidebar,
   *   follow: (id: string, afterSeq: number) => void, choose: (id: string) => void, leave: () => HTMLElement}} parts
   *   `leave` empties the open channel and gives the place where its loss is told
   */
  constructor(parts) {
    Object.assign(this, parts);
  }

  async granted({ channel_id: id, group }) {
    if (group.id !== this.group.id) return;
    const { items } = await api("GET", `/api/v1/groups/${group.handle}/channels`);
    const fresh = items.find((channel) => channel.id === id);
    if (!fresh) return;
    this.channels.gain(fresh);
    this.sidebar.show(this.channels.all, this.channels.current);
    this.#tell(t("gained", { name: fresh.name }));
    toast(t("gained", { name: fresh.name }));
    this.follow(id, 0);
  }

  revoked({ channel_id: id, reason }) {
    const lost = this.channels.lose(id, reason);
    if (!lost) return;
    this.sidebar.show(this.channels.all, this.channels.current);
    this.#tell(t("lost", { name: lost.name }));
    if (id === this.channels.current) this.showLoss(lost, reason);
  }

  /** In place of the channel: that it is gone, why, and where to go on. */
  showLoss(channel, reason) {
    const next = this.channels.readable.find((each) => each.id !== channel.id);
    this.channels.current = null;
    this.leave().append(h("li", { class: "log__loss" },
      h("h2", {}, t("lost", { name: channel.name })), h("p", {}, t(`reason_${reason}`)),
      next ? h("button", { class: "button button--quiet", type: "button", onclick: () => this.choose(next.id) }, t("go_to", { name: next.name })) : h("a", { class: "button button--quiet", href: "/" }, t("to_groups"))));
  }

  /** Said aloud, and the tier that the page shows is the one the reader has now. */
  #tell(text) {
    this.sidebar.say(text);
    refreshParts();
  }
}
