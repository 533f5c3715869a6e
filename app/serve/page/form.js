// A request's form: a field for each parameter, read as what the service is sent.

import { html } from "./dom.js";

let last_id = 0;

function element_of(type) {
  return type.replace(/\[\]$/, "");
}

function text_of(value) {
  if (value === null || value === undefined)
    return "";
  return Array.isArray(value) ? value.map(String).join("\n") : String(value);
}

function input_for({ type, default: given }, id) {
  const text = text_of(given);
  if (type.endsWith("[]")) {
    const made = html("textarea", { id, rows: Math.min(Math.max(text.split("\n").length, 2), 6), spellcheck: "false" });
    made.value = text;
    return made;
  }
  if (type === "bool") {
    const made = html("select", { id }, ...["", "true", "false"].map((x) => html("option", { value: x }, x)));
    made.value = text;
    return made;
  }
  const modes = { int: "numeric", double: "decimal" };
  const made = html("input", { id, inputmode: modes[type], autocomplete: "off", spellcheck: "false",
                               placeholder: type === "bytes" ? "\\x00ff" : null });
  made.value = text;
  return made;
}

/// One value a line; or, on a single line, separated by commas.
function list_of(text) {
  if (text.trim() === "")
    return [];
  if (text.includes("\n"))
    return text.replace(/\n$/, "").split("\n");
  return text.split(",").map((x) => x.trim());
}

export class Field {
  constructor(parameter) {
    this.parameter = parameter;
    this.touched = false;
    const { name, type, required } = parameter;
    const id = `field-${++last_id}`;
    const touch = () => { this.touched = true; };
    this.input = input_for(parameter, id);
    this.input.name = name;
    this.input.setAttribute("aria-describedby", `${id}-error`);
    if (required)
      this.input.setAttribute("aria-required", "true");
    this.input.addEventListener("input", touch);
    this.null_box = html("input", { type: "checkbox", "aria-label": `${name} is NULL`, onchange: () => {
      touch();
      this.input.disabled = this.null_box.checked;
    } });
    if (!required && parameter.default === null)
      this.null_box.checked = this.input.disabled = true;
    this.error = html("p", { class: "error", id: `${id}-error`, hidden: true });
    const hint = type.endsWith("[]") ? "one a line, or with commas" : null;
    this.element = html("div", { class: "field" },
      html("label", { for: id }, html("span", { class: "name" }, name), html("span", { class: "type" }, type),
        required ? html("span", { class: "required" }, "required") : null,
        hint ? html("span", { class: "hint" }, hint) : null),
      html("div", { class: "entry" }, this.input,
        html("label", { class: "null-box" }, this.null_box, "NULL")),
      this.error);
  }

  /// The value to send, or undefined where the default holds or nothing was given.
  value() {
    if (!this.touched)
      return undefined;
    if (this.null_box.checked)
      return null;
    const { type } = this.parameter;
    const text = this.input.value;
    if (type.endsWith("[]"))
      return list_of(text).map((x) => element_of(type) === "text" ? x : x.trim());
    if (type === "bool")
      return text === "" ? undefined : text === "true";
    return type === "text" ? text : text.trim(); // a number as text is not rounded on its way
  }

  show_error(text) {
    this.error.textContent = text;
    this.error.hidden = !text;
    if (text)
      this.input.setAttribute("aria-invalid", "true");
    else
      this.input.removeAttribute("aria-invalid");
  }
}

export class RequestForm {
  /// `start(form, comparing)` when a button was pressed; it is to end with `finish()`.
  constructor(request, start) {
    this.request = request;
    this.fields = request.parameters.map((x) => new Field(x));
    this.running = null;
    this.run_button = html("button", { class: "main" }, "Run");
    this.compare_button = html("button", { type: "button", onclick: () => this.press(start, true) },
      "Shared session against own sessions");
    const databases = [...new Set(request.queries.map((x) => x.database))];
    this.general = html("p", { class: "error", hidden: true });
    const id = `request-${++last_id}`;
    this.element = html("form", { class: "request", novalidate: true, "aria-labelledby": id, onsubmit: (event) => {
      event.preventDefault();
      this.press(start, false);
    } },
      html("h3", { id }, request.name),
      html("p", { class: "queries" }, ...request.queries.map((x) =>
        html("span", { title: x.for_each ? "one for each value of a list" : null },
          x.for_each ? `${x.name}[…]` : x.name)),
        html("span", { class: "where" }, `on ${databases.join(", ")}`)),
      ...this.fields.map((x) => x.element), this.general,
      html("div", { class: "buttons" }, this.run_button, this.compare_button));
  }

  press(start, comparing) {
    if (this.running) {
      if (!comparing)
        this.running.abort();
      return;
    }
    this.running = new AbortController();
    this.run_button.textContent = "Cancel";
    this.compare_button.setAttribute("aria-disabled", "true"); // keeps the focus, which `disabled` would not
    this.show_errors([]);
    start(this, comparing);
  }

  finish() {
    this.running = null;
    this.run_button.textContent = "Run";
    this.compare_button.removeAttribute("aria-disabled");
  }

  body() {
    const all = Object.create(null); // a parameter may have any name
    for (const x of this.fields) {
      const value = x.value();
      if (value !== undefined)
        all[x.parameter.name] = value;
    }
    return JSON.stringify(all);
  }

  /// Shows each error at its field; those without one, above the buttons.
  show_errors(parameters) {
    const reasons = new Map(parameters.map((x) => [x.name, x.reason]));
    let first = null;
    for (const x of this.fields) {
      const why = reasons.get(x.parameter.name) ?? "";
      reasons.delete(x.parameter.name);
      x.show_error(why);
      if (why)
        first ??= x;
    }
    const rest = [...reasons].map(([name, why]) => `${name}: ${why}`).join("; ");
    this.general.textContent = rest;
    this.general.hidden = !rest;
    first?.input.focus();
  }
}
