// What a question asks for, as fields, and what a person put into them, as JSON.
import { el, pretty } from "/console/dom.js";
import { read, write } from "/console/json.js";

const SCALARS = new Set(["string", "number", "integer", "boolean"]);

function optionsOf(schema) {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => ({ value, label: pretty(value) }));
  if (Array.isArray(schema.oneOf) && schema.oneOf.every((one) => "const" in one)) {
    return schema.oneOf.map((one) => ({ value: one.const, label: one.title ?? pretty(one.const) }));
  }
  return schema.type === "boolean" ? [{ value: true, label: "yes" }, { value: false, label: "no" }] : null;
}

// An object of scalars, which is all that a server of tools may ask for.
function isForm(schema) {
  const members = schema?.type === "object" && schema.properties ? schema.properties : {};
  const names = Object.keys(members);
  return names.length > 0 && (schema.required ?? []).every((name) => names.includes(name)) &&
    names.every((name) => optionsOf(members[name]) || SCALARS.has(members[name].type));
}

// `written()`: the member's JSON; nothing if it was left out.
function fieldOf(name, schema, isRequired) {
  const options = optionsOf(schema);
  const label = schema.title ?? name;
  const given = schema.default === undefined ? "" : schema.default;
  const input = options
    ? el("select", { "aria-label": label }, el("option", { value: "" }, ""), options.map((option) =>
      el("option", { value: write(option.value), selected: write(option.value) === write(given) }, option.label)))
    : el("input", { type: "text", "aria-label": label, value: pretty(given) });
  const written = () => {
    const isText = !options && schema.type === "string";
    if (input.value === "" && !(isText && isRequired)) {
      if (!isRequired) return undefined;
      if (schema.default !== undefined) return write(schema.default);
      throw new Error(`${label}: is needed`);
    }
    if (options) return input.value;
    if (isText) return write(input.value);
    if (!/^-?\d/.test(input.value.trim())) throw new Error(`${label}: is not a number`);
    read(input.value);
    return input.value;
  };
  return { written, element: el("label", {}, label, isRequired ? "" : " (optional)", " ", input,
    schema.description ? el("small", {}, ` ${schema.description}`) : null) };
}

function form(schema) {
  const fields = Object.entries(schema.properties).map(([name, one]) =>
    [name, fieldOf(name, one, (schema.required ?? []).includes(name))]);
  const written = () => {
    const members = fields.map(([name, field]) => [name, field.written()]).filter(([, text]) => text !== undefined);
    return `{${members.map(([name, text]) => `${write(name)}:${text}`).join(",")}}`;
  };
  return { elements: fields.map(([, field]) => field.element), written };
}

// {elements, written()} for an answer that fits `schema`; written() throws what is wrong with it.
export function answerTo(schema) {
  if (isForm(schema)) return form(schema);
  const text = el("textarea", { rows: 3, "aria-label": "respond: JSON", spellcheck: "false",
    placeholder: schema.type === "string" ? "Your answer" : "Your answer, as JSON that fits the schema" });
  const written = () => {
    if (schema.type === "string") return write(text.value);
    read(text.value);
    return text.value;
  };
  return { elements: [el("pre", { class: "schema" }, pretty(schema)), text], written };
}
