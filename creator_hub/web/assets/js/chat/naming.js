/**
 * Naming people while writing: after `@` and a letter, a list of members to choose from, by keyboard or touch.
 * The textarea keeps the focus all the time and says which of the list is meant (aria-activedescendant).
 */
import { api } from "../lib/api.js";
import { h, t } from "../lib/dom.js";

const WAIT_MS = 120;
const MOST = 6;

/** The name being written at the caret, without its `@`; null when there is none. */
export function beginningOfName(text, caret) {
  const match = /(?:^|[\s(])@([a-z0-9_-]{1,30})$/i.exec(text.slice(0, caret));
  return match ? match[1] : null;
}

/** `text` with the name at the caret completed, and where the caret then stands. */
export function complete(text, caret, handle) {
  const start = text.slice(0, caret).lastIndexOf("@");
  const rest = text.slice(caret);
  const before = `${text.slice(0, start)}@${handle}${/^[\s.,;:!?)]/.test(rest) ? "" : " "}`;
  return { text: before + rest, caret: before.length };
}

export class Naming {
  /** @param {HTMLTextAreaElement} input @param {string} group handle of the group @param {object[]} always people who can always be named */
  constructor(input, group, always = []) {
    Object.assign(this, { input, group, always });
    this.found = [];
    this.at = 0;
    this.list = h("ul", { class: "naming", id: "naming", role: "listbox", "aria-label": t("people") });
    this.list.hidden = true;
    input.before(this.list);
    for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-controls": "naming" })) input.setAttribute(name, value);
    input.addEventListener("input", () => this.#later());
    input.addEventListener("blur", () => this.#close());
  }

  /** Whether a key was for the list. Called before the composer looks at it. */
  key(event) {
    if (this.list.hidden) return false;
    if (event.key === "Escape") this.#close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.found[this.at]);
    else return false;
    event.preventDefault();
    return true;
  }

  #later() {
    clearTimeout(this.timer);
    const beginning = beginningOfName(this.input.value, this.input.selectionStart);
    if (beginning === null) this.#close();
    else this.timer = setTimeout(() => this.#ask(beginning), WAIT_MS);
  }

  async #ask(beginning) {
    let items;
    try {
      ({ items } = await api("GET", `/api/v1/groups/${this.group}/members?limit=${MOST}&q=${encodeURIComponent(beginning)}`));
    } catch (error) {
      if (error.status === undefined) throw error;
      return;
    }
    if (beginningOfName(this.input.value, this.input.selectionStart) !== beginning) return;
    const begins = (person) => [person.handle, person.display_name].some((name) => name.toLowerCase().startsWith(beginning.toLowerCase()));
    this.found = [...this.always.filter(begins), ...items.map((each) => each.user)].slice(0, MOST);
    this.at = 0;
    this.#show();
  }

  #show() {
    this.list.hidden = this.found.length === 0;
    this.list.replaceChildren(...this.found.map((person, number) => h("li", {
      class: "naming__person", id: `naming-${number}`, role: "option", "aria-selected": String(number === this.at),
      // Before the textarea loses its focus.
      onpointerdown: (event) => { event.preventDefault(); this.#take(person); },
    }, h("strong", {}, person.display_name), h("span", { class: "muted" }, ` @${person.handle}`))));
    if (this.list.hidden) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `naming-${this.at}`);
  }

  #move(step) {
    this.at = (this.at + step + this.found.length) % this.found.length;
    this.#show();
  }

  #take(person) {
    const done = complete(this.input.value, this.input.selectionStart, person.handle);
    this.input.value = done.text;
    this.input.setSelectionRange(done.caret, done.caret);
    this.#close();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #close() {
    clearTimeout(this.timer);
    this.found = [];
    this.#show();
  }
}

/** Whether a message names a person; the server marked only people who can read it. */
export const names = (message, handle) => message.html.toLowerCase().includes(`class="mention">@${handle}</span>`);
