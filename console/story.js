// A task's events, folded into the rows of its timeline: one row for each step, however often it was tried, and one
// for whatever else happened. Provisional text stands with its step until the answer comes or is withdrawn.

// How the planner and the engine come to terms: in the journal, and of no use to who looks at a task.
const NOT_SHOWN = new Set(["task.started", "turn.accepted"]);
const ENDS = new Set(["succeeded", "answered", "failed", "denied", "unknown"]);

export class Story {
  constructor() {
    this.rows = [];
    this.steps = new Map();
    this.begin = null;
    this.end = null;
  }

  take({ event, data }) {
    if (event === "model.delta") return this.delta(data.data);
    const at = Date.parse(data.at);
    this.begin ??= at;
    this.end = at;
    if (NOT_SHOWN.has(data.type)) return;
    const [noun, verb] = data.type.split(".");
    if ((noun === "model" || noun === "tool") && data.data.step) this.onStep(noun, verb, at, data);
    else this.rows.push({ kind: noun, verb, at, type: data.type, data: data.data });
  }

  step(noun, id, at) {
    let step = this.steps.get(id);
    if (!step) {
      step = { kind: noun, id, at, sends: [], state: "planned", text: "" };
      this.steps.set(id, step);
      this.rows.push(step);
    }
    return step;
  }

  onStep(noun, verb, at, { data }) {
    const step = this.step(noun, data.step, at);
    step.name ??= data[noun];
    step.state = verb;
    if (data.args !== undefined) step.args = data.args;
    if (data.effect) step.effect = data.effect;
    if (data.reason) step.reason = data.reason;
    if (data.detail) step.detail = data.detail;
    if (verb === "requested" || verb === "intended") {
      step.sends.push({ from: at });
      step.text = "";
    } else if (step.sends.length > 0 && step.sends.at(-1).to === undefined) {
      step.sends.at(-1).to = at;
      step.sends.at(-1).outcome = verb;
    }
    if (verb === "superseded") step.text = "";
    if (ENDS.has(verb)) {
      step.text = "";
      if (data.result !== undefined) step.result = data.result;
      if (data.used) step.used = data.used;
    }
  }

  delta(data) {
    const step = this.steps.get(data.step);
    if (step) step.text += data.text;
  }
}
