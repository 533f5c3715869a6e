// The requests as a list: those that only read, then those that may write. One of them is open, and the address says which.

import { address_of, read_address } from "./address.js";
import { html } from "./dom.js";
import { RequestForm } from "./form.js";

const filter_from = 8; // so many requests that one has to be looked for
const note_ms = 200;

export class RequestList {
  constructor(element, requests, start) {
    this.forms = requests.map((x) => new RequestForm(x, start, () => this.note_later()));
    this.entries = new Map(this.forms.map((x) => [x, this.entry_of(x)]));
    const part = (title, wanted) => {
      const all = this.forms.filter(wanted).map((x) => this.entries.get(x).element);
      return all.length === 0 ? null : html("div", { class: "part" }, html("h3", {}, title), html("ul", {}, ...all));
    };
    const reads = (x) => x.request.effect === "reads";
    element.replaceChildren(...[
      requests.length < filter_from ? null : html("p", { class: "filter" }, html("label", { for: "filter" }, "Find"),
        html("input", { id: "filter", type: "search", autocomplete: "off", oninput: (event) => this.filter(event.target.value) })),
      part("Only read", reads), part("May write", (x) => !reads(x)),
      requests.length === 0 ? html("p", { class: "dim" }, "The file has no requests.") : null].filter((x) => x));
    addEventListener("hashchange", () => this.follow_address());
    this.follow_address();
  }

  entry_of(form) {
    const button = html("button", { type: "button", class: "pick", "aria-expanded": "false", onclick: () => {
      this.note();
      this.open(form);
      this.note(true);
    } }, html("span", { class: "name" }, form.request.name),
      html("span", { class: "dim" }, form.request.queries.some((x) => x.for_each) ? "n queries" :
        form.request.queries.length === 1 ? "1 query" : `${form.request.queries.length} queries`));
    return { button, element: html("li", {}, button, form.element) };
  }

  open(form) {
    this.opened = form;
    for (const [x, { button }] of this.entries) {
      x.element.hidden = x !== form;
      button.setAttribute("aria-expanded", String(x === form));
    }
  }

  /// Writes the open request and its fields into the address: as a place to come back to, or instead of the one before.
  note(is_place = false) {
    clearTimeout(this.later);
    const address = address_of(this.opened.request.name, this.opened.texts());
    if (address !== location.hash)
      history[is_place ? "pushState" : "replaceState"](null, "", address);
  }

  /// Browsers stop who changes the address with each key.
  note_later() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.note(), note_ms);
  }

  /// Opens what the address names; else the first request that shows what this is for.
  follow_address() {
    const wanted = read_address();
    const form = wanted && this.forms.find((x) => x.request.name === wanted.name);
    if (form)
      form.fill(wanted.fields);
    const shows_it = (x) => x.can_compare && x.request.parameters.every((y) => !y.required);
    const wanted_form = form ?? this.opened ?? this.forms.find(shows_it) ?? this.forms[0];
    if (wanted_form)
      this.open(wanted_form);
  }

  filter(text) {
    for (const [form, { element }] of this.entries)
      element.hidden = !form.request.name.toLowerCase().includes(text.toLowerCase());
  }
}
