// Keeps what is shown up to date. The server says of which kinds there was news; then the page is fetched anew, and
// only its parts that are marked with these kinds are changed where they differ: focus, scroll, selection and open
// menus stay. A list keeps its rows under the pointer: it only says how many are new, and which have left it.
import * as copy from "./copy.js";
import * as times from "./times.js";

const KINDS = {
  tasks: ["created", "started", "ended", "changed", "deleted"],
  destinations: ["destination"], nodes: ["node"], operations: ["operation"], schedules: ["schedule"],
};
const OVER = { 401: "your sign-in has ended", 404: "what it shows is gone" }; // answers after which nothing more comes
const APART = 1000; // milliseconds from an answer to the next fetch
const AGAIN = 5000; // milliseconds until a stream that was refused is asked for again: a browser does not do that by itself
const SAID_APART = 5000; // between two counts that are read out
const NAME = "tasker.live";

const place = document.querySelector("[data-live-state]");
const root = place?.dataset.liveState;
const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
let morph; // htmx has it
let source = null;
let stop = () => {};
let due = null;
let asking = null;
let again = null;
let isOver = false;
let isRefused = false;
let fetched = 0;
let wanted = new Set();
let saidAt = 0;
let said = "";

const regions = () => [...document.querySelectorAll("[data-live]")];

function state(words, isLive) {
  if (place.textContent === words) return;
  place.textContent = words;
  place.dataset.is = isLive ? "live" : "late";
}

function hear(kinds) {
  for (const region of regions()) {
    const groups = region.dataset.live.split(" ");
    if (!kinds || groups.some((group) => (KINDS[group] ?? []).some((kind) => kinds.includes(kind)))) wanted.add(region.id);
  }
  if (wanted.size && due === null && !document.hidden) {
    due = setTimeout(refresh, Math.max(0, fetched + APART - Date.now()));
  }
}

// For who is refused now: a fetch that waits for its turn was asked for before that.
function hearAtOnce(kinds) {
  clearTimeout(due);
  asking?.abort();
  due = null;
  fetched = 0;
  hear(kinds);
}

// Parts with data-every move by themselves: every so many seconds.
setInterval(() => {
  const now = Math.floor(Date.now() / 1000);
  const moving = regions().filter((region) => region.dataset.every && now % region.dataset.every === 0);
  for (const region of moving) wanted.add(region.id);
  if (moving.length) hear([]);
}, 1000);

async function refresh() {
  const ids = wanted;
  wanted = new Set();
  const own = asking = new AbortController();
  try {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, signal: own.signal });
    if (OVER[answer.status]) { // due stays set: nothing is fetched any more
      isOver = true;
      leave();
      return state(`Not live: ${OVER[answer.status]}`, false);
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !fresh.querySelector("[data-live-state]")) throw new Error(answer.status); // perhaps by a proxy
    for (const module of [copy, times]) module.begin(fresh); // now, so that nothing flickers
    for (const id of ids) replace(document.getElementById(id), fresh.getElementById(id), fresh);
    document.dispatchEvent(new CustomEvent("tasker:fresh"));
    sayCount();
  } catch {
    if (own.signal.aborted) return; // another has begun
    state("Not live: the server does not answer", false);
  }
  due = null;
  fetched = Date.now(); // a busy server answers later, so it is asked less often
  if (wanted.size) hear([]);
}

function replace(old, fresh, page) {
  if (!old || !("live" in old.dataset)) return; // a list that was empty has been replaced meanwhile, as a whole
  if ("liveRows" in old.dataset) return replaceRows(old, fresh, page.querySelector('a[rel="next"]') !== null);
  if (!fresh) return;
  const holder = document.createElement("div");
  holder.append(fresh);
  morph(old, holder, false);
}

