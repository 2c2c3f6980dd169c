/** The writing desk: the draft keeps itself on this device, the preview shows it as the book will. */
import { h, t } from "../lib/dom.js";
import { countdown } from "../lib/time.js";
import { paragraphs } from "../story/walk.js";

const form = document.querySelector("form[data-desk]");
const clock = document.querySelector("[data-countdown]");

if (clock) {
  const ends = new Date(clock.dataset.countdown);
  const tick = () => { clock.textContent = countdown(ends) || t("over"); };
  tick();
  setInterval(tick, 1_000);
}

if (form) {
  const key = `draft ${form.dataset.desk}`;
  const { title, body } = form.elements;
  const say = (text) => { form.querySelector("[data-kept]").textContent = text; };
  const left = form.querySelector("[data-left]");
  const preview = form.querySelector("[data-preview]");

  function show() {
    left.textContent = t("left", { count: Number(left.dataset.left) - body.value.length });
    if (!preview.open) return;
    form.querySelector("[data-preview-title]").textContent = title.value;
    form.querySelector("[data-preview-body]").replaceChildren(...paragraphs(body.value).map((lines) =>
      h("p", {}, ...lines.flatMap((line, n) => (n ? [h("br"), line] : [line])))));
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify({ title: title.value, body: body.value }));
      say(t("kept"));
    } catch {
      say("");
    }
    show();
  }

  function restore() {
    try {
      const draft = JSON.parse(localStorage.getItem(key) ?? "null");
      if (!draft) return;
      title.value = draft.title;
      body.value = draft.body;
      say(t("restored"));
    } catch {
      localStorage.removeItem(key);
    }
  }

  restore();
  show();
  form.addEventListener("input", keep);
  preview.addEventListener("toggle", show);
  form.addEventListener("hub:done", () => localStorage.removeItem(key));
}
