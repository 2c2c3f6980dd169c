/** Who is writing now. Hints may be lost, so each is believed for a few seconds only. */
import { t } from "../lib/dom.js";

const BELIEVED_MS = 5_000;

export class Writers {
  /** @param {HTMLElement} place where it is said */
  constructor(place) {
    this.place = place;
    this.people = new Map();
  }

  start(user) {
    clearTimeout(this.people.get(user.id)?.timer);
    this.people.set(user.id, { name: user.display_name, timer: setTimeout(() => this.stop(user.id), BELIEVED_MS) });
    this.#show();
  }

  stop(userId) {
    clearTimeout(this.people.get(userId)?.timer);
    if (this.people.delete(userId)) this.#show();
  }

  clear() {
    for (const id of [...this.people.keys()]) this.stop(id);
  }

  #show() {
    const names = [...this.people.values()].map((each) => each.name);
    this.place.textContent = names.length > 1 ? t("typing_many", { count: names.length }) : names.length ? t("typing_one", { name: names[0] }) : "";
  }
}
