/* The page: cases open lazily, search and filters, keys, light and dark, printing. */

const report = {
  overview: JSON.parse(byId("overview").textContent),
  diagrams: new Map(),
  loading: new Map(),
  root: document.documentElement,
};
report.byKey = new Map(report.overview.cases.map((entry) => [entry.key, entry]));

/* Where an attempt's traffic comes from: out of the page itself, unless a live page puts its own here. */
report.traffic = async (key) => {
  const block = byId(`traffic-${key}`);
  return block ? inflated(block.textContent) : null;
};

report.load = (key) => {
  if (!report.loading.has(key)) report.loading.set(key, report.fill(key));
  return report.loading.get(key);
};

report.fill = async (key) => {
  const holder = document.querySelector(`.traffic-of[data-key="${CSS.escape(key)}"]`);
  if (!holder) return null;
  let data = null;
  try {
    data = await report.traffic(key);
  } catch (error) {
    holder.replaceChildren(el("p", { class: "bad" }, `The traffic of this case cannot be shown: ${error.message}`));
    return null;
  }
  if (!data) return null;
  const place = el("div", { "data-key": key });
  holder.replaceChildren(smiDifference(data.smi), place, fileList(key, data.files), ...data.notes.map((note) => el("p", { class: "note" }, note)));
  const entry = report.byKey.get(key);
  const diagram = new Diagram(place, data, entry ? entry.steps : []);
  report.diagrams.set(key, diagram);
  return diagram;
};

function smiDifference(devices) {
  const changed = (devices || []).filter((device) => device.state !== "same");
  if (!changed.length) return el("p", { class: "note" }, "The SMI is the same after the case as before it.");
  return el("div", { class: "smi" }, el("h4", {}, "SMI, before and after"), el(
    "table", {}, el("thead", {}, el("tr", {}, ...["device", "field", "before", "after"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...changed.flatMap((device) => device.fields.filter(([, was, now]) => was !== now).map(([name, was, now], n) => el(
      "tr", {}, el("th", { scope: "row" }, n ? "" : `${device.device} ${device.state === "changed" ? "" : device.state}`), el("td", {}, name),
      el("td", { class: was === null ? "kept" : "was" }, was === null ? "–" : plainText(was)), el("td", { class: now === null ? "kept" : "now" }, now === null ? "–" : plainText(now)),
    )))),
  ));
}

function fileList(key, files) {
  const entry = report.byKey.get(key);
  if (!entry || !files.length) return el("p", { class: "files" });
  const folder = `cases/${entry.attempt > 1 ? `${key.replace(/\.\d+$/, "")}/attempt-${entry.attempt}` : key}`;
  const keys = `${folder}/wireshark`;
  const capture = `${folder}/han.pcapng`;
  const has = (name) => files.some(([known]) => known === name);
  return el("div", { class: "files" }, has("han.pcapng") && has("wireshark/zigbee_pc_keys") ? el("p", {}, "Decrypted in tshark: ", el("code", {}, `WIRESHARK_CONFIG_DIR=${keys} tshark -r ${capture}`), " (README.txt has the line for Wireshark)") : null, "In the pack: ", ...files.map(([name, size]) => el("a", { href: `${folder}/${name}` }, `${name} (${sizeOf(size)})`)));
}

const sizeOf = (size) => (size < 10000 ? `${size} B` : `${Math.round(size / 1024)} KiB`);

/* --- cases --- */

const cases = () => [...document.querySelectorAll("#case-list > .case")];
const shownCases = () => cases().filter((entry) => !entry.hidden);

function haystack(entry) {
  const found = report.byKey.get(entry.dataset.key);
  if (!found) return entry.textContent.toLowerCase();
  found.low ??= plainText([found.id, found.title, found.reason, found.plan, found.covers, found.rules, found.assumptions, found.health, found.steps.map((step) => [step.title, step.reason])]).toLowerCase();
  return found.low;
}

function filterCases() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdicts = new Set([...document.querySelectorAll('input[name="verdict"]:checked')].map((box) => box.value));
  let shown = 0;
  for (const entry of cases()) {
    const text = haystack(entry);
    entry.hidden = !verdicts.has(entry.dataset.verdict) || !words.every((word) => text.includes(word));
    if (!entry.hidden) shown++;
  }
  byId("shown").textContent = `${shown} shown`;
  byId("nothing").hidden = shown > 0;
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".case") && event.target.open) report.load(event.target.dataset.key);
}, true);

document.addEventListener("input", (event) => {
  if (event.target.closest(".filters")) filterCases();
});
document.addEventListener("submit", (event) => {
  if (event.target.closest(".filters")) event.preventDefault();
});

async function follow(hash) {
  const found = /^#case-([^/]+)(?:\/(\d+))?$/.exec(decodeURIComponent(hash));
  const entry = found && byId(`case-${found[1]}`);
  if (!entry) return;
  entry.hidden = false;
  entry.open = true;
  entry.querySelector("summary").focus({ preventScroll: true });
  entry.scrollIntoView();
  const diagram = await report.load(found[1]);
  if (found[2] && diagram) {
    const row = diagram.reveal(Number(found[2]));
    row?.focus();
    row?.scrollIntoView({ block: "center" });
  }
}
window.addEventListener("hashchange", () => follow(location.hash));

