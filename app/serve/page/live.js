// A run while it is under way: its queries as bars that grow, and the time that has gone by. Nothing of a query is known before
// the answer, so all bars are alike; the pools beside show what is used and who waits.

import { html, svg } from "./dom.js";
import { Drawing } from "./timeline.js";

const calm_ms = 250; // between two steps for who wants little motion
const rows_max = 60;

export class LiveRun {
  /// `request` is the catalogue's; `span` the milliseconds that it took before, 0 if that is not known.
  constructor(request, span) {
    this.rows = request.queries.slice(0, rows_max).map((x) => ({ name: x.for_each ? `${x.name}[…]` : x.name }));
    this.span = span;
    this.counter = html("b", {}, "0 ms");
    this.about = html("span", {});
    this.stage = html("div", { class: "stage", "aria-hidden": "true" });
    this.element = html("div", { class: "under-way" }, html("p", { class: "large" }, this.counter, this.about), this.stage);
    this.step_ms = matchMedia("(prefers-reduced-motion: reduce)").matches ? calm_ms : 0;
    this.begin("");
  }

  /// A new run of several begins; `text` says which.
  begin(text) {
    this.began = performance.now();
    this.about.textContent = text;
  }

  /// Draws until `end` is called.
  start() {
    let last = -Infinity;
    const step = (now) => {
      if (this.ended)
        return;
      if (now - last >= this.step_ms) {
        last = now;
        this.draw(Math.max(now - this.began, 0));
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  end() { this.ended = true; }

  draw(ms) {
    this.counter.textContent = ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
    const width = Math.floor(this.stage.clientWidth);
    if (width === 0)
      return;
    const { rows } = this;
    const drawing = new Drawing(rows, Math.max(this.span, ms * 1.15, 1), width, false), height = rows.length * drawing.row + 4;
    const made = drawing.frame(height, "rows");
    made.append(...drawing.grid(height), ...rows.map((x, i) => svg("g", {}, drawing.name(x, i),
      drawing.rect("growing", drawing.left, drawing.x(ms), i * drawing.row + (drawing.row - drawing.bar) / 2))));
    this.stage.replaceChildren(drawing.axis(), made);
  }
}
