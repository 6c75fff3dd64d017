// Which view is shown, and what is asked again while it is.
import { get, hasToken, Problem, signIn, signOut, takeTokenFromAddress } from "/console/api.js";
import { showDecision } from "/console/decide.js";
import { el, replace } from "/console/dom.js";
import { showInbox } from "/console/inbox.js";
import { showTask } from "/console/task.js";
import { showTasks } from "/console/tasks.js";

const view = document.getElementById("view");
const connection = document.getElementById("connection");
const count = document.getElementById("inbox-count");
const leave = document.getElementById("sign-out");
let shown = new AbortController();

// Runs `work` now and then, until another view is shown. What fails is said, and tried again.
function repeater(signal) {
  return (ms, work) => {
    const run = async () => {
      if (signal.aborted) return;
      if (!document.hidden) await work().then(() => replace(connection, ""), trouble);
      if (!signal.aborted) setTimeout(run, ms);
    };
    run();
  };
}

function trouble(error) {
  if (error instanceof Problem && error.status === 401) return askForToken("The server does not know this token.");
  replace(connection, error.message);
}

function askForToken(why) {
  shown.abort();
  leave.hidden = true;
  const field = el("input", { type: "password", id: "token", autocomplete: "off", "aria-label": "token" });
  replace(view, el("form", { class: "sign-in", onsubmit: (event) => {
    event.preventDefault();
    signIn(field.value);
    show();
  } },
  el("h1", {}, "Whose console is this?"), why ? el("p", { class: "error" }, why) : null,
  el("p", {}, "Give the token of this server. It stands in the file ", el("code", {}, "token"), " of its data directory; ",
    "it stays in this tab and is forgotten with it."),
  field, el("button", {}, "Sign in")));
  field.focus();
}

const VIEWS = { task: showTask, tasks: (...all) => showTasks(all[0], all[1].slice(1), all[2]), inbox: showInbox, decide: showDecision };

function show() {
  takeTokenFromAddress();
  shown.abort();
  shown = new AbortController();
  if (!hasToken()) return askForToken("");
  leave.hidden = false;
  const every = repeater(shown.signal);
  const [name, ...parts] = location.hash.replace(/^#\/?/, "").split("/");
  const open = VIEWS[name] ?? ((where) => showTasks(where, [], every));
  Promise.resolve(open(view, parts.map(decodeURIComponent), every, shown.signal)).catch(trouble);
  every(5000, async () => {
    const { interrupts, next_cursor: more } = await get("/v1/interrupts?limit=100");
    count.hidden = interrupts.length === 0;
    replace(count, more ? "100+" : interrupts.length);
  });
}

leave.addEventListener("click", () => { signOut(); show(); });
addEventListener("hashchange", show);
show();
