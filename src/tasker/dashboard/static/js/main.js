// Begins everything. Each module looks for what it is about, now and after a part of the page was replaced.
import * as times from "./times.js";

const modules = [times];

for (const module of modules) module.begin(document);
document.addEventListener("htmx:after:swap", () => { for (const module of modules) module.begin(document); });