/* --- keys --- */

function step(list, by) {
  const at = list.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
  list[next]?.focus();
  list[next]?.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const here = document.activeElement?.closest?.(".case .body");
  const rows = here ? [...here.querySelectorAll(".row, .more")] : [];
  if (rows.length) {
    const row = document.activeElement.closest(".panel")?.previousElementSibling;
    if (row) row.focus();
    return step(rows, by);
  }
  const open = document.activeElement?.closest?.(".case[open]");
  if (by > 0 && open && document.activeElement.matches("summary")) {
    const first = open.querySelector(".row");
    if (first) return step([first], 1);
  }
  step(shownCases().map((entry) => entry.querySelector("summary")), by);
}

function nextWrong() {
  const list = shownCases();
  const at = list.indexOf(document.activeElement?.closest?.(".case"));
  const wrong = list.slice(at + 1).concat(list.slice(0, at + 1)).find((entry) => entry.dataset.verdict !== "pass");
  if (!wrong) return announce("Every case shown has passed.");
  wrong.open = true;
  wrong.querySelector("summary").focus();
  wrong.scrollIntoView();
}

function back() {
  const here = document.activeElement;
  const panel = here.closest?.(".panel");
  if (panel) return panel.previousElementSibling.focus();
  if (here.matches?.(".row[aria-expanded='true']")) return here.click();
  const entry = here.closest?.(".case");
  if (entry && !here.matches("summary")) return entry.querySelector("summary").focus();
  if (entry) { entry.open = false; return undefined; }
  if (here.id === "search") { here.value = ""; filterCases(); shownCases()[0]?.querySelector("summary").focus(); }
  return undefined;
}

function level(number) {
  const entry = document.activeElement?.closest?.(".case[open]") || document.querySelector(".case[open]");
  const diagram = entry && report.diagrams.get(entry.dataset.key);
  if (!diagram) return;
  diagram.showLevel(number);
  announce(LEVELS[number]);
  entry.querySelector("summary").focus({ preventScroll: true });
}

const announce = (text) => { byId("announce").textContent = text; };

function toSearch() {
  byId("search").focus();
  byId("search").select();
}

const KEYS = {
  "/": toSearch,
  j: () => move(1),
  k: () => move(-1),
  n: nextWrong,
  1: () => level(0),
  2: () => level(1),
  3: () => level(2),
  t: () => switchTheme(),
  p: () => printAll(),
  "?": () => byId("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.key === "Escape") return back();
  if (event.target.matches("input[type=search], input[type=text], textarea, select")) {
    if (event.key === "Enter" && event.target.id === "search") { event.preventDefault(); shownCases()[0]?.querySelector("summary").focus(); }
    return;
  }
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (act) { event.preventDefault(); act(); }
});

/* --- light and dark, printing --- */

function kept(value) {
  try {
    if (value !== undefined) localStorage.setItem("ppmid-bench-theme", value);
    return localStorage.getItem("ppmid-bench-theme");
  } catch {
    return null;
  }
}

function switchTheme() {
  const dark = report.root.dataset.theme ? report.root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  report.root.dataset.theme = dark ? "light" : "dark";
  kept(report.root.dataset.theme);
  announce(report.root.dataset.theme);
}

const PRINT_WHOLE = 24; /* cases: of more than these, only those that are open are printed with their traffic */

async function printAll() {
  const list = shownCases();
  if (list.length <= PRINT_WHOLE) {
    for (const entry of list) {
      if (report.diagrams.has(entry.dataset.key)) continue;
      const diagram = await report.load(entry.dataset.key);
      if (diagram && !entry.open) diagram.showLevel(0);
    }
  }
  window.print();
}

window.addEventListener("beforeprint", () => {
  report.closed = shownCases().filter((entry) => !entry.open);
  if (shownCases().length <= 200) for (const entry of report.closed) entry.open = true;
  for (const diagram of report.diagrams.values()) while (diagram.waiting.length) diagram.addRows();
});
window.addEventListener("afterprint", () => {
  for (const entry of report.closed || []) entry.open = false;
});

byId("print").addEventListener("click", printAll);
byId("theme").addEventListener("click", switchTheme);
byId("help-open").addEventListener("click", () => byId("help").showModal());

/* A live page hands over what is new: the page's middle as its server drew it, with the overview of it. */
report.refresh = (markup, overview) => {
  const fresh = new DOMParser().parseFromString(markup, "text/html");
  report.overview = overview;
  report.byKey = new Map(overview.cases.map((entry) => [entry.key, entry]));
  for (const part of fresh.body.querySelectorAll("section[id]:not(#cases)")) byId(part.id)?.replaceWith(part);
  for (const entry of fresh.body.querySelectorAll(".case")) {
    const old = byId(entry.id);
    if (old) { old.className = entry.className; old.dataset.verdict = entry.dataset.verdict; old.querySelector("summary").replaceWith(entry.querySelector("summary")); old.querySelector(".steps").replaceWith(entry.querySelector(".steps")); } else byId("case-list").append(entry);
  }
  filterCases();
};
report.append = (key, view) => report.diagrams.get(key)?.append(view);

report.root.classList.add("scripted");
if (kept()) report.root.dataset.theme = kept();
window.report = report;
follow(location.hash);
