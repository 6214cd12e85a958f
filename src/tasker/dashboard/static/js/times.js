// Moments in the zone of the browser, or in UTC: the visitor says which.
const KEPT = "tasker.zone";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function zone() {
  try { return localStorage.getItem(KEPT) === "UTC" ? "UTC" : own; } catch { return own; }
}

function parts(at, zoneName) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zoneName, hourCycle: "h23", timeZoneName: "short",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

export function shown(at, zoneName) { return texts(at, zoneName).full; }

function texts(at, zoneName) {
  const p = parts(at, zoneName);
  const clock = `${p.hour}:${p.minute}:${p.second}`;
  const day = `${p.year}-${p.month}-${p.day}`;
  const minute = clock.slice(0, 5);
  const short = `${Number(p.day)} ${MONTHS[p.month - 1]}`;
  return { clock, minute, day: short, short: `${short} ${minute}`, bare: `${day} ${clock}`, full: `${day} ${clock} ${p.timeZoneName}` };
}

function show(root) {
  const zoneName = zone();
  document.cookie = `tasker_zone=${encodeURIComponent(zoneName)}; path=/; max-age=31536000; SameSite=Strict`;
  for (const element of root.querySelectorAll("[data-show]")) {
    const said = texts(new Date(element.dateTime ?? element.dataset.at), zoneName);
    if (element.dataset.show === "ago") element.title = said.full;
    else element.textContent = said[element.dataset.show];
  }
  for (const element of root.querySelectorAll("[data-zone]")) element.textContent = zoneName;
  for (const field of root.querySelectorAll("[data-zone-field]")) field.value = zoneName;
  for (const button of root.querySelectorAll("[data-zone-switch]")) {
    button.textContent = zoneName;
    button.title = `Show times in ${zoneName === "UTC" ? own : "UTC"}`;
  }
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-zone-switch]")) return;
  try { localStorage.setItem(KEPT, zone() === "UTC" ? "own" : "UTC"); } catch { return; }
  show(document);
});

export function begin(root) { show(root); }
