/** The proposals of a round: read them, like them, write one, choose who stands for the vote. */
import { api } from "../lib/api.js";
import { h, icon, t } from "../lib/dom.js";
import { attempt, complain } from "../vote/cast.js";

/** Unfolds the text of a proposal. */
export const reading = (proposal) => h("details", { class: "votecard__more", "data-keep": `read-${proposal.id}` },
  h("summary", {}, t("read_it")), h("div", { class: "prose" }, proposal.body));

/** @param {object[]} proposals @param {((proposal: object) => Node)|null} beside what stands beside each */
export function proposalList(proposals, beside = null) {
  if (!proposals.length) return h("p", { class: "muted small" }, t("no_proposals"));
  return h("ul", { class: "proposals" }, proposals.map((proposal) => h("li", { class: "proposal" },
    h("details", { "data-keep": `read-${proposal.id}` },
      h("summary", {}, h("strong", {}, proposal.title), " ", h("span", { class: "muted" }, t("by", { name: proposal.author?.display_name ?? "" }))),
      h("div", { class: "prose" }, proposal.body ?? "")),
    beside?.(proposal))));
}

/** @param {object} proposal @param {boolean} mine @param {HTMLElement} note @param {() => void} onChange */
export function likeButton(proposal, mine, note, onChange) {
  const button = h("button", {
    class: "reaction", type: "button", "data-keep": `like-${proposal.id}`, "aria-pressed": String(mine),
    "aria-label": t("like", { title: proposal.title, count: proposal.likes ?? 0 }),
    onclick: () => attempt(button, note, async () => {
      await api(mine ? "DELETE" : "PUT", `/api/v1/proposals/${proposal.id}/like`);
      onChange();
    }),
  }, icon("heart"), h("span", {}, String(proposal.likes ?? 0)));
  return button;
}

const field = (id, label, control) => h("div", { class: "field" }, h("label", { class: "field__label", for: id }, label), control);

/** @param {object} round @param {{title: string, body: string}} draft @param {number} longest @param {HTMLElement} note @param {() => void} onDone */
export function proposeForm(round, draft, longest, note, onDone) {
  const form = h("form", { class: "form", "data-propose": "" },
    field(`title-${round.id}`, t("proposal_title"), h("input", { class: "input", id: `title-${round.id}`, name: "title", required: true, maxLength: 200, value: draft.title })),
    field(`body-${round.id}`, t("proposal_body"), h("textarea", { class: "input", id: `body-${round.id}`, name: "body", rows: 5, required: true, maxLength: longest, value: draft.body })),
    h("label", { class: "choice" }, h("input", { type: "checkbox", name: "licence", required: true }), h("span", {}, t("licence"))),
    h("button", { class: "button button--primary button--small", type: "submit" }, t("propose")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { title, body, licence } = form.elements;
    attempt(form, note, async () => {
      await api("POST", `/api/v1/rounds/${round.id}/proposals`, { title: title.value.trim(), body: body.value.trim(), accept_licence: licence.checked });
      form.reset();
      document.activeElement?.blur();
      onDone();
    });
  });
  return h("details", { class: "votecard__more", "data-keep": `write-${round.id}`, open: Boolean(draft.title || draft.body) }, h("summary", {}, t("write_next")), form);
}

/** Where the rules leave the shortlist to the creator: tick who stands. */
export function shortlistForm(round, note, onDone) {
  const boxes = round.proposals.map((proposal) => h("input", { type: "checkbox", value: proposal.id }));
  const form = h("form", { class: "votecard__form" },
    h("fieldset", { class: "choices" }, h("legend", {}, t("who_stands")),
      round.proposals.map((proposal, i) => h("label", { class: "choice" }, boxes[i], h("span", {}, proposal.title)))),
    h("button", { class: "button button--primary button--small", type: "submit" }, t("start_voting")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const shortlist = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!shortlist.length) return complain(note, t("choose_first"));
    return attempt(form, note, async () => {
      await api("POST", `/api/v1/rounds/${round.id}/advance`, { shortlist });
      onDone();
    });
  });
  return form;
}
