/**
 * Rank the options: touch them in the order you like them, then move them. What stays unranked comes last together.
 * Every step is a button, so that it needs neither dragging nor sight; each move is said aloud.
 */
import { h, icon, t } from "../lib/dom.js";
import { STEPS, placeOf } from "./ranks.js";

// Instant runoff and the transferable vote pass each ballot on to one option: they take no ties.
const MAY_TIE = new Set(["schulze"]);

export function ranking({ method, options, legend }, own) {
  const known = new Map(options.map((option) => [option.id, option]));
  let ranks = (own?.ranking ?? []).map((equals) => equals.filter((id) => known.has(id))).filter((equals) => equals.length);
  const ranked = h("ol", { class: "ranking__list" });
  const rest = h("ul", { class: "ranking__list" });
  const hint = h("p", { class: "small muted" });
  const spoken = h("p", { class: "visually-hidden", role: "status" });
  const element = h("fieldset", { class: "choices ranking" }, h("legend", {}, legend ?? t("rank_them")), ranked, hint, rest, spoken);

  function take(step, id) {
    ranks = STEPS[step](ranks, id);
    draw();
    const place = placeOf(ranks, id);
    const name = known.get(id).text;
    spoken.textContent = place < 0 ? t("rank_out", { name }) : t("rank_placed", { name, place: place + 1, count: ranks.length });
    focusAfter(step, id);
  }

  /** The same button again, so that one can press on; else the next best. */
  function focusAfter(step, id) {
    const row = element.querySelector(`[data-option="${CSS.escape(id)}"]`);
    const again = step === "rank" ? rest.querySelector("button") : row.querySelector(`[data-step="${step}"]:not(:disabled)`);
    (again ?? row.querySelector("button:not(:disabled)")).focus();
  }

  const button = (option, step, symbol, props = {}) => {
    const label = t(`rank_${step}`, { name: option.text });
    return h("button", { class: `iconbutton ranking__${step}`, type: "button", "data-step": step, "aria-label": label, title: label, onclick: () => take(step, option.id), ...props }, icon(symbol));
  };

  function rankedRow(option, { place, isLevel, isFirst, isLast }) {
    return h("li", { class: `ranking__row ${isLevel ? "ranking__row--level" : ""}`, "data-option": option.id },
      h("span", { class: "ranking__place" }, String(place + 1)),
      h("span", { class: "ranking__text" }, option.text),
      h("span", { class: "ranking__steps" },
        MAY_TIE.has(method) && button(option, "level", "equal", { "aria-pressed": String(isLevel), disabled: isFirst }),
        button(option, "up", "up", { disabled: isFirst }),
        button(option, "down", "down", { disabled: isLast }),
        button(option, "unrank", "close")),
      option.more?.());
  }

  function restRow(option) {
    return h("li", { class: "choices__row", "data-option": option.id },
      h("button", { class: "choice ranking__add", type: "button", onclick: () => take("rank", option.id) },
        icon("plus"), h("span", {}, h("span", { class: "visually-hidden" }, t("rank_rank"), " "), option.text)),
      option.more?.());
  }

  function draw() {
    const rows = ranks.flatMap((equals, place) => equals.map((id, i) => ({ option: known.get(id), place, isLevel: i > 0 })));
    ranked.replaceChildren(...rows.map(({ option, place, isLevel }, i) => rankedRow(option, {
      place, isLevel, isFirst: i === 0, isLast: place === ranks.length - 1 && ranks[place].length === 1,
    })));
    const left = options.filter((option) => placeOf(ranks, option.id) < 0);
    rest.replaceChildren(...left.map(restRow));
    hint.textContent = !rows.length ? t("rank_begin") : left.length ? t("rank_rest") : "";
    hint.hidden = !hint.textContent;
  }

  draw();
  return { element, read: () => (ranks.length ? { ranking: ranks } : null) };
}
