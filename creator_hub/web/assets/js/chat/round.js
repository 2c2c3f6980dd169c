/** A round of a story chain inside the stream: propose, like, vote, and the episode that became canon. */
import { api } from "../lib/api.js";
import { h, t } from "../lib/dom.js";
import { totalsOf } from "../lib/tally.js";
import { ballotForm } from "../vote/ballot.js";
import { attempt, castForm, trouble } from "../vote/cast.js";
import { likeButton, proposalList, proposeForm, reading, shortlistForm } from "./proposals.js";
import { barList, card, timer } from "./votes.js";

const REREAD_MS = 800;
const LONGEST = 20_000;

export class RoundCard {
  /** @param {object} round the wire Round @param {{mayRun: boolean}} rights */
  constructor(round, rights) {
    this.round = round;
    this.rights = rights;
    this.chain = null;
    this.version = -1;
    this.totals = {};
    this.liked = new Set();
    /** The ballot cast here, which an answer that was asked for before does not know. @type {object|null} */
    this.cast = null;
    this.#noteLikes();
    this.element = h("div", {});
    this.#render();
  }

  /** The story this is a round of, as soon as it is known. */
  belongsTo(chain) {
    this.chain = chain;
    this.#render();
  }

  update(round) {
    this.round = { ...this.round, ...round };
    this.#noteLikes();
    this.#render();
  }

  /** What this reader likes is told by the API alone; events are the same for everybody. */
  #noteLikes() {
    for (const { id, liked } of this.#proposals) if (liked !== undefined) this.liked[liked ? "add" : "delete"](id);
  }

  get #proposals() {
    return this.round.proposals ?? [];
  }

  tallied(hint) {
    if (hint.version <= this.version) return;
    this.version = hint.version;
    this.totals = totalsOf(hint);
    if (this.round.state === "voting") this.#renderBars();
    else this.reread();
  }

  decided(result) {
    this.totals = totalsOf(result.result);
    this.update({ state: result.winner_id ? "decided" : "void", winner_id: result.winner_id, reason: result.reason });
    this.reread();
  }

  /** Fetch the round soon; many hints make one request. */
  reread() {
    clearTimeout(this.reading);
    this.reading = setTimeout(async () => {
      try {
        const before = this.cast;
        const round = await api("GET", `/api/v1/rounds/${this.round.id}`);
        if (this.cast !== before) Object.assign(round, { voted: true, ballot: this.cast });
        // Somebody writes: their text must not vanish under a redraw.
        const writing = this.element.contains(document.activeElement) && document.activeElement.matches("input, textarea");
        if (!writing || round.state !== this.round.state) this.update(round);
      } catch (error) {
        if (error.status === undefined) throw error;
      }
    }, REREAD_MS);
  }

  #render() {
    const { round } = this;
    const kept = this.#keep();
    const notes = [
      round.state === "writing" && timer(round.writing_closes_at, "writing_closes_in"),
      round.state === "voting" && timer(round.voting_closes_at, "closes_in"),
      h("span", { class: "badge badge--accent" }, t(`round_${round.state}`)),
    ];
    this.note = trouble();
    this.bars = h("div", {});
    const body = { writing: () => this.#writing(kept.draft), shortlist: () => this.#shortlist(), voting: () => this.#voting(), decided: () => this.#outcome(), void: () => this.#outcome() };
    this.element.replaceChildren(card("book", t("story"), this.chain?.title ?? "", notes, ...(body[round.state]?.() ?? []).filter(Boolean), this.note, this.bars,
      h("p", { class: "small" }, h("a", { href: `/chains/${round.chain_id}` }, t("read_story")))));
    kept.restore();
    if (round.state === "voting") this.#renderBars();
  }

  /** What a redraw must not take away: what is written, what is unfolded, where the focus is. */
  #keep() {
    const form = this.element.querySelector("form[data-propose]");
    const open = [...this.element.querySelectorAll("details[data-keep][open]")].map((each) => each.dataset.keep);
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.keep : undefined;
    const find = (name) => this.element.querySelector(`[data-keep="${CSS.escape(name)}"]`);
    return {
      draft: form ? { title: form.elements.title.value, body: form.elements.body.value } : { title: "", body: "" },
      restore: () => {
        for (const each of open.map(find)) if (each) each.open = true;
        if (focused) find(focused)?.focus();
      },
    };
  }

  #renderBars() {
    if (Object.keys(this.totals).length) this.bars.replaceChildren(barList(this.#candidates(), this.totals, this.round.winner_id ? [this.round.winner_id] : []));
  }

  #candidates() {
    const shortlisted = this.#proposals.filter((proposal) => proposal.shortlisted);
    return (shortlisted.length ? shortlisted : this.#proposals).map((proposal) => ({ id: proposal.id, text: proposal.title, more: () => reading(proposal) }));
  }

  #writing(draft) {
    const like = (proposal) => likeButton(proposal, this.liked.has(proposal.id), this.note, () => {
      this.liked[this.liked.has(proposal.id) ? "delete" : "add"](proposal.id);
      this.reread();
    });
    const byHand = this.chain?.rules.shortlist === "creator";
    return [
      proposalList(this.#proposals, like),
      proposeForm(this.round, draft, this.chain?.rules.max_chars ?? LONGEST, this.note, () => this.reread()),
      this.#advanceButton(byHand ? "end_writing" : "start_voting"),
    ];
  }

  #shortlist() {
    if (!this.rights.mayRun) return [proposalList(this.#proposals), h("p", { class: "muted small" }, t("creator_chooses"))];
    return [proposalList(this.#proposals), shortlistForm(this.round, this.note, () => this.reread())];
  }

  #voting() {
    const { round } = this;
    const options = this.#candidates();
    const legend = round.method === "plurality" ? t("choose_canon") : undefined;
    // What was filled in and not sent yet outlives a redraw.
    this.ballot = ballotForm({ name: `round-${round.id}`, method: round.method, options, most: round.method === "plurality" ? 1 : options.length, legend }, this.ballot?.read() ?? round.ballot);
    return [castForm(this.ballot, {
      url: `/api/v1/rounds/${round.id}/ballot`,
      voted: round.voted,
      onCast: (ballot, form) => {
        this.cast = ballot;
        Object.assign(this.round, { voted: true, ballot });
        if (!this.element.contains(form)) this.#render();
      },
      beside: () => this.#advanceButton("decide_now"),
    })];
  }

  #outcome() {
    const { round } = this;
    const winner = this.#proposals.find((proposal) => proposal.id === round.winner_id);
    if (!round.winner_id) return [h("p", {}, t("round_nothing"))];
    return [
      h("p", {}, h("strong", {}, winner?.title ?? ""), " ", t("became_canon")),
      winner && reading(winner),
      Object.keys(this.totals).length ? barList(this.#candidates(), this.totals, [round.winner_id]) : null,
    ];
  }

  #advanceButton(label) {
    if (!this.rights.mayRun) return null;
    const button = h("button", { class: "button button--quiet button--small votecard__advance", type: "button", onclick: () => attempt(button, this.note, async () => {
      await api("POST", `/api/v1/rounds/${this.round.id}/advance`);
      this.reread();
    }) }, t(label));
    return button;
  }
}
