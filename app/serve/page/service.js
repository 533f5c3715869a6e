// Asks the service. If it has a token, each request shows it; events do too, which an EventSource could not.

let token = sessionStorage.getItem("token") ?? "";

export function use_token(text) {
  token = text;
  sessionStorage.setItem("token", text);
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

/// Reads JSON; an integer that would be rounded stays the text that it was, where the browser tells.
export function parse(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ?
      context.source : value);
}

const retry_ms = 2000;

/// Hears /events for as long as the page is there: `hear(name, data)` for each, `tell(connected)` when that changes.
export function listen(hear, tell) {
  if (token)
    read_stream(hear, tell);
  else
    open_source(hear, tell);
}

function open_source(hear, tell) {
  const source = new EventSource("/events");
  source.addEventListener("open", () => tell(true));
  source.addEventListener("history", (x) => hear("history", JSON.parse(x.data)));
  source.addEventListener("message", (x) => hear("message", JSON.parse(x.data)));
  source.addEventListener("error", () => {
    tell(false);
    if (source.readyState === EventSource.CLOSED) // refused: it does not try again by itself
      setTimeout(() => listen(hear, tell), retry_ms);
  });
}

async function read_stream(hear, tell) {
  try {
    const answer = await ask("/events");
    if (!answer.ok)
      throw new Error(answer.statusText);
    tell(true);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let x = await reader.read(); !x.done; x = await reader.read()) {
      const events = (rest + x.value).split("\n\n");
      rest = events.pop();
      events.forEach((event) => hear_event(event, hear));
    }
  } catch {
    // Told below, whether it was never there or ended.
  }
  tell(false);
  setTimeout(() => listen(hear, tell), retry_ms);
}

function hear_event(text, hear) {
  let name = "message", data = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event: "))
      name = line.slice(7);
    else if (line.startsWith("data: "))
      data += line.slice(6);
  }
  if (data)
    hear(name, JSON.parse(data));
}
