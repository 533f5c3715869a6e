// Asks the service. If it has a token, each request shows it.

import { read_json } from "./json.js";

let token = sessionStorage.getItem("token") ?? "";

export function use_token(text) {
  token = text;
  sessionStorage.setItem("token", text);
}

export function has_token() {
  return token !== "";
}

export function ask(path, options = {}) {
  const fields = { ...options.headers };
  if (token)
    fields.Authorization = `Bearer ${token}`;
  return fetch(path, { ...options, headers: fields });
}

const bytes_max = 64 * 2 ** 20; // a streamed answer may have any size

/// The text of an answer. One that is too large for a page is left to the service, which then stops its queries.
export async function text_of(answer) {
  const reader = answer.body.getReader(), decoder = new TextDecoder();
  let text = "", bytes = 0;
  for (let x = await reader.read(); !x.done; x = await reader.read()) {
    bytes += x.value.length;
    if (bytes > bytes_max) {
      await reader.cancel();
      throw new Error("it is too large to be shown here");
    }
    text += decoder.decode(x.value, { stream: true });
  }
  return text + decoder.decode();
}

/// Cells of the type JSON are this deep in an answer: they stay as they are written.
const cell_depth = 4;

/// Sends the parameters `body` to a request: {ok, status, id, said, text}.
export async function send(path, body, options = {}) {
  const answer = await ask(path, { method: "POST", body, headers: { "Content-Type": "application/json" }, ...options });
  const text = await text_of(answer), { ok, status } = answer;
  try {
    return { ok, status, id: answer.headers.get("X-Request-Id"), said: read_json(text, cell_depth), text };
  } catch {
    throw new Error(`the answer (${answer.status}) cannot be read`);
  }
}

/// What the service still knows of a request of this id, or null. It learns of it a moment after the answer.
export async function recent_of(id) {
  let found = null;
  for (let tries = 0; !found && tries < 5; ++tries) {
    found = read_json(await (await ask(`/api/recent?id=${encodeURIComponent(id)}`)).text());
    if (!found)
      await new Promise((go_on) => { setTimeout(go_on, 100); });
  }
  return found;
}

/// Shows the question for a token. One that was shown and not taken is said to be wrong.
export function ask_for_token() {
  const at = (id) => document.getElementById(id);
  at("token-form").hidden = false;
  at("token-wrong").hidden = !has_token();
  at("token").toggleAttribute("aria-invalid", has_token());
  at("token").focus();
}

document.getElementById("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  use_token(document.getElementById("token").value.trim());
  location.reload();
});
