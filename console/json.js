// JSON without loss. A number of JavaScript has 53 bits: what a person decides about, and what is sent on their word,
// must not be a neighbour of what is meant.

// Nobody else can write it. (There is no randomUUID where a page comes over plain http.)
const MARK = crypto.getRandomValues(new Uint32Array(4)).join("-");
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

// A number that JavaScript does not have; as it was written.
class Exact {
  constructor(text) {
    this.text = text;
  }
}

const isBig = (text) => /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text));
const isRespelt = (text) => String(Number(text)) !== text;

// As JSON.parse. `spelt`: every number is written again as it was ("3.0", not "3").
export function read(text, spelt = false) {
  const keeps = spelt ? isRespelt : isBig;
  const marked = text.replace(TOKEN, (token) => (NUMBER.test(token) && keeps(token) ? `{"${MARK}":"${token}"}` : token));
  return JSON.parse(marked, (_, value) => (typeof value?.[MARK] === "string" ? new Exact(value[MARK]) : value));
}

// As JSON.stringify.
export function write(value, indent) {
  const text = JSON.stringify(value, (_, member) => (member instanceof Exact ? MARK + member.text : member), indent);
  return text?.replace(new RegExp(`"${MARK}([^"]*)"`, "g"), "$1");
}
