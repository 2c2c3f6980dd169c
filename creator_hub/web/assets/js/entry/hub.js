/** What every page has: theme, menus, dialogs, copy buttons, JSON forms, local times, job progress. */
import { api } from "../lib/api.js";
import { t, toast } from "../lib/dom.js";
import { submit } from "../lib/forms.js";
import { localise } from "../lib/time.js";

const YEAR_S = 31_536_000;
const POLL_MS = 1_000;
const ENDED = new Set(["ready", "done", "failed", "refused"]);

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast(t("copied"));
  } catch {
    const text = button.parentElement.querySelector("[data-copy-text]");
    if (text) getSelection().selectAllChildren(text);
    toast(t("copy_by_hand"));
  }
}

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-theme-toggle], [data-dialog], [data-close], [data-copy], [data-reload], button[data-api]");
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  if (event.target instanceof HTMLDialogElement && event.target.matches(".dialog")) closeFromBackdrop(event);
  if (!target) return;
  const { dataset } = target;
  if ("themeToggle" in dataset) toggleTheme();
  else if (dataset.dialog) document.getElementById(dataset.dialog)?.showModal();
  else if ("close" in dataset) target.closest("dialog")?.close();
  else if ("copy" in dataset) copy(target);
  else if ("reload" in dataset) location.reload();
  else submit(target, null);
});

function closeFromBackdrop(event) {
  const box = event.target.getBoundingClientRect();
  const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  if (!inside) event.target.close();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-api]")) return;
  event.preventDefault();
  submit(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/** Follow a job until it ends, then show the page anew. */
async function follow(element) {
  const bar = element.querySelector("progress");
  const state = element.querySelector("[data-job-state]");
  try {
    const job = await api("GET", element.dataset.pollUrl);
    if (bar && typeof job.progress === "number") bar.value = job.progress;
    if (ENDED.has(job.state)) return location.reload();
  } catch (error) {
    if (state) state.textContent = error.status === 0 ? t("offline") : error.message;
  }
  setTimeout(() => follow(element), POLL_MS);
}

for (const element of document.querySelectorAll("[data-poll-url]")) follow(element);
// On a phone the tabs scroll: the one that is open must be in sight.
document.querySelector(".tab[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
localise();
setInterval(() => localise(), 30_000);
