// Draws the plots, from the tables behind them.
import { zone } from "./times.js";

const SRC = new URL("../vendor/uPlot.iife.min.js", import.meta.url);
const CSS = new URL("../vendor/uPlot.min.css", import.meta.url);
// As uPlot has them, by a clock of 24 hours: the distance, the form, then what is said where a year, month, day, hour or minute begins.
const day = "{D} {MMM}";
const TIMES = [
  [86400 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86400, day, "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${day}`, null, `\n${day}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${day}`, null, `\n${day}`, null, null, null, 1],
];
const drawn = new WeakMap();
let library;

function load() {
  library ??= new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: CSS }));
    document.head.append(Object.assign(document.createElement("script"), { src: SRC, onload: resolve, onerror: reject }));
  });
  return library;
}

function read(figure) {
  const rows = [...figure.querySelectorAll("details tbody tr")];
  const names = [...figure.querySelectorAll("details thead th")].slice(1).map((cell) => cell.textContent);
  const starts = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
  const columns = names.map((_, place) => rows.map((row) => {
    const value = row.cells[place + 1].dataset.value;
    return value === undefined ? null : Number(value);
  }));
  return { names, starts, columns };
}

function stacked(columns) {
  const sums = [];
  let below = columns[0]?.map(() => 0) ?? [];
  for (const column of columns) sums.push(below = column.map((value, place) => (value ?? 0) + below[place]));
  return sums;
}

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  if (value < 0.001) return `${(value * 1e6).toFixed(0)} µs`;
  if (value < 1) return `${Number((value * 1e3).toPrecision(3))} ms`;
  if (value < 120) return `${Number(value.toPrecision(3))} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

function options(figure, names, order, isStacked) {
  const style = getComputedStyle(figure);
  const colours = [...figure.querySelectorAll(".colours > *")].map((each) => getComputedStyle(each).color);
  const isTime = figure.dataset.unit === "s";
  const shown = isTime ? seconds : (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en-GB"));
  const axis = { font: `12px ${style.fontFamily}`, stroke: style.color, grid: { stroke: style.borderColor, width: 1 }, ticks: { show: false } };
  return {
    tzDate: (stamp) => window.uPlot.tzDate(new Date(stamp * 1000), zone()), width: figure.clientWidth, height: 220, cursor: { y: false }, legend: { live: true },
    scales: { y: isTime ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(max, 1) * 1.05] } },
    axes: [{ ...axis, space: 64, values: TIMES }, { ...axis, size: 60, grid: { ...axis.grid, show: !isTime }, values: (_, marks) => marks.map((mark) => (mark === null ? "" : shown(mark))) }],
    series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...order.map((at) => colours[at]).map((colour, place) => ({
      label: names[order[place]], stroke: colour, width: 1.5, points: { show: false },
      fill: isStacked ? colour : undefined,
      value: (plot, value, _, index) => shown(index === null || index === undefined ? null : plot.raw[place][index]),
    }))],
  };
}

function draw(figure) {
  const { names, starts, columns } = read(figure);
  const isStacked = figure.dataset.plot === "stacked";
  const isTime = figure.dataset.unit === "s";
  // A logarithmic axis has no zero.
  let values = isTime ? columns.map((column) => column.map((value) => (value === 0 ? 1e-4 : value))) : columns;
  let order = names.map((_, place) => place);
  if (isStacked) values = stacked(columns);
  const before = drawn.get(figure);
  const place = figure.querySelector(".canvas");
  if (isStacked) { order = order.reverse(); values = order.map((at) => values[at]); }
  if (before && place.contains(before.root)) {
    before.raw = order.map((at) => columns[at]);
    before.setData([starts, ...values]);
    return;
  }
  place.replaceChildren();
  if (!columns.flat().some((value) => value)) {
    place.append(Object.assign(document.createElement("p"), { className: "quiet", textContent: "Nothing in this time." }));
    return;
  }
  const plot = new window.uPlot(options(figure, names, order, isStacked), null, place);
  plot.raw = order.map((at) => columns[at]);
  plot.setData([starts, ...values]);
  drawn.set(figure, plot);
}

export async function begin(root) {
  const figures = [...root.querySelectorAll("[data-plot]")];
  if (!figures.length) return;
  await load();
  for (const figure of figures) draw(figure);
}

let resizing;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const figure of document.querySelectorAll("[data-plot]")) {
      drawn.get(figure)?.setSize({ width: figure.clientWidth, height: 220 });
    }
  }, 100);
});
