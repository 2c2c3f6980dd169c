/** The ballot on the page of a poll or a story: `<div data-vote>` holds the vote as JSON. */
import { h, t } from "../lib/dom.js";
import { ballotForm } from "../vote/ballot.js";
import { castForm } from "../vote/cast.js";

for (const place of document.querySelectorAll("[data-vote]")) {
  const vote = JSON.parse(place.querySelector("script").textContent);
  const options = vote.options.map(({ body, ...option }) => ({ ...option, more: body && (() => reading(body)) }));
  place.replaceChildren(castForm(ballotForm({ ...vote, options, name: "vote" }, vote.ballot), { url: vote.url, voted: vote.voted, final: vote.final }));
}

function reading(body) {
  return h("details", { class: "votecard__more" }, h("summary", {}, t("read_it")), h("div", { class: "prose" }, body));
}
