/** Give each option 0 to 5: a row of radios per option, so that one arrow key or one touch is one score. */
import { h, t } from "../lib/dom.js";

const SCORES = [0, 1, 2, 3, 4, 5];

export function scores({ name, options, legend }, own) {
  const given = own?.scores ?? {};
  const row = (option) => {
    const words = `${name}-${option.id}`;
    return h("fieldset", { class: "scores" },
      h("legend", { class: "scores__text" }, option.text),
      h("div", { class: "scores__steps" }, SCORES.map((score) => h("label", { class: "scores__step" },
        h("input", { type: "radio", name: words, value: String(score), checked: given[option.id] === score, "data-option": option.id }),
        h("span", {}, String(score))))),
      option.more?.());
  };
  const element = h("fieldset", { class: "choices" },
    h("legend", {}, legend ?? t("give_scores")),
    h("p", { class: "scores__ends small muted", "aria-hidden": "true" }, h("span", {}, t("worst")), h("span", {}, t("best"))),
    options.map(row));
  return {
    element,
    read: () => {
      const ticked = [...element.querySelectorAll("input:checked")];
      return ticked.length ? { scores: Object.fromEntries(ticked.map((input) => [input.dataset.option, Number(input.value)])) } : null;
    },
  };
}
