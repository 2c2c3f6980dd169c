/** A poll inside the stream: ballot while it is open, live bars when they are not sealed, then the result. */
import { api } from "../lib/api.js";
import { h, t } from "../lib/dom.js";
import { totalsOf } from "../lib/tally.js";
import { ballotForm } from "../vote/ballot.js";
import { attempt, castForm } from "../vote/cast.js";
import { barList, card, timer } from "./votes.js";

export class PollCard {
  /** @param {object} poll the wire Poll @param {{mayRun: boolean}} rights */
  constructor(poll, rights) {
    this.poll = poll;
    this.rights = rights;
    this.version = -1;
    this.totals = {};
    this.turnout = null;
    /** The ballot cast here, which an answer that was asked for before does not know. @type {object|null} */
    this.cast = null;
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
      const before = this.cast;
      const poll = await api("GET", `/api/v1/polls/${this.poll.id}`);
      if (this.cast !== before) Object.assign(poll, { voted: true, ballot: this.cast });
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
    } else if (poll.voted || this.rights.mayRun || Object.keys(this.totals).length) {
      this.bars.replaceChildren(barList(poll.options, this.totals));
    }
  }

  #form() {
    const { poll } = this;
    // What was filled in and not sent yet outlives a redraw.
    this.ballot = ballotForm({ name: `poll-${poll.id}`, method: poll.method, options: poll.options, most: poll.max_choices }, this.ballot?.read() ?? poll.ballot);
    return castForm(this.ballot, {
      url: `/api/v1/polls/${poll.id}/ballot`,
      voted: poll.voted,
      final: poll.revote === false,
      onCast: (ballot, form) => {
        this.cast = ballot;
        Object.assign(this.poll, { voted: true, ballot });
        if (this.element.contains(form)) this.#renderBars();
        else this.#render();
      },
      beside: (note) => this.rights.mayRun && this.#closeButton(note),
    });
  }

  #closeButton(note) {
    const button = h("button", {
      class: "button button--quiet button--small", type: "button",
      onclick: () => attempt(button, note, async () => {
        await api("POST", `/api/v1/polls/${this.poll.id}/close`);
        await this.refresh();
      }),
    }, t("close_poll"));
    return button;
  }
}
