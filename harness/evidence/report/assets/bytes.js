/* What an event was: its details, its document, its octets with the names of their fields. */

const columns = () => (matchMedia("screen and (max-width: 620px)").matches ? 8 : 16);

function eventPanel(event, id) {
  const panel = el("div", { class: "panel", id, role: "region", "aria-label": `Event ${event.n}` });
  panel.append(eventFacts(event, id.slice("panel-".length, -`-${event.n}`.length)));
  if (event.bad) panel.append(el("p", { class: "bad" }, event.bad));
  if (event.text) panel.append(el("pre", { tabindex: 0 }, event.text));
  for (const view of event.views || []) panel.append(octetView(view));
  if (event.cut) {
    panel.append(el("p", { class: "note" }, `Cut: the event had ${event.cut} octets, the timeline keeps the first ${keptOf(event)}.`));
  }
  return panel;
}

const carries = (name) => /^(MAC|NWK|APS|NWK auxiliary header|APS auxiliary header)$/.test(name);

const keptOf = (event) => (event.views && event.views.length ? event.views[0].cut || event.views[0].hex.length / 2 : "few");

function eventFacts(event, key) {
  const facts = [["from", event.who[0]], ["to", event.who[1]], ["at", `${event.t.toFixed(6)} s`], ["event", event.n]];
  if (event.cause !== undefined) facts.push(["caused by", el("a", { href: `#case-${key}/${event.cause}` }, `event ${event.cause}`)]);
  if (event.size) facts.push(["size", `${event.size} octets`]);
  if (event.seal && event.seal.length) facts.push(["security", event.seal.join("; ")]);
  for (const [name, value] of Object.entries(event.det || {})) {
    if (value !== null && value !== "" && plainText(value) !== "") facts.push([name.replaceAll("_", " "), plainText(value)]);
  }
  return el("dl", {}, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value)))));
}

function octetView(view) {
  const octets = view.hex.match(/../g) || [];
  const fields = view.fields || [];
  const layers = layersOf(fields);
  const hex = el("pre", { class: "hex", tabindex: 0, "aria-label": `${view.title}, ${octets.length} octets` });
  const cells = hexCells(hex, octets, layers);
  const list = fields.length ? fieldList(fields, layers, cells, (field) => carries(field[1])) : null;
  const size = view.cut ? `${octets.length} of ${view.cut} octets shown, the rest is in the pack` : `${octets.length} octets`;
  return el(
    "section", { class: "view" },
    el("h5", {}, `${view.title} `, el("small", {}, size)),
    el("div", { class: "both" }, hex, list),
  );
}

function layersOf(fields) {
  let colour = -1;
  return fields.filter((field) => field[0] === 0).map((field) => ({ field, colour: ++colour % 6 }));
}

function hexCells(hex, octets, layers) {
  const colours = new Array(octets.length).fill("");
  const widest = [...layers].sort((one, other) => other.field[4] - one.field[4]);
  for (const { field, colour } of widest) {
    for (let at = field[3]; at < field[3] + field[4] && at < octets.length; at++) colours[at] = `x${colour}`;
  }
  const cells = [];
  const wide = columns();
  for (let start = 0; start < octets.length; start += wide) {
    const row = octets.slice(start, start + wide);
    hex.append(el("span", { class: "o" }, start.toString(16).padStart(4, "0") + "  "));
    row.forEach((octet, place) => {
      const cell = el("i", { class: colours[start + place] }, octet);
      cells.push(cell);
      hex.append(cell, place === 7 ? "  " : " ");
    });
    const missing = wide - row.length;
    hex.append(" ".repeat(missing * 3 + (row.length <= 7 && missing ? 1 : 0)));
    hex.append(el("span", { class: "a" }, " " + row.map(asLetter).join("") + "\n"));
  }
  return cells;
}

function asLetter(octet) {
  const code = parseInt(octet, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·";
}

/* Layers fold: what a message says stands open, how it was carried is a key away. */
function fieldList(fields, layers, cells, folded) {
  const colourOf = new Map(layers.map(({ field, colour }) => [field, colour]));
  const list = el("div", { class: "fields" });
  let layer = null;
  for (const field of fields) {
    const row = fieldRow(field, colourOf.get(field), cells);
    if (field[0] === 0) {
      const leaf = fields.indexOf(field) + 1 === fields.length || fields[fields.indexOf(field) + 1][0] === 0;
      layer = leaf ? null : el("details", { class: "layer", open: !folded(field) }, el("summary", {}, row));
      if (layer) row.removeAttribute("tabindex");
      list.append(layer || row);
    } else (layer || list).append(row);
  }
  return list;
}

function fieldRow(field, colour, cells) {
  const [depth, name, value, offset, length, shift, width] = field;
  const place = shift === undefined ? `${offset}+${length}` : `${offset}.${shift}+${width} bit`;
  const row = el(
    "div", { class: `f d${Math.min(depth, 5)}${depth === 0 ? " layer" : ""}`, role: "listitem", tabindex: 0 },
    el("span", { class: "k" }, colour === undefined ? null : el("span", { class: `key x${colour}` }), name),
    el("span", { class: "v" }, value), el("span", { class: "w" }, place),
  );
  const mark = (on) => cells.slice(offset, offset + length).forEach((cell) => cell.classList.toggle("on", on));
  for (const type of ["mouseenter", "focus"]) row.addEventListener(type, () => mark(true));
  for (const type of ["mouseleave", "blur"]) row.addEventListener(type, () => mark(false));
  return row;
}
