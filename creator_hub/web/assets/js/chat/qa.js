/** A Q&A session inside the stream: the door to its page. */
import { h, t } from "../lib/dom.js";
import { dateTime } from "../lib/time.js";
import { card } from "./votes.js";

/** @param {object} qa what `qa.opened` or `qa.closed` tells */
export function qaCard(qa) {
  const open = qa.state === "open";
  const notes = [h("span", { class: `badge ${open ? "badge--good" : ""}` }, t(open ? "qa_open" : "closed"))];
  const begins = open && qa.starts_at && h("p", { class: "muted small" }, t("qa_begins", { when: dateTime(new Date(qa.starts_at)) }));
  return h("div", {}, card("chat", t("qa"), qa.title, notes, begins,
    h("div", { class: "cluster" }, h("a", { class: "button button--primary button--small", href: `/qa/${qa.id}` }, t(open ? "qa_ask" : "qa_read")))));
}
