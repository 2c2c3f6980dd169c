/** The menu of one message: react, reply, edit, delete, report, mute, ban. */
import { h, icon, t } from "../lib/dom.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

export class MessageMenu {
  /** @param {{onReact: Function, onReply: Function, onEdit: Function, onDelete: Function, onReport: Function, onMute: Function, onBan: Function}} actions */
  constructor(actions) {
    this.actions = actions;
    this.panel = h("div", { class: "msgmenu", role: "menu", popover: "auto" });
    this.panel.addEventListener("keydown", (event) => this.#arrows(event));
    document.getElementById("main").append(this.panel);
  }

  /** @param {object} message @param {HTMLElement} opener @param {{react: boolean, edit: boolean, remove: boolean, ban: boolean}} may */
  open(message, opener, may) {
    const { actions } = this;
    const item = (symbol, label, act, danger = false) =>
      h("button", { class: `menu__item ${danger ? "menu__item--danger" : ""}`, type: "button", role: "menuitem", onclick: () => this.#run(opener, () => act(message)) }, icon(symbol), label);
    this.panel.setAttribute("aria-label", t("message_actions", { name: message.author.display_name }));
    this.panel.replaceChildren(...[
      may.react && h("div", { class: "msgmenu__emoji", role: "group", "aria-label": t("react") }, EMOJI.map((emoji) =>
        h("button", { class: "iconbutton", type: "button", role: "menuitem", "aria-label": t("react_with", { emoji }), onclick: () => this.#run(opener, () => actions.onReact(message, emoji)) }, emoji))),
      may.react && item("reply", t("reply"), actions.onReply),
      may.edit && item("edit", t("edit"), actions.onEdit),
      may.remove && item("trash", t("delete"), actions.onDelete, true),
      may.report && item("flag", t("report"), actions.onReport),
      may.ban && item("mute", t("mute"), actions.onMute, true),
      may.ban && item("shield", t("ban"), actions.onBan, true),
    ].filter(Boolean));
    this.panel.showPopover();
    this.#place(opener);
    this.panel.querySelector("[role=menuitem]")?.focus();
  }

  #run(opener, act) {
    this.panel.hidePopover();
    opener.focus();
    act();
  }

  #place(opener) {
    const at = opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.panel;
    const top = at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4;
    this.panel.style.top = `${top}px`;
    this.panel.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  }

  #arrows(event) {
    const items = [...this.panel.querySelectorAll("[role=menuitem]")];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }
}
