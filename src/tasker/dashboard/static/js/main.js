// Begins everything. Each module looks for what it is about, now and after a part of the page was replaced.
import * as bulk from "./bulk.js";
import * as copy from "./copy.js";
import "./keys.js";
import "./live.js";
import * as plots from "./plots.js";
import * as times from "./times.js";
import * as views from "./views.js";
import * as when from "./when.js";

const modules = [bulk, copy, plots, times, views, when];

for (const module of modules) module.begin(document);
for (const event of ["htmx:after:swap", "tasker:fresh"]) {
  document.addEventListener(event, () => { for (const module of modules) module.begin(document); });
}
