// The server, as this page speaks to it: the same HTTP API that everybody has, with the token that a person gave.

import { read, write } from "/console/json.js";

const KEY = "perdure-token";

export function takeTokenFromAddress() {
  const match = location.hash.match(/^#token=(.+)$/);
  if (!match) return;
  sessionStorage.setItem(KEY, decodeURIComponent(match[1]));
  history.replaceState(null, "", location.pathname + "#/");
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
export const signIn = (token) => sessionStorage.setItem(KEY, token.trim());
export const signOut = () => sessionStorage.removeItem(KEY);

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = body.code;
  }
}

function headers(more = {}) {
  return { authorization: `Bearer ${sessionStorage.getItem(KEY)}`, ...more };
}

const answerOf = async (response) => read(await response.text());

// `body`: text is sent as it is, anything else as JSON.
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: headers(body === undefined ? {} : { "content-type": "application/json" }),
      body: typeof body === "string" ? body : write(body),
    });
  } catch {
    throw new Problem(0, { detail: "the server does not answer" });
  }
  const answer = await answerOf(response).catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

export const get = (path) => call("GET", path);

// Follows an event stream for ever, through every death of the server: onEvent({id, event, data}) for each event once.
// Ends when the server says that there is no more (204), or with `signal`.
export async function follow(path, onEvent, onState, signal) {
  let last = "0";
  for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
    try {
      const response = await fetch(path, {
        headers: headers({ accept: "text/event-stream", "last-event-id": last }), signal,
      });
      if (response.status === 204) return;
      if (!response.ok) throw new Problem(response.status, await answerOf(response).catch(() => ({})));
      onState("live");
      let heard = false;
      for await (const message of messages(response.body)) {
        heard = true;
        if (message.event === "problem") throw new Problem(message.data.status, message.data);
        if (message.id) last = message.id;
        onEvent(message);
      }
      if (heard) wait = 50;  // it ended in good order: there may be no more
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && ((error.status >= 400 && error.status < 500) || error.code === "damaged")) throw error;
      onState("reconnecting");
    }
    await new Promise((resume) => setTimeout(resume, wait));
  }
}

// https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as this server writes it.
async function* messages(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const message = { event: "message", data: "" };
      for (const line of text.slice(0, end).split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) message[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
      }
      text = text.slice(end + 2);
      if (message.data) yield { ...message, data: read(message.data) };
    }
  }
}
