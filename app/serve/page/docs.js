// The service's interface, from /openapi.json: each operation with its parameters, a call to copy, a form to try it and the form of
// its answer. What all of them share stands once, at the end.

import { html, milliseconds, plural, text_block } from "./dom.js";
import { copy_button, curl_of, mind_links } from "./export.js";
import { read_json, write_json } from "./json.js";
import { ask, ask_for_token, text_of } from "./service.js";

const at = (id) => document.getElementById(id);
const characters_max = 20000; // of an answer that is shown
let last_id = 0;

function resolved(x, whole) {
  if (!x?.$ref)
    return x ?? {};
  return x.$ref.split("/").slice(1).reduce((here, name) => here[name.replaceAll("~1", "/").replaceAll("~0", "~")], whole);
}

/// A schema in short: {"total": Result, …}.
function outline(schema, indent = "") {
  if (schema.$ref)
    return schema.$ref.split("/").at(-1);
  if (schema.anyOf)
    return schema.anyOf.map((x) => outline(x, indent)).join(`\n${indent}or `);
  if (schema.allOf)
    return outline(schema.allOf[0], indent);
  const type = [schema.type ?? "any value"].flat().join(" or ");
  if (schema.prefixItems)
    return `[${schema.prefixItems.map((x) => outline(x, indent)).join(", ")}]`;
  if (type.startsWith("array"))
    return `[${outline(schema.items ?? {}, indent)}, …]${type.slice(5)}`;
  if (!type.startsWith("object"))
    return schema.enum ? schema.enum.map((x) => `"${x}"`).join(" or ") : type;
  const deeper = `${indent}  `, required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(([name, x]) =>
    `${JSON.stringify(name)}${required.has(name) ? "" : "?"}: ${outline(x, deeper)}`);
  if (schema.additionalProperties)
    members.push(schema.additionalProperties === true ? "…" : `"…": ${outline(schema.additionalProperties, deeper)}`);
  return members.length === 0 ? "{}" : `{\n${members.map((x) => deeper + x).join(",\n")}\n${indent}}`;
}

class Entry {
  constructor(parameter, schema) {
    this.parameter = parameter;
    this.is_list = schema.type === "array";
    const id = `entry-${++last_id}`, given = schema.default;
    const values = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
    if (values)
      this.input = html("select", { id }, html("option", { value: "" }, given === undefined ? "" : `default: ${given}`),
        ...values.map((x) => html("option", { value: x }, x)));
    else if (this.is_list)
      this.input = html("textarea", { id, rows: 2, spellcheck: "false" });
    else
      this.input = html("input", { id, autocomplete: "off", spellcheck: "false" });
    const type = this.is_list ? `list of ${schema.items?.type ?? "values"}, one a line` : [schema.type].flat().join(" or ");
    this.element = html("div", { class: "field" },
      html("label", { for: id }, html("span", { class: "name" }, parameter.name), html("span", { class: "type" }, type),
        parameter.required ? html("span", { class: "required" }, "required") : null,
        given === undefined || values ? null : html("span", { class: "hint" }, `default ${[given].flat().join(", ")}`)),
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
  const examples = { array: [], integer: 1, number: 1.5, boolean: true, string: "" };
  return schema.default ?? examples[[schema.type].flat()[0]] ?? null;
}

function body_entry(operation, whole) {
  const schema = resolved(operation.requestBody?.content?.["application/json"]?.schema, whole);
  if (!schema.properties)
    return null;
  const lines = Object.entries(schema.properties).map(([name, x]) =>
    `  ${JSON.stringify(name)}: ${JSON.stringify(example_of(resolved(x, whole)))}`);
  const id = `entry-${++last_id}`, input = html("textarea", { id, rows: Math.min(lines.length + 2, 10), spellcheck: "false" });
  input.value = lines.length > 0 ? `{\n${lines.join(",\n")}\n}` : "{}";
  return { input, element: html("div", { class: "field wide" },
    html("label", { for: id }, html("span", { class: "name" }, "body"), html("span", { class: "type" }, "application/json")),
    html("div", { class: "entry" }, input)) };
}

/// Makes the call that is to be sent: {target, method, headers, body}.
function call_of(path, method, entries, body) {
  const query = new URLSearchParams(), headers = {};
  entries.forEach((x) => x.add_to(query, headers));
  if (body)
    headers["Content-Type"] = "application/json";
  return { target: query.size > 0 ? `${path}?${query}` : path, method: method.toUpperCase(), headers, body: body?.input.value };
}

/// JSON in lines, and anything else as it came.
function pretty(text) {
  try {
    return write_json(read_json(text));
  } catch {
    return text;
  }
}

async function try_out(call, output) {
  const began = performance.now(), answer = await ask(call.target, call), text = await text_of(answer);
  const took = performance.now() - began, fields = [...answer.headers], shown = pretty(text);
  output.replaceChildren(
    html("p", { class: answer.ok ? "status" : "status bad" }, html("b", {}, `${answer.status} ${answer.statusText}`),
      ` ${milliseconds(took)}, ${plural(text.length, "character")}`),
    html("p", { class: "target" }, `${call.method} ${call.target}`),
    html("details", {}, html("summary", {}, plural(fields.length, "header field")),
      html("dl", { class: "fields" }, ...fields.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]))),
    text_block(`Answer of ${call.method} ${call.target}`, shown.slice(0, characters_max)),
    shown.length > characters_max ? `… the first ${plural(characters_max, "character")} of ${shown.length}` : "");
}

