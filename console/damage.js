// A task of which something is not what was written: what, where, since when, and which of its calls may have happened.
import { call, get } from "/console/api.js";
import { el } from "/console/dom.js";
import { ago } from "/console/words.js";

export const isDamaged = (error) => error.code === "damaged";

// In the place of the task, which cannot be shown.
export async function damagedHead(id) {
  const { damage } = await get(`/v1/tasks/${id}/damage`);
  return [
    el("h1", {}, "A damaged task ", el("span", { class: "chip damaged" }, "damaged")),
    el("p", { class: "quiet" }, el("code", {}, id)),
    el("p", {}, "What is stored of it is not what was written. It stands still: nothing is sent for it. Restore a backup, or end it as it is."),
    damageOf(damage),
    await mayEnd() ? el("button", { onclick: () => end(id) }, "End the damaged task") : null,
  ];
}

export function damageOf(damage) {
  const open = damage.open_effects ?? [];
  return el("section", { class: "damage" },
    el("div", { class: "error" }, el("b", {}, damage.record ? `At record ${damage.record}` : "Damage"), ": ", damage.what),
    damage.found_at ? el("p", { class: "quiet" }, `found ${ago(damage.found_at)}`,
      damage.ended_at ? ` · ended ${ago(damage.ended_at)} by ${damage.ended_by}` : "") : null,
    open.length > 0 ? el("div", {}, el("b", {}, "These calls may have happened: look there"),
      el("ul", { class: "open" }, open.map((effect) => el("li", {},
        el("b", {}, effect.tool ?? effect.model ?? `step ${effect.step}, whose plan cannot be read`), ` sent ${effect.sent_at}, key `,
        el("code", {}, effect.key))))) : el("p", {}, "No call of it is known to be open."),
    damage.record && damage.open_effects ? el("p", { class: "quiet" }, "What stands in damaged records is not known: a call of theirs is not named.") : null);
}

// Only `admin` sees the keys, and ends a damaged task.
let admin;
const mayEnd = () => (admin ??= get("/v1/keys?limit=1").then(() => true, () => false));

async function end(id) {
  if (!confirm("End this task as it is? It becomes failed; calls that are open stay open.")) return;
  await call("POST", `/v1/tasks/${id}/end-damaged`, {});
}
