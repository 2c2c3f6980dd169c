/** A round of a story chain inside the stream: propose, like, vote, and the episode that became canon. */
import { api } from "../lib/api.js";
import { explain, h, icon, t } from "../lib/dom.js";
import { totalsOf } from "../lib/tally.js";
import { attempt, barList, card, timer, trouble } from "./votes.js";

const REREAD_MS = 800;

export class RoundCard {
  /** @param {object} round the wire Round @param {{title: string, maxChars?: number, mayRun: boolean}} context */
  constructor(round, context) {
    this.round = round;
    this.context = context;
    this.version = -1;
    this.totals = {};
    this.liked = new Set();
    this.#noteLikes();
    this.element = h("div", {});
    this.#render();
  }

  update(round) {
    this.round = { ...this.round, ...round };
    this.#noteLikes();
    this.#render();
  }

  /** What this reader likes is told by the API alone; events are the same for everybody. */
  #noteLikes() {
    for (const { id, liked } of this.round.proposals ?? []) if (liked !== undefined) this.liked[liked ? "add" : "delete"](id);
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
        const round = await api("GET", `/api/v1/rounds/${this.round.id}`);
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
    const kept = this.#draft();
    const notes = [
      round.state === "writing" && timer(round.writing_closes_at, "writing_closes_in"),
      round.state === "voting" && timer(round.voting_closes_at, "closes_in"),
      h("span", { class: "badge badge--accent" }, t(`round_${round.state}`)),
    ];
    this.bars = h("div", {});
    const body = { writing: () => this.#writing(kept), shortlist: () => this.#proposals(), voting: () => this.#voting(), decided: () => this.#outcome(), void: () => this.#outcome() };
    this.element.replaceChildren(card("book", t("story"), this.context.title, notes, ...(body[round.state]?.() ?? []), this.bars,
      h("p", { class: "small" }, h("a", { href: `/chains/${round.chain_id}` }, t("read_story")))));
    if (round.state === "voting") this.#renderBars();
  }

  #renderBars() {
    if (Object.keys(this.totals).length) this.bars.replaceChildren(barList(this.#candidates(), this.totals, this.round.winner_id ? [this.round.winner_id] : []));
  }

  #candidates() {
    const all = this.round.proposals ?? [];
    const shortlisted = all.filter((proposal) => proposal.shortlisted);
    return (shortlisted.length ? shortlisted : all).map((proposal) => ({ id: proposal.id, text: proposal.title }));
  }

  #proposals() {
    const { round } = this;
    if (!round.proposals?.length) return [h("p", { class: "muted small" }, t("no_proposals"))];
    return [h("ul", { class: "proposals" }, round.proposals.map((proposal) => h("li", { class: "proposal" },
      h("details", {}, h("summary", {}, h("strong", {}, proposal.title), " ", h("span", { class: "muted" }, t("by", { name: proposal.author?.display_name ?? "" }))),
        h("div", { class: "prose" }, proposal.body ?? "")),
      round.state === "writing" && this.#likeButton(proposal))))];
  }

  #likeButton(proposal) {
    const mine = this.liked.has(proposal.id);
    return h("button", {
      class: "reaction", type: "button", "aria-pressed": String(mine), "aria-label": t("like", { title: proposal.title, count: proposal.likes ?? 0 }),
      onclick: async (event) => {
        const button = event.currentTarget;
        await attempt(button, this.note ?? trouble(), async () => {
          await api(mine ? "DELETE" : "PUT", `/api/v1/proposals/${proposal.id}/like`);
          this.liked[mine ? "delete" : "add"](proposal.id);
          this.reread();
        }, explain);
      },
    }, icon("heart"), h("span", {}, String(proposal.likes ?? 0)));
  }

  #draft() {
    const form = this.element.querySelector("form[data-propose]");
    return form ? { title: form.elements.title.value, body: form.elements.body.value } : { title: "", body: "" };
  }

  #writing(kept) {
    const id = this.round.id;
    this.note = trouble();
    const { note } = this;
    const input = (name, label, control) => h("div", { class: "field" }, h("label", { class: "field__label", for: `${name}-${id}` }, label), control);
    const form = h("form", { class: "form", "data-propose": "" },
      input("title", t("proposal_title"), h("input", { class: "input", id: `title-${id}`, name: "title", required: true, maxLength: 120, value: kept.title })),
      input("body", t("proposal_body"), h("textarea", { class: "input", id: `body-${id}`, name: "body", rows: 5, required: true, maxLength: this.context.maxChars ?? 20000, value: kept.body })),
      h("label", { class: "choice" }, h("input", { type: "checkbox", name: "licence", required: true }), h("span", {}, t("licence"))),
      h("button", { class: "button button--primary button--small", type: "submit" }, t("propose")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(form, note, async () => {
        await api("POST", `/api/v1/rounds/${id}/proposals`, { title: form.elements.title.value.trim(), body: form.elements.body.value.trim(), accept_licence: form.elements.licence.checked });
        form.reset();
        document.activeElement?.blur();
        this.reread();
      }, explain);
    });
    return [...this.#proposals(), h("details", { class: "votecard__more", open: Boolean(kept.title || kept.body) }, h("summary", {}, t("write_next")), form), note, this.#advance(note, "start_voting")];
  }

  #voting() {
    const { round } = this;
    const note = trouble();
    const name = `round-${round.id}`;
    const many = round.method === "approval";
    const bodies = new Map((round.proposals ?? []).map((proposal) => [proposal.id, proposal]));
    const form = h("form", { class: "votecard__form" },
      h("fieldset", { class: "choices" }, h("legend", {}, t(many ? "choose_many" : "choose_canon")), this.#candidates().map((candidate) => h("div", {},
        h("label", { class: "choice" }, h("input", { type: many ? "checkbox" : "radio", name, value: candidate.id, checked: this.voted?.includes(candidate.id) }), h("span", {}, candidate.text)),
        h("details", { class: "votecard__more" }, h("summary", {}, t("read_it")), h("div", { class: "prose" }, bodies.get(candidate.id)?.body ?? ""))))),
      note,
      h("div", { class: "cluster" }, h("button", { class: "button button--primary button--small", type: "submit" }, t("vote")), this.#advance(note, "decide_now")),
      h("p", { class: "votecard__thanks small", role: "status" }, this.voted || round.voted ? t("voted") : ""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(form, note, async () => {
        const choices = [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((each) => each.value);
        if (!choices.length) {
          note.textContent = t("choose_first");
          note.hidden = false;
          return;
        }
        await api("PUT", `/api/v1/rounds/${round.id}/ballot`, { choices });
        this.voted = choices;
        form.querySelector(".votecard__thanks").textContent = t("voted");
      }, explain);
    });
    return [form];
  }

  #outcome() {
    const { round } = this;
    const winner = round.proposals?.find((proposal) => proposal.id === round.winner_id);
    if (!round.winner_id) return [h("p", {}, t("round_nothing"))];
    return [
      h("p", {}, h("strong", {}, winner?.title ?? ""), " ", t("became_canon")),
      winner && h("details", { class: "votecard__more" }, h("summary", {}, t("read_it")), h("div", { class: "prose" }, winner.body)),
      Object.keys(this.totals).length ? barList(this.#candidates(), this.totals, [round.winner_id]) : null,
    ].filter(Boolean);
  }

  #advance(note, label) {
    if (!this.context.mayRun) return null;
    const button = h("button", { class: "button button--quiet button--small", type: "button", onclick: () => attempt(button, note, async () => {
      await api("POST", `/api/v1/rounds/${this.round.id}/advance`);
      this.reread();
    }, explain) }, t(label));
    return button;
  }
}
