// Says which moment is meant by what is typed for the time of a new task, here and in UTC.
import { shown, zone } from "./times.js";

const UNITS = { s: 1, m: 60, h: 3600, d: 86400 };

function moment(form) {
  const { time, delay, at } = form.elements;
  if (time.value === "at") return at.value ? new Date(at.value + (zone() === "UTC" ? "Z" : "")) : null;
  const said = /^\s*(\d+)\s*([smhd])\s*$/.exec(delay.value);
  return said ? new Date(Date.now() + said[1] * UNITS[said[2]] * 1000) : null;
}

export function begin(root) {
  for (const form of root.querySelectorAll("[data-when]:not([data-begun])")) {
    form.dataset.begun = "";
    const place = form.querySelector("[data-when-said]");
    const hint = place.textContent;
    const say = () => {
      const at = moment(form);
      if (!at || Number.isNaN(at.getTime()) || at.getFullYear() > 9999) { place.textContent = hint; return; }
      const here = zone() === "UTC" ? "" : `${shown(at, zone())}, that is `;
      place.textContent = `Due at ${here}${shown(at, "UTC")}.`;
    };
    form.addEventListener("input", say);
    for (const [field, choice] of [["delay", "delay"], ["at", "at"]]) {
      form.elements[field].addEventListener("focus", () => { form.elements.time.value = choice; say(); });
    }
    say();
  }
}
