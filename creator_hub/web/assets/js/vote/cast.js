/** Casting a ballot: one button, held while it is sent, an error that is heard, and the word that it counts. */
import { api } from "../lib/api.js";
import { explain, h, t } from "../lib/dom.js";

/** An error line that screen readers hear. */
export const trouble = () => h("p", { class: "field__error", role: "alert", hidden: true });

export function complain(note, text) {
  note.textContent = text;
  note.hidden = false;
}

/** Run `work` with the form or button held, and its error shown in `note`. */
export async function attempt(element, note, work) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  note.hidden = true;
  try {
    await work();
  } catch (error) {
    if (error.status === undefined) throw error;
    complain(note, explain(error));
  } finally {
    element.setAttribute("aria-busy", "false");
  }
}

/**
 * @param {import("./ballot.js").BallotForm} ballot
 * @param {{url: string, voted: boolean, final?: boolean, onCast?: (ballot: object, form: HTMLFormElement) => void, beside?: (note: HTMLElement) => Node|false}} to
 */
export function castForm(ballot, { url, voted, final = false, onCast, beside }) {
  const note = trouble();
  const counted = () => t(final ? "voted_final" : "voted");
  const thanks = h("p", { class: "votecard__thanks small", role: "status" }, voted ? counted() : "");
  const form = h("form", { class: "votecard__form" }, ballot.element, note,
    h("div", { class: "cluster" }, h("button", { class: "button button--primary button--small", type: "submit" }, t("vote")), beside?.(note)), thanks);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const filled = ballot.read();
    if (!filled) return complain(note, t("choose_first"));
    return attempt(form, note, async () => {
      await api("PUT", url, filled);
      thanks.textContent = counted();
      onCast?.(filled, form);
    });
  });
  return form;
}
