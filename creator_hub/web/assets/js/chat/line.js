/** How the connection is, and who else is on it. */
import { t } from "../lib/dom.js";

// A blink is not worth a word.
const BANNER_AFTER_MS = 1_000;

export class Line {
  /** @param {HTMLElement} banner @param {HTMLElement} presence @param {() => void} onOnline */
  constructor(banner, presence, onOnline) {
    Object.assign(this, { banner, presence, onOnline });
    this.timer = null;
  }

  /** @param {"online"|"offline"|"connecting"} state */
  is(state) {
    clearTimeout(this.timer);
    if (state === "online") {
      this.banner.hidden = true;
      this.onOnline();
    } else {
      this.timer = setTimeout(() => { this.banner.hidden = false; }, BANNER_AFTER_MS);
    }
  }

  /** @param {{online: number, sample: object[]}|null} here */
  show(here) {
    this.presence.textContent = here ? t("online", { count: here.online }) : "";
    this.presence.title = here ? here.sample.map((user) => user.display_name).join(", ") : "";
  }
}
