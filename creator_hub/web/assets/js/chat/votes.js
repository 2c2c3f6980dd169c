/** What polls and rounds share: their frame, bars, the time that is left. */
import { h, icon, t } from "../lib/dom.js";
import { bars } from "../lib/tally.js";
import { countdown, dateTime } from "../lib/time.js";

const number = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

/** @param {{id: string, text: string}[]} options @param {object} totals @param {string[]} winners */
export function barList(options, totals, winners = []) {
  return h("ul", { class: "bars" }, bars(options, totals).map(({ option, total, share }) => {
    const won = winners.includes(option.id);
    const fill = h("span", { class: "bars__fill" });
    fill.style.inlineSize = `${Math.round(share * 100)}%`;
    return h("li", { class: `bars__row ${won ? "bars__row--won" : ""}` },
      h("span", { class: "bars__label" }, won && icon("check"), option.text, won && h("span", { class: "visually-hidden" }, ` (${t("winner")})`)),
      h("span", { class: "bars__count" }, number(total)),
      h("span", { class: "bars__track", "aria-hidden": "true" }, fill));
  }));
}

/** A ticking "closes in …"; it stops with its element. */
export function timer(closesAt, key) {
  if (!closesAt) return null;
  const moment = new Date(closesAt);
  const element = h("span", { class: "votecard__timer", title: dateTime(moment) });
  const show = () => {
    const left = countdown(moment);
    element.textContent = left ? t(key, { left }) : t("closing");
  };
  show();
  const ticking = setInterval(() => (element.isConnected || !element.dataset.seen ? show() : clearInterval(ticking)), 1000);
  setTimeout(() => (element.dataset.seen = "1"), 5_000);
  return element;
}

/** A vote's frame: kind, title, notes and body. */
export const card = (symbol, kind, title, notes, ...body) =>
  h("article", { class: "votecard" },
    h("header", { class: "votecard__head" }, h("span", { class: "votecard__kind" }, icon(symbol), kind), ...notes.filter(Boolean)),
    h("h2", { class: "votecard__title" }, title), ...body);
