/** The presenter's view of a Q&A: the question in big type, one key for each step. */
import { api } from "../lib/api.js";
import { explain, pageData, t } from "../lib/dom.js";
import { once, watch } from "../lib/watch.js";
import { concerns, isWaiting, liveOf, nextOf } from "../qa/order.js";

const page = pageData("page-data");
const root = document.querySelector("[data-present]");
const $ = (name) => root.querySelector(`[data-${name}]`);
const form = $("answer");
const box = form.querySelector("textarea");
let { qa } = page;
let busy = false;

function show() {
  const live = liveOf(qa.questions);
  const next = nextOf(qa.questions);
  $("now").textContent = live?.text ?? t(qa.state === "closed" ? "closed" : "nobody_waits");
  $("now").classList.toggle("present__question--none", !live);
  $("meta").textContent = live ? [live.author?.display_name ?? t("anonymous"), t("votes", { count: live.upvotes })].join(" · ") : "";
  const waiting = qa.questions.filter((each) => isWaiting(each) && each !== live).length;
  $("up-next").textContent = next ? `${t("next_up", { text: next.text })} · ${t("waiting", { count: waiting })}` : "";
  for (const button of document.querySelectorAll("[data-key]")) {
    const needs = button.dataset.key === "n" ? next : button.dataset.key === "f" ? true : live;
    button.disabled = !needs;
  }
}

const refresh = once(async () => {
  try {
    qa = await api("GET", `/api/v1/qa/${qa.id}`);
    show();
  } catch (error) {
    if (error.status === undefined) throw error;
  }
});

async function act(method, path, body) {
  if (busy) return false;
  busy = true;
  $("trouble").hidden = true;
  try {
    await api(method, `/api/v1/questions/${path}`, body);
    return true;
  } catch (error) {
    if (error.status === undefined) throw error;
    $("trouble").textContent = explain(error);
    $("trouble").hidden = false;
    return false;
  } finally {
    busy = false;
    await refresh();
  }
}

function write(open) {
  form.hidden = !open;
  if (open) box.focus();
  else box.blur();
}

const KEYS = {
  n: () => { const next = nextOf(qa.questions); return next && act("POST", `${next.id}/live`); },
  a: () => liveOf(qa.questions) && write(true),
  d: () => { const live = liveOf(qa.questions); return live && act("POST", `${live.id}/answer`, { text: t("aloud") }); },
  s: () => { const live = liveOf(qa.questions); return live && act("POST", `${live.id}/skip`); },
  p: () => { const live = liveOf(qa.questions); return live && act(live.pinned ? "DELETE" : "POST", `${live.id}/pin`); },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
};

async function publish() {
  const live = liveOf(qa.questions);
  if (!live || !box.value.trim()) return;
  if (await act("POST", `${live.id}/answer`, { text: box.value })) {
    box.value = "";
    write(false);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.target === box) {
    if (event.key === "Escape") write(false);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) publish();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const step = KEYS[event.key.toLowerCase()];
  if (!step) return;
  event.preventDefault();
  step();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  publish();
});
for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => KEYS[button.dataset.key]());

show();
watch(qa.channel_id, (name, payload) => concerns(qa.id, name, payload), refresh);
