/* A case as a sequence diagram: a row an event, an arrow between its lanes, a band where a step begins. */

const LEVELS = ["Story", "Messages", "Every frame"];
const CHUNK = 160;
const NAMES = { duis: "DUIS", gbcs: "GBCS", s1sp: "S1SP", air: "air", radio: "radio", serial: "serial", inventory: "SMI", hub: "hub" };

class Diagram {
  constructor(holder, data, steps, level = 1) {
    this.holder = holder;
    this.data = data;
    this.steps = steps || [];
    this.level = level;
    this.words = "";
    this.open = new Set();
    const has = (boundary) => data.events.some((event) => event.b === boundary);
    this.hidden = new Set(has("air") && has("radio") ? ["radio"] : []);
    this.controls = el("div", { class: "controls", role: "toolbar", "aria-label": "What the diagram shows" });
    this.ladder = el("div", { class: "ladder" });
    holder.replaceChildren(this.controls, this.ladder);
    this.drawControls();
    this.draw();
  }

  drawControls() {
    const levels = LEVELS.map((name, level) => {
      const button = el("button", { type: "button", "aria-pressed": this.level === level, title: `${level + 1}` }, name);
      button.addEventListener("click", () => this.showLevel(level));
      return button;
    });
    const present = Object.keys(NAMES).filter((name) => this.data.events.some((event) => event.b === name));
    const bounds = present.map((name) => {
      const button = el("button", { type: "button", class: `b-${name}`, "aria-pressed": !this.hidden.has(name) }, NAMES[name]);
      button.addEventListener("click", () => {
        this.hidden.has(name) ? this.hidden.delete(name) : this.hidden.add(name);
        button.setAttribute("aria-pressed", !this.hidden.has(name));
        this.draw();
      });
      return button;
    });
    const find = el("input", { type: "text", placeholder: "Filter events", "aria-label": "Filter the events of this case", spellcheck: "false" });
    find.addEventListener("input", () => { this.words = find.value.toLowerCase(); this.draw(); });
    this.count = el("span", { class: "count", role: "status" });
    this.controls.replaceChildren(
      el("span", { class: "set", role: "group", "aria-label": "How much" }, ...levels),
      el("span", { class: "bounds", role: "group", "aria-label": "Boundaries" }, ...bounds), find, this.count,
    );
  }

  showLevel(level) {
    this.level = level;
    this.controls.querySelectorAll(".set button").forEach((button, n) => button.setAttribute("aria-pressed", n === level));
    this.draw();
  }

  shows(event) {
    if (event.gap || event.b === "step") return true;
    if (event.lvl > this.level || this.hidden.has(event.b)) return false;
    return !this.words || textOf(event).includes(this.words);
  }

  draw() {
    const events = this.data.events.filter((event) => this.shows(event));
    const traffic = (list) => list.filter((event) => event.b !== "step").length;
    this.count.textContent = `${traffic(events)} of ${traffic(this.data.events)} events`;
    const lanes = this.data.lanes;
    this.place = new Map(lanes.map((lane, n) => [lane.id, ((n + 0.5) * 100) / lanes.length]));
    this.ladder.style.setProperty("--n", Math.max(lanes.length, 1));
    this.ladder.replaceChildren(el(
      "div", { class: "lanes" }, el("span", {}, "seconds"),
      el("ol", {}, ...lanes.map((lane) => el("li", { title: lane.note || lane.label }, lane.label))),
      el("span", {}, "what"),
    ));
    if (events.length && events[0].b !== "step") this.ladder.append(el("div", { class: "band judged" }, el("code", {}, "before the first step")));
    this.waiting = events;
    this.addRows();
  }

  addRows() {
    const rows = this.waiting.splice(0, CHUNK);
    this.ladder.querySelector(".more")?.remove();
    for (const event of rows) this.addRow(event);
    if (!this.waiting.length) return;
    const more = el("button", { type: "button", class: "more" }, `${this.waiting.length} more`);
    more.addEventListener("click", () => this.addRows());
    this.ladder.append(more);
    new IntersectionObserver((seen, observer) => {
      if (seen.some((entry) => entry.isIntersecting) && more.isConnected) { observer.disconnect(); this.addRows(); }
    }, { rootMargin: "600px" }).observe(more);
  }

  addRow(event) {
    if (event.mark) this.ladder.append(el("div", { class: "gap" }, event.sum));
    else if (event.gap) this.ladder.append(el("div", { class: "gap" }, `${event.gap} events left out here; all of them are in timeline.jsonl`));
    else if (event.b === "step") this.ladder.append(this.band(event));
    else this.addEvent(event);
  }

