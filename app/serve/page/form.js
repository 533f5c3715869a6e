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

  /// Gives its text for the address: null for NULL, undefined where nobody has touched it.
  text() {
    return !this.touched ? undefined : this.null_box.checked ? null : this.input.value;
  }

  /// Fills it with such a text; undefined leaves it as it began.
  fill(text) {
    const begun = this.parameter.default;
    this.touched = text !== undefined;
    this.null_box.checked = this.input.disabled = this.touched ? text === null : begun === null;
    this.input.value = this.touched ? text ?? "" : text_of(begun);
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

const why_alone = {
  reads: "It is one query: there is nothing to compare.",
  may_write: "It may write: it takes POST only, or calls what is not known to only read. So it runs once for each press of Run, " +
    "and is not compared.",
  writes: "It writes: it runs once for each press of Run, and is not compared.",
};

export class RequestForm {
  /// `start(form, comparing)` when a button was pressed; it is to end with `finish()`. `changed(form)` when a field was.
  constructor(request, start, changed) {
    this.request = request;
    this.fields = request.parameters.map((x) => new Field(x));
    this.running = null;
    this.can_compare = request.effect === "reads" && (request.queries.length > 1 || request.queries.some((x) => x.for_each));
    const button = (name, comparing, is_main) => html("button", { type: is_main ? "submit" : "button",
      class: is_main ? "main" : null, "data-does": name, onclick: is_main ? null : () => this.press(start, comparing) }, name);
    this.compare_button = this.can_compare ? button("Compare", true, true) : null;
    this.run_button = button("Run", false, !this.can_compare);
    const databases = [...new Set(request.queries.map((x) => x.database))];
    this.general = html("p", { class: "error", hidden: true });
    this.element = html("form", { class: "request", novalidate: true, hidden: true, "aria-label": request.name,
                                  oninput: () => changed(this), onchange: () => changed(this), onsubmit: (event) => {
      event.preventDefault();
      this.press(start, this.can_compare);
    } },
      request.about ? html("p", {}, request.about) : null,
      html("p", { class: "queries" }, ...request.queries.map((x) =>
        html("span", { title: x.for_each ? "one for each value of a list" : null },
          x.for_each ? `${x.name}[…]` : x.name)),
        html("span", { class: "where" }, `on ${databases.join(", ")}`)),
      ...this.fields.map((x) => x.element), this.general,
      html("div", { class: "buttons" }, this.compare_button, this.run_button),
      html("p", { class: "hint" }, this.can_compare ? "Compare runs it both ways: one query after another, and all at once." :
        why_alone[request.effect]));
  }

  press(start, comparing) {
    const pressed = comparing ? this.compare_button : this.run_button;
    if (this.running) {
      if (this.pressed === pressed)
        this.running.abort();
      return;
    }
    this.running = new AbortController();
    this.pressed = pressed;
    pressed.textContent = "Cancel";
    for (const x of [this.compare_button, this.run_button])
      if (x && x !== pressed)
        x.setAttribute("aria-disabled", "true"); // keeps the focus, which `disabled` would not
    this.show_errors([]);
    start(this, comparing);
  }

  finish() {
    this.running = null;
    for (const x of [this.compare_button, this.run_button]) {
      if (!x)
        continue;
      x.textContent = x.dataset.does;
      x.removeAttribute("aria-disabled");
    }
  }

  /// The fields that somebody has touched, by name, as `address_of` takes them.
  texts() {
    return new Map(this.fields.map((x) => [x.parameter.name, x.text()]).filter(([, text]) => text !== undefined));
  }

  fill(texts) {
    for (const x of this.fields)
      x.fill(texts.get(x.parameter.name));
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
