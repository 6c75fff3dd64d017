// One task: what it is doing, what it waits for, what it cost, and its timeline, live.
import { call, follow, get } from "/console/api.js";
import { damagedHead, damageOf, isDamaged } from "/console/damage.js";
import { block, brief, chip, el, pretty, replace } from "/console/dom.js";
import { Story } from "/console/story.js";
import { ago, duration, tokens, usd, waitsFor } from "/console/words.js";

export function showTask(view, [id], every, signal) {
  const head = el("section", { class: "head" });
  const timeline = el("ol", { class: "timeline" });
  const state = el("span", { class: "quiet" });
  const story = new Story();
  const open = new Set();  // rows that a person unfolded stay so
  let drawn = true;

  replace(view, head, el("h2", {}, "Timeline ", state), timeline);
  const draw = () => {
    drawn = true;
    replace(timeline, story.rows.map((row, i) => timelineRow(story, row, i, open)));
  };
  every(1500, async () => {
    const shown = await get(`/v1/tasks/${id}`).then(headOf, (error) => {
      if (isDamaged(error)) return damagedHead(id);
      throw error;
    });
    replace(head, shown);
  });
  follow(`/v1/tasks/${id}/events`, (message) => {
    story.take(message);
    if (drawn) requestAnimationFrame(draw);
    drawn = false;
  }, (word) => replace(state, word === "live" ? "live" : "the server went away; it is asked again"), signal)
    .then(() => replace(state, ""))
    .catch((error) => replace(state, error.message));
}

function headOf(task) {
  const waits = task.waiting_for ?? [];
  return [
    el("h1", {}, task.agent, " ", chip(task.status), task.phase !== "running" ? chip(task.phase, "quiet") : null),
    el("p", { class: "quiet" }, el("code", {}, task.id), ` · began ${ago(task.created_at)} · changed ${ago(task.updated_at)}`),
    el("dl", { class: "facts" },
      fact("Cost", usd(task.usage.cost_usd), task.usage.unpriced_calls
        ? `and ${task.usage.unpriced_calls} calls of unknown price` : task.budget?.cost_usd ? `of ${usd(task.budget.cost_usd)}` : ""),
      fact("Model calls", task.usage.model_calls, limit(task.budget?.model_calls)),
      fact("Tool calls", task.usage.tool_calls, limit(task.budget?.tool_calls)),
      fact("Tokens in + out", tokens(task.usage), "")),
    waits.length > 0 ? el("div", { class: "waits" }, el("b", {}, "Waits for "), waits.map((wait) =>
      el("span", {}, wait.kind === "interrupt"
        ? el("a", { href: `#/decide/${wait.id}` }, waitsFor(wait)) : waitsFor(wait), " "))) : null,
    task.error ? el("div", { class: "error" }, el("b", {}, task.error.stop_reason.replaceAll("_", " ")), ": ", task.error.message) : null,
    task.damage ? damageOf(task.damage) : null,
    task.result !== undefined ? el("div", { class: "result" }, el("b", {}, "Result"), el("pre", {}, resultText(task.result))) : null,
    ["pending", "working", "input_required"].includes(task.status)
      ? el("button", { onclick: () => cancel(task.id) }, "Cancel the task") : null,
  ];
}

async function cancel(id) {
  if (!confirm("End this task? What was sent already keeps its outcome; what was not is not sent.")) return;
  await call("POST", `/v1/tasks/${id}/cancel`, { reason: "from the console" });
}

const limit = (most) => (most === null || most === undefined ? "" : `of ${most}`);
const fact = (name, value, more) => el("div", {}, el("dt", {}, name), el("dd", {}, value, " ", el("small", {}, more)));

function resultText(result) {
  const keys = result && typeof result === "object" ? Object.keys(result) : [];
  return keys.length === 1 && keys[0] === "text" ? result.text : pretty(result);
}

function timelineRow(story, row, index, open) {
  const since = `+${duration(row.at - story.begin)}`;
  const details = row.sends ? stepDetails(row) : [block("data", Object.keys(row.data).length ? row.data : undefined)];
  const unfold = el("details", { open: open.has(index) },
    el("summary", {},
      el("time", {}, since), el("span", { class: `dot ${row.kind}` }), el("span", { class: "what" }, title(row)),
      row.sends ? chip(row.state) : null,
      row.sends?.length > 1 ? chip(`${row.sends.length} attempts`, "in_doubt") : null,
      row.used?.cost_usd ? el("span", { class: "quiet" }, usd(row.used.cost_usd)) : null,
      row.sends ? bars(story, row) : null),
    details);
  unfold.addEventListener("toggle", () => (unfold.open ? open.add(index) : open.delete(index)));
  return el("li", {}, unfold, row.text ? el("pre", { class: "provisional" }, row.text) : null);
}

function title(row) {
  if (row.sends) return [el("b", {}, row.name ?? row.id), " ", row.kind === "tool" ? el("code", {}, brief(row.args ?? {}, 70)) : answerOf(row)];
  const { data } = row;
  if (row.kind === "interrupt") {
    const link = el("a", { href: `#/decide/${data.interrupt}` }, row.verb === "requested" ? data.message : `${row.verb}: ${data.decision ?? ""}`);
    return ["Question ", link, data.by ? ` by ${data.by}` : ""];
  }
  if (row.kind === "timer") return `${row.type.replace(".", " ")} ${data.purpose ?? ""} ${data.due ? ago(data.due) : ""}`;
  return [row.type.replace(".", " "), " ", el("span", { class: "quiet" }, brief(data.message ?? data.input ?? data.reason ?? "", 90))];
}

const answerOf = (row) => el("span", { class: "quiet" }, brief(row.result?.text || row.result?.refusal || callsOf(row), 90));
const callsOf = (row) => (row.result?.calls ?? []).map((one) => one.name).join(", ");

// When each send was under way, along the task's whole time.
function bars(story, row) {
  const whole = Math.max(1, story.end - story.begin);
  const line = el("span", { class: "bars" });
  for (const send of row.sends) {
    const bar = el("i", { class: send.outcome ?? "open", title: duration((send.to ?? story.end) - send.from) });
    bar.style.left = `${(100 * (send.from - story.begin)) / whole}%`;
    bar.style.width = `${Math.max(0.6, (100 * ((send.to ?? story.end) - send.from)) / whole)}%`;
    line.append(bar);
  }
  return line;
}

function stepDetails(row) {
  return [
    el("p", { class: "quiet" }, `step ${row.id}`, row.effect ? ` · ${row.effect}` : "", row.used ? ` · ${tokens(row.used)} tokens` : ""),
    row.reason ? el("p", {}, row.reason) : null,
    row.detail ? el("p", {}, row.detail) : null,
    row.sends.map((send, i) => el("p", { class: "quiet" },
      `attempt ${i + 1}: ${new Date(send.from).toLocaleTimeString()}, ${send.to ? `${send.outcome.replaceAll("_", " ")} after ${duration(send.to - send.from)}` : "under way"}`)),
    block("arguments", row.kind === "tool" ? row.args : undefined),
    block(row.kind === "tool" ? "result" : "answer", row.result),
  ];
}
