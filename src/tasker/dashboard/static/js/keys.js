// Keys for those who do not reach for the mouse. None works while something is being typed.
const GO = { o: "/", t: "/tasks", l: "/timeline", s: "/schedules", d: "/destinations", f: "/failures" };
const root = document.querySelector("[data-live-state]")?.dataset.liveState ?? "";
let isGoing = false;

function isTyping(target) {
  return target.isContentEditable || target.matches("input, textarea, select");
}

function rows() {
  return [...document.querySelectorAll("main table a.row")];
}

function move(by) {
  const links = rows();
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
}

function press(words) {
  const button = [...document.querySelectorAll("main .acts button")].find((each) => each.textContent.trim() === words);
  button?.click();
}

function mark() {
  document.activeElement.closest("tr")?.querySelector('input[type="checkbox"]')?.click();
}

const HERE = {
  j: () => move(1), k: () => move(-1), x: mark, n: () => { location.href = `${root}/new`; },
  r: () => press("Retry"), c: () => press("Cancel"), u: () => press("Run now"),
  "/": () => document.querySelector('main form[role="search"] input:not([type="checkbox"], [type="hidden"])')?.focus(),
  "?": () => document.querySelector("[data-keys]")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (isGoing && GO[event.key]) location.href = root + GO[event.key];
  else if (!isGoing && HERE[event.key]) HERE[event.key]();
  else if (event.key !== "g") { isGoing = false; return; }
  isGoing = event.key === "g" && !isGoing;
  event.preventDefault();
});
