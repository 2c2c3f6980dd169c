/** A poll inside the stream: ballot while it is open, live bars when they are not sealed, then the result. */
import { api } from "../lib/api.js";
import { explain, h, t } from "../lib/dom.js";
import { ballot, takesMany, totalsOf } from "../lib/tally.js";
import { attempt, barList, card, timer, trouble } from "./votes.js";

const GRADED = { score: 5, star: 5 };
const RANKED = new Set(["irv", "schulze", "stv"]);

export class PollCard {
  /** @param {object} poll the wire Poll @param {{mayRun: boolean}} rights */
  constructor(poll, rights) {
    this.poll = poll;
    this.rights = rights;
    this.version = -1;
    this.totals = {};
    this.turnout = null;
    // Whether, not what: nobody is told again what they chose.
    this.voted = poll.voted ? [] : null;
    this.element = h("div", {});
    this.#render();
    if (poll.state === "closed") this.refresh();
    else if (poll.results !== "sealed") this.#readTally();
  }

  /** A live hint; the newest version wins. */
  tallied(hint) {
    if (hint.version <= this.version) return;
    this.version = hint.version;
    this.totals = totalsOf(hint);
    this.turnout = hint.turnout ?? this.turnout;
    const known = new Set(this.poll.options.map((option) => option.id));
    if (Object.keys(this.totals).some((id) => !known.has(id))) this.refresh();
    else this.#renderBars();
  }

  closed(result) {
    this.poll = { ...this.poll, state: "closed" };
    this.result = result;
    this.#render();
  }

  /** Read the poll and its result again. */
  async refresh() {
    try {
      const poll = await api("GET", `/api/v1/polls/${this.poll.id}`);
      this.poll = { ...this.poll, ...poll };
      this.#render();
      if (poll.state === "closed") this.closed(await api("GET", `/api/v1/polls/${poll.id}/result`));
    } catch (error) {
      if (error.status === undefined) throw error;
    }
  }

  async #readTally() {
    try {
      const result = await api("GET", `/api/v1/polls/${this.poll.id}/result`);
      this.tallied({ version: 0, ...result });
    } catch (error) {
      if (error.status === undefined) throw error;
    }
  }

  #render() {
    const { poll } = this;
    const open = poll.state === "open";
    const notes = [open ? timer(poll.closes_at, "closes_in") : h("span", { class: "badge" }, t(poll.state === "closed" ? "closed" : "scheduled"))];
    this.bars = h("div", { "aria-live": "off" });
    this.element.replaceChildren(card("poll", t("poll"), poll.title, notes, open && this.#form(), this.bars));
    this.#renderBars();
  }

  #renderBars() {
    const { poll, result } = this;
    if (poll.state === "closed") {
      const winners = result?.winner_ids ?? [];
      this.bars.replaceChildren(...[
        result && barList(poll.options, totalsOf(result), winners),
        result && h("p", { class: "muted small" }, t("turnout", { cast: result.turnout ?? 0, eligible: result.eligible ?? "?" })),
        result?.quorum_met === false && h("p", { class: "small" }, t("no_quorum")),
        result?.differs && h("p", { class: "small" }, t("differs")),
      ].filter(Boolean));
    } else if (poll.results === "sealed") {
      this.bars.replaceChildren(h("p", { class: "muted small" }, t("sealed"), " ", this.turnout === null ? "" : t("so_far", { count: this.turnout })));
    } else if (this.voted || this.rights.mayRun || Object.keys(this.totals).length) {
      this.bars.replaceChildren(barList(poll.options, this.totals));
    }
  }

  #form() {
    const { poll } = this;
    const note = trouble();
    const name = `poll-${poll.id}`;
    const graded = GRADED[poll.method];
    const ranked = RANKED.has(poll.method);
    const choice = (option) => {
      if (graded || ranked) {
        const top = graded ?? poll.options.length;
        const steps = Array.from({ length: graded ? top + 1 : top }, (_, i) => String(graded ? i : i + 1));
        return h("label", { class: "choice choice--graded" }, h("span", {}, option.text),
          h("select", { class: "input", name: option.id }, h("option", { value: "" }, "–"), steps.map((step) => h("option", { value: step }, step))));
      }
      const type = takesMany(poll) ? "checkbox" : "radio";
      return h("label", { class: "choice" }, h("input", { type, name, value: option.id, checked: this.voted?.includes(option.id) }), h("span", {}, option.text));
    };
    const form = h("form", { class: "votecard__form" },
      h("fieldset", { class: "choices" }, h("legend", {}, t(graded ? "give_scores" : ranked ? "rank_them" : takesMany(poll) ? "choose_many" : "choose_one")), poll.options.map(choice)),
      note,
      h("div", { class: "cluster" },
        h("button", { class: "button button--primary button--small", type: "submit" }, t("vote")),
        this.rights.mayRun && h("button", { class: "button button--quiet button--small", type: "button", onclick: () => attempt(form, note, () => this.#close(), explain) }, t("close_poll"))),
      h("p", { class: "votecard__thanks small", role: "status" }, this.voted ? this.#thanks() : ""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(form, note, () => this.#vote(form, note, name), explain);
    });
    return form;
  }

  async #vote(form, note, name) {
    const { poll } = this;
    let body;
    if (GRADED[poll.method] || RANKED.has(poll.method)) body = ballot(poll.method, new Map(poll.options.map((option) => [option.id, form.elements[option.id].value])));
    else body = { choices: [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((input) => input.value) };
    if (body.choices && !body.choices.length) {
      note.textContent = t("choose_first");
      note.hidden = false;
      return;
    }
    await api("PUT", `/api/v1/polls/${poll.id}/ballot`, body);
    this.voted = body.choices ?? [];
    form.querySelector(".votecard__thanks").textContent = this.#thanks();
    this.#renderBars();
  }

  #thanks() {
    return t(this.poll.revote === false ? "voted_final" : "voted");
  }

  async #close() {
    await api("POST", `/api/v1/polls/${this.poll.id}/close`);
    await this.refresh();
  }
}
