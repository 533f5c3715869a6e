// The last requests as a table; each opens into its timeline.

import { html, milliseconds } from "./dom.js";
import { clock_text } from "./charts.js";
import { bound_of, picture_of_recent, summary_of } from "./picture.js";
import { recent_of } from "./service.js";
import { timeline } from "./timeline.js";

/// Shows the things that the service knows of one request.
function view_of(x) {
  if (!x)
    return [html("p", { class: "dim" }, "It is not among the last hundred any more.")];
  const { timing } = x, picture = timing && picture_of_recent(timing);
  const failures = (timing?.queries ?? []).filter((q) => q.code).map((q) => html("li", { class: "bad" }, `${q.name}: ${q.code}`,
    q.detail ? html("span", { class: "said" }, ` ${q.detail}`) : null));
  const again = (timing?.queries ?? []).filter((q) => q.attempts > 1)
    .map((q) => html("li", {}, `${q.name} was sent ${q.attempts} times`));
  const way = timing?.session === "shared" ? "on one session." : "on sessions of their own.";
  return [
    picture?.rows.length > 0 ?
      html("p", {}, `${summary_of(picture)}, ${way} ${timing.session === "shared" ? "" : bound_of(picture)}`) :
      html("p", { class: "dim" }, "None of its queries ran."),
    x.detail && failures.length === 0 ? html("p", { class: "said bad" }, x.detail) : null,
    failures.length + again.length > 0 ? html("ul", { class: "failures" }, ...failures, ...again) : null,
    picture?.rows.length > 0 ? timeline(picture, `${x.request} ${x.id}`) : null,
    timing?.left_out > 0 ? html("p", { class: "dim" }, `${timing.left_out} more queries are not kept.`) : null,
  ].filter((part) => part);
}

/// The last requests, the youngest first. A row stays the same element as long as it is there; one that is open stays open.
export class Recent {
  constructor(body, empty) {
    this.body = body;
    this.empty = empty;
    this.rows = new Map();
  }

  update(recent) {
    const seen = new Map();
    for (const x of recent) {
      const key = `${x.time} ${x.id}`;
      seen.set(key, this.rows.get(key) ?? this.row_of(x));
    }
    for (const [key, { row }] of this.rows)
      if (!seen.has(key)) {
        row.nextElementSibling?.matches(".opened") && row.nextElementSibling.remove();
        row.remove();
      }
    let at = this.body.firstElementChild;
    for (const { row } of seen.values()) {
      if (row === at)
        at = at.nextElementSibling;
      else
        this.body.insertBefore(row, at);
      if (at?.matches(".opened"))
        at = at.nextElementSibling;
    }
    this.rows = seen;
    this.empty.hidden = seen.size > 0;
  }

  row_of(x) {
    const open = !x.timeline && x.status < 400 ? null : html("button", { type: "button", class: "open", "aria-expanded": "false",
      "aria-label": `Timeline of ${x.request} ${x.id}`, onclick: () => this.toggle(row, open, x) }, x.request);
    const row = html("tr", { class: x.status >= 400 ? "bad" : null },
      html("td", {}, html("time", { datetime: x.time, title: x.time }, clock_text(Date.parse(x.time)))),
      html("td", { class: "name" }, open ?? x.request), html("td", { class: "number" }, String(x.status)),
      html("td", { class: "number" }, milliseconds(x.elapsed_ms)), html("td", {}, x.code),
      html("td", { class: "id" }, x.id));
    return { row };
  }

  async toggle(row, button, x) {
    const is_open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!is_open));
    if (is_open)
      return row.nextElementSibling.remove();
    const place = html("td", { colspan: 6 }, html("p", { class: "dim" }, "…"));
    row.after(html("tr", { class: "opened" }, place));
    try {
      place.replaceChildren(...view_of(await recent_of(x.id)));
    } catch (why) {
      place.replaceChildren(html("p", { class: "bad" }, `no answer (${why.message})`));
    }
  }
}
