/** Draws <figure data-chart> from the JSON beside its table. The table stays the accessible form of the numbers. */
import uPlot from "uplot";
import { h } from "../lib/dom.js";

const HEIGHT = 220;
const WHOLE_STEPS = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6, 7].map((power) => step * 10 ** power)).sort((a, b) => a - b);
// A young group's first months are as wide as later ones will be.
const FEWEST_COLUMNS = 5;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** light-dark() of a token, resolved by the browser to one colour. */
function colour(name) {
  const probe = h("span", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || token(name);
}

const PALETTE = ["--accent", "--info", "--good", "--gold", "--bad"];

function plot(figure, kind, data) {
  const place = figure.querySelector("[data-plot]");
  place.replaceChildren();
  const dated = data.labels.every((label) => DAY.test(label));
  const xs = dated ? data.labels.map((label) => Date.parse(label) / 1000) : data.labels.map((_, i) => i);
  const axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  // Bars of one label stand side by side: of two, the one ends where the other begins.
  const side = (i) => (data.series.length === 2 ? (i ? 1 : -1) : 0);
  const bars = (i) => ({ paths: uPlot.paths.bars({ size: [0.7 / data.series.length, 24], align: side(i) }), points: { show: false }, width: 0 });
  const look = (i) => (kind === "bar" ? bars(i) : { points: { show: data.labels.length < 8 }, width: 2 });
  // People are counted whole.
  const whole = data.series.every((series) => series.values.every((value) => value === null || Number.isInteger(value)));
  const xAxis = dated ? axis : { ...axis, splits: () => xs, values: (_, places) => places.map((i) => data.labels[i] ?? "") };
  return new uPlot(
    {
      width: place.clientWidth || 320,
      height: HEIGHT,
      legend: { show: data.series.length > 1, live: false },
      cursor: { y: false },
      scales: { x: { time: dated, range: dated ? undefined : [-0.6, xs.length - 0.4] }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(1, high * 1.1)] } },
      axes: [xAxis, { ...axis, size: 56, ...(whole ? { incrs: WHOLE_STEPS } : {}) }],
      series: [
        {},
        ...data.series.map((series, i) => {
          const stroke = colour(PALETTE[i % PALETTE.length]);
          return { label: series.name, stroke, fill: kind === "bar" ? stroke : undefined, ...look(i) };
        }),
      ],
    },
    [xs, ...data.series.map((series) => series.values)],
    place,
  );
}

function cohort(figure, data) {
  const place = figure.querySelector("[data-plot]");
  const columns = Math.max(FEWEST_COLUMNS, ...data.rows.map((row) => row.values.length));
  const rows = data.rows.map((row) => {
    const line = h("div", { class: "cohort__row" }, h("span", {}, row.label));
    line.style.setProperty("--columns", columns);
    line.append(...row.values.map((share) => {
      const cell = h("span", { class: "cohort__cell" }, share === null ? "" : `${Math.round(share * 100)} %`);
      // At most 45 % of the accent: the ink stays readable on every cell.
      cell.style.setProperty("--heat", `${Math.round((share ?? 0) * 45)}%`);
      return cell;
    }));
    return line;
  });
  place.replaceChildren(h("div", { class: "cohort" }, rows));
}

for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  if (figure.dataset.chart === "cohort") {
    cohort(figure, data);
    continue;
  }
  if (!data.labels.length) continue;
  let chart = plot(figure, figure.dataset.chart, data);
  new ResizeObserver(() => chart.setSize({ width: figure.clientWidth, height: HEIGHT })).observe(figure);
  // Canvas colours do not follow the page: draw again when the theme changes.
  const redraw = () => {
    chart.destroy();
    chart = plot(figure, figure.dataset.chart, data);
  };
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