  addEvent(event) {
    const id = `${this.holder.dataset.key}-${event.n}`;
    const row = el(
      "button", { type: "button", class: `row b-${event.b}${event.lvl === 2 ? " faint" : ""}`, "aria-expanded": false, "aria-controls": `panel-${id}`, id: `event-${id}` },
      el("span", { class: "t" }, event.t.toFixed(3)),
      el("span", { class: "lad" }, this.arrow(event)),
      el("span", { class: "s" }, el("span", { class: "tag" }, NAMES[event.b] || event.b), event.bad ? el("span", { class: "bad" }, "undecoded ") : null, this.words ? marked(event.sum, this.words) : event.sum),
    );
    row.addEventListener("click", () => this.toggle(event, row));
    this.ladder.append(row);
    if (this.open.has(event.n)) this.toggle(event, row);
  }

  toggle(event, row) {
    const opened = row.getAttribute("aria-expanded") !== "true";
    row.setAttribute("aria-expanded", opened);
    if (opened) row.after(eventPanel(event, row.getAttribute("aria-controls")));
    else row.nextElementSibling?.remove();
    opened ? this.open.add(event.n) : this.open.delete(event.n);
  }

  /* Open one event's octets, showing what it takes to see it. */
  reveal(number) {
    const event = this.data.events.find((entry) => entry.n === number);
    if (!event) return null;
    if (event.lvl > this.level) this.showLevel(event.lvl);
    if (this.hidden.delete(event.b)) { this.drawControls(); this.draw(); }
    while (this.waiting.length && !byId(`event-${this.holder.dataset.key}-${number}`)) this.addRows();
    const row = byId(`event-${this.holder.dataset.key}-${number}`);
    if (row && row.getAttribute("aria-expanded") !== "true") this.toggle(event, row);
    return row;
  }

  band(event) {
    const number = event.det ? event.det.step : undefined;
    const step = number === undefined ? null : this.steps[number - 1];
    const verdict = step ? step.verdict : (event.sum.match(/^(fail|error|inconclusive):/) || [])[1];
    return el(
      "div", { class: `band ${verdict || ""}${step ? "" : " judged"}` }, step ? el("span", { class: "no" }, `step ${number}`) : null, el("code", {}, event.sum),
      el("span", { class: "took" }, step ? seconds(step.elapsed_s) : event.t.toFixed(3)),
    );
  }

  arrow(event) {
    const from = this.place.get(event.from) ?? 0, to = this.place.get(event.to) ?? 0;
    const picture = svg("svg", { "aria-hidden": "true", focusable: "false" });
    if (event.from === event.to) {
      picture.append(svg("svg", { x: `${from}%`, y: 12, overflow: "visible" }, event.from === "air" ? svg("circle", { r: 3, class: "heard" }) : svg("circle", { r: 3.5 })));
      return picture;
    }
    const back = to < from;
    picture.append(svg("line", { x1: `${from}%`, x2: `${to}%`, y1: 12, y2: 12 }));
    picture.append(svg("svg", { x: `${to}%`, y: 12, overflow: "visible" }, svg("path", { d: back ? "M0 0 l7 -3.6 v7.2 z" : "M0 0 l-7 -3.6 v7.2 z" })));
    const air = this.place.get("air");
    if (event.b === "air" && event.from !== "air" && event.to !== "air" && air !== undefined) {
      picture.append(svg("svg", { x: `${air}%`, y: 12, overflow: "visible" }, svg("circle", { r: 2.6, class: "heard" })));
    }
    return picture;
  }

  /* Take more events of a case that is going on. */
  append(view) {
    this.data.events.push(...view.events);
    const known = this.data.lanes.length;
    if (view.lanes) this.data.lanes = view.lanes;
    if (this.data.lanes.length !== known) { this.drawControls(); this.draw(); return; }
    const shown = view.events.filter((event) => this.shows(event));
    if (this.waiting.length) this.waiting.push(...shown);
    else for (const event of shown) this.addRow(event);
  }
}

function textOf(event) {
  event.low ??= [event.b, event.sum, event.text || "", plainText(event.det || ""), ...(event.views || []).flatMap((view) => [view.hex, ...(view.fields || []).map((field) => `${field[1]} ${field[2]}`)])].join(" ").toLowerCase();
  return event.low;
}

function marked(text, words) {
  const at = text.toLowerCase().indexOf(words);
  if (at < 0) return text;
  return el("span", {}, text.slice(0, at), el("mark", {}, text.slice(at, at + words.length)), text.slice(at + words.length));
}
