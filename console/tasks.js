// The newest tasks: what each does, what it waits for, what it cost.
import { get } from "/console/api.js";
import { chip, el, replace } from "/console/dom.js";
import { ago, tokens, usd, waitsFor } from "/console/words.js";

const STATUSES = ["", "working", "input_required", "completed", "failed", "cancelled", "damaged"];
const PAGE = 50;

export function showTasks(view, parts, every) {
  const status = parts[0] ?? "";
  const rows = el("tbody");
  const foot = el("p", { class: "quiet" });
  let pages = 1;
  const more = el("button", { hidden: true, onclick: () => { pages += 1; refresh(); } }, "Older tasks");

  async function refresh() {
    const tasks = [];
    let cursor = null;
    for (let page = 0; page < pages; page += 1) {
      const query = new URLSearchParams({ limit: PAGE });
      if (status) query.set("status", status);
      if (cursor) query.set("cursor", cursor);
      const answer = await get(`/v1/tasks?${query}`);
      tasks.push(...answer.tasks);
      cursor = answer.next_cursor;
      if (!cursor) break;
    }
    more.hidden = !cursor;
    replace(rows, tasks.map(row));
    const cost = tasks.reduce((sum, task) => sum + (task.usage.cost_usd ?? 0), 0);
    replace(foot, tasks.length === 0 ? "There is no such task." : `${tasks.length} tasks shown, together ${usd(cost)}.`);
  }

  replace(view,
    el("div", { class: "filters" }, STATUSES.map((word) =>
      el("a", { class: word === status ? "chosen" : "", href: `#/tasks/by/${word}` }, word.replace("_", " ") || "all"))),
    el("table", { class: "tasks" },
      el("thead", {}, el("tr", {}, ["Task", "Agent", "Status", "Waits for", "Calls", "Tokens", "Cost", "Changed"]
        .map((word) => el("th", {}, word)))),
      rows),
    foot, more);
  every(2000, refresh);
}

function row(task) {
  return el("tr", {},
    el("td", {}, el("a", { href: `#/task/${task.id}` }, el("code", {}, task.id.slice(-10)))),
    el("td", {}, task.agent),
    el("td", {}, chip(task.status), task.phase !== "running" ? chip(task.phase, "quiet") : null),
    el("td", {}, task.damage ? task.damage.what : task.waiting_for.slice(0, 2).map(waitsFor).join("; ")),
    el("td", { class: "number" }, `${task.usage.model_calls} + ${task.usage.tool_calls}`),
    el("td", { class: "number" }, tokens(task.usage)),
    el("td", { class: "number" }, usd(task.usage.cost_usd)),
    el("td", { title: task.updated_at }, ago(task.updated_at)));
}
