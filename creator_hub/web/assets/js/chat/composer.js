/** Where one writes: Enter sends, Shift+Enter breaks the line, a draft per channel survives a reload. */
import { t } from "../lib/dom.js";
import { Naming } from "./naming.js";
import { Pictures } from "./pictures.js";

const LONGEST = 4000;
const COUNT_FROM = 3500;
const TYPING_EVERY_MS = 3_000;

export class Composer {
  /** @param {HTMLFormElement} form @param {HTMLElement} dropzone @param {{onSend: (text: string, replyTo: string|undefined, pictures: object[]) => void, onEdit: (id: string, text: string) => void, onTyping: () => void}} actions @param {{handle: string, owner: object}} group */
  constructor(form, dropzone, actions, group) {
    this.form = form;
    this.actions = actions;
    this.input = form.elements.text;
    this.counter = form.querySelector("[data-counter]");
    this.strip = form.querySelector("[data-strip]");
    this.stripText = this.strip.querySelector("span");
    this.lastTyping = 0;
    this.mode = null;
    this.naming = new Naming(this.input, group.handle, [group.owner]);
    this.pictures = new Pictures(form, dropzone, () => this.#fit());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => this.#typed());
    this.strip.querySelector("button").addEventListener("click", () => this.#leaveMode());
  }

  /** Move to a channel: its draft appears. `closed` names why one may not write there. */
  open(channelId, closed = "") {
    this.mode = null;
    this.strip.hidden = true;
    this.draftKey = `hub.draft.${channelId}`;
    this.input.value = sessionStorage.getItem(this.draftKey) ?? "";
    this.form.hidden = Boolean(closed);
    this.pictures.open(channelId);
    this.#fit();
  }

  reply(message) {
    this.mode = { reply: message.id };
    this.#enterMode(t("replying", { name: message.author.display_name }));
  }

  edit(message) {
    this.mode = { edit: message.id };
    this.input.value = message.text;
    this.#enterMode(t("editing"));
    this.#fit();
  }

  #enterMode(text) {
    this.stripText.textContent = text;
    this.strip.hidden = false;
    this.input.focus();
  }

  #leaveMode() {
    if (this.mode?.edit) this.input.value = "";
    this.mode = null;
    this.strip.hidden = true;
    this.#typed();
    this.input.focus();
  }

  #key(event) {
    if (this.naming.key(event)) return;
    if (event.key === "Escape" && this.mode) this.#leaveMode();
    // While an input method composes, Enter belongs to it; on a touch screen it breaks the line.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    if (this.form.elements.send.disabled) return;
    const text = this.input.value.trim();
    if (this.mode?.edit) this.actions.onEdit(this.mode.edit, text);
    else this.actions.onSend(text, this.mode?.reply, this.pictures.take());
    this.mode = null;
    this.strip.hidden = true;
    this.input.value = "";
    this.#typed();
    this.input.focus();
  }

  #typed() {
    this.#fit();
    if (!this.mode?.edit) sessionStorage.setItem(this.draftKey, this.input.value);
    const now = Date.now();
    if (this.input.value && now - this.lastTyping > TYPING_EVERY_MS) {
      this.lastTyping = now;
      this.actions.onTyping();
    }
  }

  #fit() {
    const length = [...this.input.value.trim()].length;
    this.counter.hidden = length < COUNT_FROM;
    this.counter.textContent = t("left", { count: LONGEST - length });
    this.counter.classList.toggle("field__error", length > LONGEST);
    const empty = length === 0 && (this.mode?.edit || this.pictures.count === 0);
    this.form.elements.send.disabled = empty || length > LONGEST || this.pictures.busy;
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${Math.min(this.input.scrollHeight + 2, 200)}px`;
  }
}