// What is behind the last row that is still listed may be on a further page by now.
function replaceRows(old, fresh, hasFurther) {
  const shown = [...old.tBodies[0].rows];
  const there = new Set(shown.map((row) => row.id));
  const rows = [...fresh?.tBodies[0].rows ?? []];
  const listed = new Set(rows.map((row) => row.id));
  const last = hasFurther ? shown.findLastIndex((row) => listed.has(row.id)) : shown.length;
  const left = shown.filter((row, place) => place < last && !listed.has(row.id));
  for (const row of shown) markLeft(row, left.includes(row));
  const added = rows.filter((row) => !there.has(row.id)).length;
  for (const row of rows) {
    const before = there.has(row.id) ? document.getElementById(row.id) : null;
    if (before) {
      const marked = before.querySelector('input[type="checkbox"]')?.checked;
      const holder = document.createElement("tbody");
      holder.append(row);
      morph(before, holder, false);
      const mark = document.getElementById(row.id)?.querySelector('input[type="checkbox"]');
      if (mark && marked !== undefined) mark.checked = marked;
    }
  }
  const more = added === rows.length ? " or more" : "";
  tell(old, [added && `${added}${more} new`, left.length && `${left.length} no longer in this list`]);
}

function markLeft(row, isLeft) {
  if (row.classList.contains("left") === isLeft) return;
  row.classList.toggle("left", isLeft);
  row.title = isLeft ? "No longer in this list: this may be old" : "";
  const said = Object.assign(document.createElement("span"), { className: "hush gone", textContent: row.title });
  if (isLeft) row.cells[0].append(said);
  else row.querySelector(".gone").remove();
}

function tell(table, parts) {
  const id = `new-${table.id}`;
  const words = parts.filter((part) => part).join(", ");
  let pill = document.getElementById(id);
  if (!words) return pill?.remove();
  if (!pill) {
    pill = Object.assign(document.createElement("a"), { id, className: "button pill", href: location.href });
    (table.closest(".scroll") ?? table).before(pill);
  }
  pill.textContent = `${words}: show`;
}

function sayCount() {
  const text = document.querySelector("[data-said]")?.textContent.trim() ?? "";
  if (!text || text === said || Date.now() - saidAt < SAID_APART) return;
  said = text;
  saidAt = Date.now();
  document.querySelector("[data-say]").textContent = text;
}

function open() {
  source = new EventSource(`${root}/live`);
  const all = (message) => { message.kinds === null ? hear(null) : hear(message.kinds); state("Live", true); };
  const tell = (message) => { all(message); channel?.postMessage(message); };
  source.addEventListener("open", () => {
    isRefused = false;
    tell({ kinds: [] });
    hear(null); // there may have been news between the making of this page and now
  });
  source.addEventListener("signal", (event) => tell({ kinds: JSON.parse(event.data).changed }));
  source.addEventListener("reset", () => tell({ kinds: null }));
  source.addEventListener("error", () => {
    state("Not live: trying again", false);
    channel?.postMessage({ lost: true });
    if (source?.readyState !== EventSource.CLOSED) return;
    (isRefused ? hear : hearAtOnce)(null); // perhaps by a proxy whose server is gone: the page says why
    isRefused = true;
    again = setTimeout(open, AGAIN);
  });
}

function close() {
  clearTimeout(again);
  source?.close();
  source = null;
}

// One connection for all tabs of a browser where it has locks, else one for each tab that is seen.
function join() {
  stop();
  if (isOver) return;
  if (!navigator.locks) {
    open();
    stop = close;
    return;
  }
  const waiting = new AbortController();
  let release;
  navigator.locks.request(NAME, { signal: waiting.signal }, () => {
    open();
    return new Promise((resolve) => { release = resolve; });
  }).catch(() => {}); // it was called off
  stop = () => { waiting.abort(); close(); release?.(); };
}

function leave() {
  stop();
  stop = () => {};
}

// What a form was answered with cannot be fetched again, and what was refused would be refused again.
if (place && "canBeFetched" in place.dataset && regions().length) {
  window.htmx.registerExtension("tasker-live", { init(api) { morph = api.morph; } });
  channel?.addEventListener("message", ({ data }) => {
    if (isOver) return;
    if (data.lost) return state("Not live: trying again", false);
    state("Live", true);
    hear(data.kinds);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    join();
    hear(null);
  });
  window.addEventListener("pagehide", leave);
  if (!document.hidden) join();
}
