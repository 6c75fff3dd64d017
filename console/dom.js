// Elements out of data. Whatever a model, a tool or a client wrote becomes a text node and nothing else: there is no
// innerHTML anywhere in the console.

import { write } from "/console/json.js";

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  put(element, ...children);
  return element;
}

export function put(parent, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

export function replace(parent, ...children) {
  parent.replaceChildren();
  return put(parent, ...children);
}

export function pretty(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : write(value, 2);
}

export function brief(value, max = 90) {
  const text = (typeof value === "string" ? value : write(value) ?? "").replace(/\s+/g, " ");
  return text.length > max ? text.slice(0, max - 1) + "…" : text;
}

export function chip(word, kind = word) {
  return el("span", { class: `chip ${kind}` }, String(word).replaceAll("_", " "));
}

// Text that may be long: its beginning, and all of it on demand.
export function block(label, value) {
  if (value === undefined) return null;
  return el("details", { class: "block" },
    el("summary", {}, el("b", {}, label), " ", el("code", {}, brief(value))),
    el("pre", {}, pretty(value)));
}
