// The service's interface, from /openapi.json: each operation with its parameters, a form to try it, and what it answered.

import { html, milliseconds, plural } from "./dom.js";
import { ask, parse, text_of, use_token } from "./service.js";

const at = (id) => document.getElementById(id);
const characters_max = 20000; // of an answer that is shown
let last_id = 0;

function resolved(x, whole) {
  if (!x?.$ref)
    return x ?? {};
  return x.$ref.split("/").slice(1).reduce((here, name) => here[name.replaceAll("~1", "/").replaceAll("~0", "~")], whole);
}

function type_text(schema) {
  const type = [schema.type].flat().join(" or ");
  return type === "array" ? `list of ${schema.items?.type ?? "values"}` : schema.format ? `${type} (${schema.format})` : type;
}

class Entry {
  constructor(parameter, schema) {
    this.parameter = parameter;
    this.is_list = schema.type === "array";
    const id = `entry-${++last_id}`;
    const given = schema.default;
    const values = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
    if (values)
      this.input = html("select", { id }, html("option", { value: "" }, given === undefined ? "" : `default: ${given}`),
        ...values.map((x) => html("option", { value: x }, x)));
    else if (this.is_list)
      this.input = html("textarea", { id, rows: 2, spellcheck: "false" });
    else
      this.input = html("input", { id, autocomplete: "off", spellcheck: "false" });
    const hint = given === undefined || values ? null : `default ${Array.isArray(given) ? given.join(", ") : given}`;
    this.element = html("div", { class: "field" },
      html("label", { for: id }, html("span", { class: "name" }, parameter.name), html("span", { class: "type" }, type_text(schema)),
        html("span", { class: "hint" }, `in ${parameter.in === "query" ? "the query" : `a ${parameter.in}`}`),
        parameter.required ? html("span", { class: "required" }, "required") : null,
        hint ? html("span", { class: "hint" }, hint) : null,
        this.is_list ? html("span", { class: "hint" }, "one a line") : null),
      parameter.description ? html("p", { class: "hint" }, parameter.description) : null,
      html("div", { class: "entry" }, this.input));
  }

  add_to(query, headers) {
    const text = this.input.value;
    if (text === "")
      return;
    if (this.parameter.in === "header")
      headers[this.parameter.name] = text;
    else
      for (const x of this.is_list ? text.replace(/\n$/, "").split("\n") : [text])
        query.append(this.parameter.name, x);
  }
}

function example_of(schema) {
  if (schema.default !== undefined)
    return schema.default;
  const examples = { array: [], integer: 1, number: 1.5, boolean: true, string: "" };
  return examples[[schema.type].flat()[0]] ?? null;
}

function body_entry(operation, whole) {
  const schema = resolved(operation.requestBody?.content?.["application/json"]?.schema, whole);
  if (!schema.properties)
    return null;
  const example = Object.fromEntries(Object.entries(schema.properties).map(([name, x]) => [name, example_of(resolved(x, whole))]));
  const id = `entry-${++last_id}`;
  const lines = Object.entries(example).map(([name, x]) => `  ${JSON.stringify(name)}: ${JSON.stringify(x)}`);
  const input = html("textarea", { id, rows: Math.min(lines.length + 2, 10), spellcheck: "false" });
  input.value = lines.length > 0 ? `{\n${lines.join(",\n")}\n}` : "{}";
  return { input, element: html("div", { class: "field wide" },
    html("label", { for: id }, html("span", { class: "name" }, "body"), html("span", { class: "type" }, "application/json")),
    html("div", { class: "entry" }, input)) };
}

/// JSON in lines, and anything else as it came.
function pretty(text, type) {
  if (!type.includes("json"))
    return text;
  try {
    return JSON.stringify(parse(text), null, 1);
  } catch {
    return text;
  }
}

async function try_out(path, method, entries, body, output) {
  const query = new URLSearchParams(), headers = {};
  entries.forEach((x) => x.add_to(query, headers));
  if (body)
    headers["Content-Type"] = "application/json";
  const target = query.size > 0 ? `${path}?${query}` : path;
  const began = performance.now();
  const answer = await ask(target, { method: method.toUpperCase(), headers, body: body ? body.input.value : undefined });
  const text = await text_of(answer);
  const took = performance.now() - began;
  const shown = pretty(text, answer.headers.get("content-type") ?? "");
  const cut = shown.length > characters_max;
  output.replaceChildren(
    html("p", { class: answer.ok ? "status" : "status bad" }, html("b", {}, `${answer.status} ${answer.statusText}`),
      ` ${milliseconds(took)}, ${plural(text.length, "character")}`),
    html("p", { class: "target" }, `${method.toUpperCase()} ${target}`),
    html("details", { open: true }, html("summary", {}, plural([...answer.headers].length, "header field")),
      html("dl", { class: "fields" }, ...[...answer.headers].flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]))),
    html("pre", { tabindex: 0, role: "region", "aria-label": "Body" }, cut ? shown.slice(0, characters_max) : shown),
    ...(cut ? [html("p", { class: "dim" }, `… the first ${plural(characters_max, "character")} of ${shown.length}`)] : []));
}

function operation_view(path, method, operation, whole) {
  const entries = (operation.parameters ?? []).map((x) => resolved(x, whole))
    .map((x) => new Entry(x, resolved(x.schema, whole)));
  const body = body_entry(operation, whole);
  const output = html("div", { class: "answer", role: "status", "aria-live": "polite" });
  const answers = Object.entries(operation.responses ?? {}).map(([status, x]) =>
    html("li", {}, html("b", {}, status), ` ${resolved(x, whole).description ?? ""}`));
  return html("details", { class: "operation" },
    html("summary", {}, html("span", { class: `method ${method}` }, method.toUpperCase()), html("span", { class: "name" }, path),
      html("span", { class: "dim" }, operation.summary ?? "")),
    html("form", { novalidate: true, onsubmit: (event) => {
      event.preventDefault();
      try_out(path, method, entries, body, output).catch((why) =>
        output.replaceChildren(html("p", { class: "bad" }, `no answer (${why.message})`)));
    } },
      html("div", { class: "entries" }, ...entries.map((x) => x.element), body?.element),
      html("div", { class: "buttons" }, html("button", { class: "main" }, "Try it"))),
    output,
    html("ul", { class: "answers" }, ...answers));
}

function ask_for_token() {
  at("token-form").hidden = false;
  at("token").focus();
}

async function begin() {
  const answer = await ask("/openapi.json");
  if (answer.status === 401)
    return ask_for_token();
  const whole = parse(await answer.text());
  at("about").textContent = `${whole.info.title}, OpenAPI ${whole.openapi}`;
  for (const [path, methods] of Object.entries(whole.paths))
    for (const [method, operation] of Object.entries(methods))
      at("operations").append(operation_view(path, method, operation, whole));
}

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  use_token(at("token").value.trim());
  location.reload();
});

begin().catch((why) => { at("operations").textContent = `The service does not answer (${why.message}).`; });
