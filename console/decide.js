// One screen for one decision: what was or would be sent, when, to whom, with which key, and the answers there are.
import { answerTo } from "/console/answer.js";
import { call, get } from "/console/api.js";
import { difference } from "/console/diff.js";
import { block, chip, el, pretty, replace, visible } from "/console/dom.js";
import { read, write } from "/console/json.js";
import { ago, DECISIONS, REASONS, usd } from "/console/words.js";

const DIFF_MAX_LINES = 2000;

export async function showDecision(view, [id]) {
  const interrupt = await get(`/v1/interrupts/${id}`);
  const problem = el("p", { class: "error", hidden: true, role: "alert" });
  // `written()`: members that are JSON already, as a person wrote them; it throws what is wrong with them.
  const decide = async (decision, more, written = () => ({})) => {
    const body = { decision, ...more };
    if (interrupt.action?.args_sha256) body.args_sha256 = interrupt.action.args_sha256;
    try {
      const members = Object.entries(written()).map(([name, text]) => `,"${name}":${text}`).join("");
      await call("POST", `/v1/interrupts/${interrupt.id}/resolve`, `${write(body).slice(0, -1)}${members}}`);
      location.hash = `#/task/${interrupt.task}`;
    } catch (error) {
      problem.hidden = false;
      replace(problem, error.message);
    }
  };
  replace(view,
    el("h1", {}, REASONS[interrupt.reason] ?? interrupt.reason, " ", chip(interrupt.status)),
    el("p", { class: "message" }, interrupt.message),
    el("p", { class: "quiet" }, el("a", { href: `#/task/${interrupt.task}` }, `task of ${interrupt.agent ?? "its agent"}`),
      ` · asked ${ago(interrupt.created_at)}`, interrupt.expires_at ? ` · ends ${ago(interrupt.expires_at)}: ${interrupt.on_expire ?? ""}` : ""),
    interrupt.action ? actionOf(interrupt.action) : null,
    asksMore(interrupt) ? el("p", { class: "message" }, interrupt.question.question) : null,
    interrupt.needed ? el("p", {}, "The next call needs up to ", usd(interrupt.needed.cost_usd), ", ",
      `${interrupt.needed.model_calls} model calls, ${interrupt.needed.tool_calls} tool calls.`) : null,
    interrupt.status === "open" ? answersOf(interrupt, decide) : resolutionOf(interrupt),
    problem);
}

// What the hash is of, laid out to be read.
const argsOf = (action) => pretty(action?.args_text === undefined ? action?.args ?? {} : read(action.args_text, true));

function actionOf(action) {
  const { args, args_text: _, ...facts } = action;
  return el("section", { class: "action" },
    el("dl", {}, Object.entries(facts).map(([name, value]) =>
      el("div", {}, el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, el("code", {}, pretty(value)))))),
    args !== undefined ? el("pre", { class: "args" }, argsOf(action)) : null);
}

// A message may say only that something is asked.
const asksMore = (interrupt) => interrupt.question?.question && !interrupt.message.includes(interrupt.question.question);

function resolutionOf(interrupt) {
  return [block("answer", interrupt.given), el("p", {}, "Decided: ", chip(interrupt.decision), interrupt.resolved_by ? ` by ${interrupt.resolved_by}` : "",
    interrupt.resolved_at ? ` ${ago(interrupt.resolved_at)}` : "", interrupt.answer_message ? `: ${interrupt.answer_message}` : "")];
}

function answersOf(interrupt, decide) {
  const commands = new Map((interrupt.answers ?? []).map((answer) => [answer.decision, answer]));
  return el("section", { class: "answers" }, interrupt.allowed_decisions.map((decision) =>
    el("form", { class: `answer ${decision}`, onsubmit: (event) => event.preventDefault() },
      fieldsOf(interrupt, decision, commands.get(decision), decide),
      commands.has(decision) ? el("code", { class: "command" }, commands.get(decision).command) : null)));
}

// Each kind of decision asks for what it carries.
function fieldsOf(interrupt, decision, answer, decide) {
  const button = (more, written = () => ({})) => el("button", { type: "button", onclick: () => decide(decision, more(), written) },
    DECISIONS[decision] ?? decision);
  const text = el("textarea", { rows: 2, "aria-label": `${decision}: text`, placeholder: "Why, for the journal and the model (optional)" });
  const message = () => (text.value ? { message: text.value } : {});
  if (decision === "edit") return editOf(interrupt, decide);
  if (decision === "respond") {
    const { choices, schema } = interrupt.question ?? {};
    if (choices?.length) {
      return choices.map((choice) => el("button", { type: "button", onclick: () => decide("respond", { value: choice }) },
        typeof choice === "string" ? choice : pretty(choice)));
    }
    if (schema) {
      const wanted = answerTo(schema);
      return [wanted.elements, button(() => ({}), () => ({ value: wanted.written() }))];
    }
    text.placeholder = "Your answer: the model gets it in the place of a result";
    return [text, button(() => ({ message: text.value }))];
  }
  if (decision === "happened") {
    text.placeholder = "What came of it, as JSON (optional)";
    return [text, button(() => ({}), () => (text.value ? { result: jsonOrText(text.value) } : {}))];
  }
  if (decision === "approve" && interrupt.reason === "budget_reached") return budgetOf(answer, decide);
  if (decision === "approve" && interrupt.reason === "possible_duplicate") {
    const remember = el("input", { type: "checkbox", id: "remember" });
    return [el("label", { for: "remember" }, remember, " do not ask again for this"), button(() => (remember.checked ? { remember: true } : {}))];
  }
  return decision === "reject" ? [text, button(message)] : [button(() => ({}))];
}

function jsonOrText(text) {
  try {
    read(text);
    return text;
  } catch {
    return write(text);
  }
}

function budgetOf(answer, decide) {
  const wanted = answer?.body?.add ?? {};
  const inputs = Object.entries(wanted).map(([name, value]) =>
    [name, el("input", { type: "number", step: "any", min: "0", value, "aria-label": name })]);
  return [
    inputs.map(([name, input]) => el("label", {}, `${name.replaceAll("_", " ")} `, input)),
    el("button", { type: "button", onclick: () => decide("approve", {
      add: Object.fromEntries(inputs.map(([name, input]) => [name, Number(input.value)])) }) }, "Add, and go on"),
  ];
}

function editOf(interrupt, decide) {
  const before = argsOf(interrupt.action);
  const text = el("textarea", { rows: Math.min(20, before.split("\n").length + 1), value: before, "aria-label": "edit: arguments", spellcheck: "false" });
  const shown = el("pre", { class: "diff" });
  const isPlain = (value) => visible(value) === value;
  const warning = el("p", { class: "error unseen", hidden: isPlain(before) },
    "This text has characters that are not seen, or that change its order. They are shown above as \\u....");
  const send = el("button", { type: "button", disabled: true, onclick: () => decide("edit", {}, () => ({ args: text.value })) }, DECISIONS.edit);
  text.addEventListener("input", () => {
    warning.hidden = isPlain(text.value);
    try {
      const after = pretty(read(text.value, true));
      const tooLong = before.split("\n").length + after.split("\n").length > DIFF_MAX_LINES;
      send.disabled = after === before;
      replace(shown, tooLong ? "" : difference(before, after).filter((line) => line.kind !== "same")
        .map((line) => el("span", { class: line.kind }, `${line.kind === "new" ? "+" : "-"} ${line.text}\n`)));
    } catch (error) {
      send.disabled = true;
      replace(shown, `this is not JSON: ${error.message}`);
    }
  });
  return [text, warning, shown, send];
}
