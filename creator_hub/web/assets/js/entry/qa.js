/** An open Q&A: ask, vote, and for the staff approve, pin, answer and skip. */
import { api } from "../lib/api.js";
import { explain, h, icon, pageData, t, toast } from "../lib/dom.js";
import { dateTime } from "../lib/time.js";
import { once, watch } from "../lib/watch.js";
import { arranged, concerns, isWaiting } from "../qa/order.js";

const page = pageData("page-data");
const list = document.querySelector("[data-questions]");
let { qa } = page;
const drafts = new Map();

const refresh = once(async () => {
  try {
    qa = await api("GET", `/api/v1/qa/${qa.id}`);
  } catch (error) {
    if (error.status === undefined) throw error;
    return;
  }
  if (qa.state === "closed") location.reload();
  else show();
});

async function act(method, path, body) {
  try {
    await api(method, `/api/v1/questions/${path}`, body);
    await refresh();
    return true;
  } catch (error) {
    if (error.status === undefined) throw error;
    toast(explain(error), true);
    return false;
  }
}

function voteButton(question) {
  const label = `${t(question.upvoted ? "voted_up" : "vote_up")}: ${t("votes", { count: question.upvotes })}`;
  return h("button", {
    class: "question__vote", type: "button", "aria-pressed": String(Boolean(question.upvoted)), "aria-label": label, title: label,
    disabled: !isWaiting(question), "data-focus": `vote-${question.id}`,
    onclick: () => act(question.upvoted ? "DELETE" : "PUT", `${question.id}/upvote`),
  }, h("span", { "aria-hidden": "true" }, "▲"), h("strong", {}, String(question.upvotes)));
}

function tool(question, name, method, path, label = t(name)) {
  return h("button", { class: "button button--quiet button--small", type: "button", "data-focus": `${name}-${question.id}`, onclick: () => act(method, `${question.id}/${path}`) }, label);
}

function answerForm(question) {
  const box = h("textarea", { class: "input", rows: 3, maxLength: Number(list.dataset.longestAnswer), "aria-label": t("your_answer"), "data-focus": `text-${question.id}` });
  box.value = drafts.get(question.id) ?? question.answer ?? "";
  box.addEventListener("input", () => drafts.set(question.id, box.value));
  const form = h("form", { class: "form" }, box, h("div", { class: "actions" }, h("button", { class: "button button--primary button--small", type: "submit" }, t("save_answer"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!box.value.trim()) return;
    if (await act("POST", `${question.id}/answer`, { text: box.value })) {
      drafts.delete(question.id);
      show();
    }
  });
  return form;
}

function tools(question) {
  const { state } = question;
  const writing = drafts.has(question.id);
  const waits = isWaiting(question);
  return h("div", { class: "question__tools" },
    page.is_staff && (state === "asked" || state === "skipped") && tool(question, "approve", "POST", "approve"),
    page.is_staff && waits && state !== "live" && tool(question, "live", "POST", "live"),
    page.is_staff && !writing && h("button", { class: "button button--quiet button--small", type: "button", onclick: () => { drafts.set(question.id, question.answer ?? ""); show(); } }, t(question.answer ? "edit_answer" : "answer")),
    page.is_staff && waits && (question.pinned ? tool(question, "unpin", "DELETE", "pin") : tool(question, "pin", "POST", "pin")),
    page.is_staff && waits && tool(question, "skip", "POST", "skip"),
    (page.is_staff || question.mine) && h("button", { class: "button button--ghost button--small", type: "button", onclick: () => confirm(t("remove_sure")) && act("DELETE", question.id) }, t("remove")));
}

function row(question) {
  const who = question.author?.display_name ?? t("anonymous");
  const notes = [question.pinned && t("pinned"), question.state !== "asked" || qa.moderated ? t(`state_${question.state}`) : "", question.mine && t("mine")];
  return h("article", { class: `question question--${question.state} ${question.pinned ? "question--pinned" : ""}`, id: `question-${question.id}` },
    voteButton(question),
    h("div", { class: "question__body" },
      h("p", { class: "question__text" }, question.text),
      h("p", { class: "question__meta muted small" }, [who, ...notes].filter(Boolean).join(" · ")),
      question.answer && h("div", { class: "question__answer" }, h("p", {}, question.answer), h("p", { class: "muted small" }, `${question.answered_by?.display_name ?? ""}, ${dateTime(new Date(question.answered_at))}`)),
      page.is_staff && drafts.has(question.id) && answerForm(question),
      tools(question)));
}

/** Draw the list anew and keep the reader's focus and cursor where they were. */
function show() {
  const active = document.activeElement;
  const key = list.contains(active) ? active.dataset.focus : null;
  const cursor = active instanceof HTMLTextAreaElement ? [active.selectionStart, active.selectionEnd] : null;
  const rows = arranged(qa.questions).map(row);
  list.replaceChildren(...(rows.length ? rows : [h("p", { class: "muted" }, icon("chat"), " ", t("none"))]));
  if (!key) return;
  const again = list.querySelector(`[data-focus="${CSS.escape(key)}"]`);
  again?.focus();
  if (again && cursor) again.setSelectionRange(...cursor);
}

document.querySelector("form[data-ask]")?.addEventListener("hub:done", (event) => {
  event.preventDefault();
  event.target.reset();
  toast(t(qa.moderated && !page.is_staff ? "asked_moderated" : "asked"));
  refresh();
});

show();
watch(qa.channel_id, (name, payload) => concerns(qa.id, name, payload), refresh);
