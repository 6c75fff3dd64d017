// Times, money and the server's words, as people say them.

export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  if (seconds < 0) return `in ${duration(-seconds * 1000)}`;
  return seconds < 2 ? "now" : `${duration(seconds * 1000)} ago`;
}

export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = seconds / 60;
  if (minutes < 60) return `${Math.floor(minutes)} min`;
  const hours = minutes / 60;
  const rest = Math.floor(minutes % 60);
  if (hours < 48) return `${Math.floor(hours)} h${rest > 0 ? ` ${rest} min` : ""}`;
  return `${Math.floor(hours / 24)} days`;
}

export function usd(amount) {
  if (amount === undefined || amount === null) return "–";
  return `$${amount.toFixed(amount >= 1 || amount === 0 ? 2 : 4)}`;
}

export function tokens(usage) {
  return `${usage.input_tokens ?? 0} + ${usage.output_tokens ?? 0}`;
}

export const REASONS = {
  tool_approval: "May this call be made?",
  question: "A question to you",
  uncertain_outcome: "Did this happen?",
  possible_duplicate: "The same call again?",
  budget_reached: "The budget is reached",
  loop_detected: "It goes round in circles",
  planner_failed: "Its planner fails",
  provider_refusal: "The model refused",
  auth_required: "A credential is needed",
};

export const DECISIONS = {
  approve: "Approve", edit: "Send it changed", reject: "Reject", respond: "Answer instead",
  happened: "It happened", not_happened: "It did not happen", dismiss: "Nobody can know",
};

export function waitsFor(wait) {
  if (wait.kind === "interrupt") return `a person: ${(wait.reason ?? "").replaceAll("_", " ")}`;
  if (wait.kind === "timer") return [(wait.reason ?? "a timer").replaceAll("_", " "), wait.due ? ago(wait.due) : null].filter(Boolean).join(", ");
  return (wait.kind ?? "").replaceAll("_", " ");
}
