"use strict";
/* Elements made of text, never of markup: what a device said cannot become anything but text. */

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || (value === false && !name.startsWith("aria-"))) continue;
    node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

function seconds(value) {
  if (value === null || value === undefined) return "";
  return value < 1 ? `${value.toFixed(3)} s` : value < 100 ? `${value.toFixed(2)} s` : `${value.toFixed(0)} s`;
}

function plainText(value) {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.map(plainText).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${plainText(v)}`).join(", ");
  return String(value);
}

async function inflated(base64) {
  const octets = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
