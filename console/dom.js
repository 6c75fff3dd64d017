// Elements out of data. Whatever a model, a tool or a client wrote becomes a text node and nothing else: there is no
// innerHTML anywhere in the console. What is shown is made visible; the value of a field is as it is.

import { write } from "/console/json.js";

// What reorders text or is not seen at all, as the command line shows it: a person decides about what is there, and not
// about what it looks like. Controls but line ends and tabs, Unicode's Bidi_Control, separators, invisible characters.
const UNSEEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

export function visible(text) {
  return text.replace(UNSEEN, (one) => {
    const point = one.codePointAt(0);
    return point < 0x100 ? `\\x${point.toString(16).padStart(2, "0")}` : `\\u${point.toString(16).padStart(4, "0")}`;
  });
}

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : visible(String(value)));
  }
  put(element, ...children);
  return element;
}

export function put(parent, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : visible(String(child)));
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
