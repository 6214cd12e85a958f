// Views that this browser keeps: the filters of a list under a name.
const key = (list) => `tasker.views.${list}`;

function read(list) {
  try { return JSON.parse(localStorage.getItem(key(list))) ?? {}; } catch { return {}; }
}

function write(list, views) {
  try { localStorage.setItem(key(list), JSON.stringify(views)); } catch { /* a browser that keeps nothing */ }
}

function link(list, name, query, redraw) {
  const chip = document.createElement("span");
  chip.className = "chip";
  const to = Object.assign(document.createElement("a"), { href: query || location.pathname, textContent: name });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "×" });
  drop.setAttribute("aria-label", `Forget the view ${name}`);
  drop.addEventListener("click", () => {
    const views = read(list);
    delete views[name];
    write(list, views);
    redraw();
  });
  chip.append(to, drop);
  return chip;
}

function draw(place) {
  const list = place.dataset.views;
  const redraw = () => draw(place);
  place.replaceChildren(...Object.entries(read(list)).map(([name, query]) => link(list, name, query, redraw)));
  if (!location.search) return;
  const name = Object.assign(document.createElement("input"), { placeholder: "Name of this view", maxLength: 60 });
  name.setAttribute("aria-label", "Name of this view");
  const save = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Save view" });
  const keep = () => {
    if (!name.value.trim()) return name.focus();
    write(list, { ...read(list), [name.value.trim()]: location.search });
    redraw();
  };
  save.addEventListener("click", keep);
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it is in a form
    keep();
  });
  place.append(name, save);
}

export function begin(root) {
  for (const place of root.querySelectorAll("[data-views]:empty")) draw(place);
}