function operation_view(path, method, operation, whole) {
  const all = (operation.parameters ?? []).map((x) => [Boolean(x.$ref), resolved(x, whole)])
    .map(([is_common, x]) => ({ is_common, entry: new Entry(x, resolved(x.schema, whole)) }));
  const entries = all.map((x) => x.entry), body = body_entry(operation, whole), common = all.filter((x) => x.is_common);
  const output = html("div", { class: "answer", role: "status", "aria-live": "polite" });
  const label = `${method.toUpperCase()} ${path}`, curl = text_block(`${label} as curl`, "", "curl");
  const call = () => call_of(path, method, entries, body), command = () => curl_of(call());
  const tell = () => { curl.textContent = command(); };
  const schema = operation.responses?.["200"]?.content?.["application/json"]?.schema;
  tell();
  return html("details", { class: "operation" },
    html("summary", {}, html("span", { class: `method ${method}` }, method.toUpperCase()), html("span", { class: "name" }, path),
      html("span", { class: "dim" }, operation.summary ?? "")),
    html("form", { novalidate: true, oninput: tell, onsubmit: (event) => {
      event.preventDefault();
      try_out(call(), output).catch((why) => output.replaceChildren(html("p", { class: "bad" }, `no answer (${why.message})`)));
    } },
      html("div", { class: "entries" }, ...all.filter((x) => !x.is_common).map((x) => x.entry.element), body?.element),
      common.length === 0 ? null : html("details", {}, html("summary", {}, "Options and headers that each request takes"),
        html("div", { class: "entries" }, ...common.map((x) => x.entry.element))),
      curl, html("div", { class: "buttons" }, html("button", { class: "main" }, "Try it"), copy_button("curl", command))),
    output,
    schema ? html("details", {}, html("summary", {}, "The form of its answer"),
      text_block(`Answer to ${label}`, outline(schema))) : null);
}

/// Shows the parts that all operations share: the schemas, and the statuses of an answer that is none.
function common_view(whole) {
  const statuses = new Map();
  for (const methods of Object.values(whole.paths))
    for (const operation of Object.values(methods))
      for (const [status, x] of Object.entries(operation.responses ?? {}))
        if (x.$ref)
          statuses.set(x.$ref, (statuses.get(x.$ref) ?? new Set()).add(status));
  return [
    html("details", { class: "operation" }, html("summary", {}, html("span", { class: "name" }, "Statuses")),
      html("dl", { class: "fields" }, ...[...statuses].flatMap(([$ref, all]) => [html("dt", {}, [...all].sort().join(" ")),
        html("dd", {}, `${outline({ $ref })}: ${resolved({ $ref }, whole).description}, as application/problem+json`)]))),
    ...Object.entries(whole.components.schemas).map(([name, schema]) => html("details", { class: "operation" },
      html("summary", {}, html("span", { class: "name" }, name), html("span", { class: "dim" }, schema.description ?? "")),
      text_block(`Schema ${name}`, outline(schema)))),
  ];
}

async function begin() {
  mind_links(document.querySelectorAll("[data-asks]"), ask);
  const answer = await ask("/openapi.json");
  if (answer.status === 401)
    return ask_for_token();
  const whole = await answer.json();
  at("about").textContent = `${whole.info.title}, OpenAPI ${whole.openapi}`;
  for (const [path, methods] of Object.entries(whole.paths))
    for (const [method, operation] of Object.entries(methods))
      at("operations").append(operation_view(path, method, operation, whole));
  at("operations").append(html("h2", {}, "What all of them share"), ...common_view(whole));
}

begin().catch((why) => { at("operations").textContent = `The service does not answer (${why.message}).`; });
