/** Choose one, or some: radios or checkboxes, never more than the vote takes. */
import { h, t } from "../lib/dom.js";

export function choices({ name, method, options, most, legend }, own) {
  const chosen = new Set(own?.choices ?? []);
  const many = method === "approval" || most > 1;
  const limited = many && most < options.length;
  const inputs = options.map((option) => h("input", { type: many ? "checkbox" : "radio", name, value: option.id, checked: chosen.has(option.id) }));
  const element = h("fieldset", { class: "choices" },
    h("legend", {}, legend ?? (limited ? t("choose_up_to", { most }) : t(many ? "choose_many" : "choose_one"))),
    options.map((option, i) => h("div", { class: "choices__row" }, h("label", { class: "choice" }, inputs[i], h("span", {}, option.text)), option.more?.())));
  const ticked = () => inputs.filter((input) => input.checked).map((input) => input.value);
  const limit = () => {
    const full = ticked().length >= most;
    for (const input of inputs) input.disabled = full && !input.checked;
  };
  if (limited) {
    limit();
    element.addEventListener("change", limit);
  }
  return { element, read: () => (ticked().length ? { choices: ticked() } : null) };
}
