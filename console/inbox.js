// What people are asked, oldest first.
import { get } from "/console/api.js";
import { brief, chip, el, replace } from "/console/dom.js";
import { ago, REASONS } from "/console/words.js";

export function showInbox(view, _, every) {
  const list = el("ul", { class: "inbox" });
  replace(view, el("h1", {}, "Inbox"), list);
  every(2000, async () => {
    const { interrupts, next_cursor: more } = await get("/v1/interrupts?limit=100");
    const { tasks: damaged } = await get("/v1/tasks?status=damaged&limit=1");
    replace(list,
      interrupts.length === 0 ? el("li", { class: "quiet" }, "Nobody is asked anything.") : interrupts.map(item),
      damaged.length > 0 ? el("li", {}, el("a", { href: "#/tasks/by/damaged" }, "There are damaged tasks.")) : null,
      more ? el("li", { class: "quiet" }, "There are more: `perdure inbox` lists them all.") : null);
  });
}

// Of a damaged task nothing can be answered: its page says what can be done.
function item(interrupt) {
  if (interrupt.status === "damaged") {
    return el("li", {}, el("a", { href: `#/task/${interrupt.task}` },
      el("span", { class: "row" }, el("b", {}, REASONS[interrupt.reason] ?? interrupt.reason), chip("damaged")),
      el("span", {}, interrupt.message)));
  }
  const action = interrupt.action;
  return el("li", {}, el("a", { href: `#/decide/${interrupt.id}` },
    el("span", { class: "row" }, el("b", {}, REASONS[interrupt.reason] ?? interrupt.reason), chip(interrupt.reason, "quiet"),
      el("span", { class: "quiet" }, `${interrupt.agent ?? ""} · asked ${ago(interrupt.created_at)}`,
        interrupt.expires_at ? ` · ends ${ago(interrupt.expires_at)}` : "")),
    el("span", {}, interrupt.message),
    action ? el("code", {}, `${action.tool ?? action.model ?? ""} ${brief(action.args ?? {}, 120)}`) : null));
}
