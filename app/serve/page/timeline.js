// A run as a picture: a bar for each query, on one scale; below each, as a ghost, where it ran when they ran one after the other.
// Phases and colours are those of `sheaf run --timeline`.

import { digits, html, milliseconds, on_width, svg, ticks } from "./dom.js";
import { summary_of } from "./picture.js";

const named_max = 60; // of more queries the bars are thin, and only some have their names beside them

export class Drawing {
  constructor(rows, span, width, has_ghost) {
    const n = rows.length;
    this.rows = rows;
    this.width = width;
    this.span = span;
    this.is_thin = n > named_max;
    this.row = n <= 12 ? 28 : n <= 24 ? 20 : this.is_thin ? Math.max(400 / n, 1.5) : 16;
    this.bar = this.row * (this.is_thin ? 0.85 : has_ghost ? 0.5 : 0.62);
    this.ghost = this.is_thin ? 0 : has_ghost ? this.row * 0.2 : 0;
    this.font = n <= 12 ? 13 : 11.5;
    this.letter = this.font * 0.61;
    const narrow = width < 560, longest = Math.max(narrow ? 5 : 10, ...rows.map((x) => x.name.length));
    this.left = Math.min(longest * this.letter + 14, width * (narrow ? 0.26 : 0.34));
    this.right = width - (this.is_thin ? 20 : narrow ? 64 : 74) - (rows.some((x) => x.failed) ? 16 : 0);
    this.mark_width = narrow ? 48 : 76;
  }

  x(ms) { return this.left + (this.right - this.left) * Math.min(ms, this.span) / this.span; }

  text(x, y, kind, content, anchor = "start", size = this.font) {
    return svg("text", { x, y: y + size * 0.36, class: kind, "text-anchor": anchor, "font-size": size }, content);
  }

  rect(kind, from, to, top, height = this.bar) {
    return svg("rect", { class: kind, x: from, y: top, width: Math.max(to - from, 0), height, rx: Math.min(1.5, height / 4) });
  }

  frame(height, kind, label) {
    const seen = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
    return svg("svg", { class: `timeline ${kind}`, width: this.width, height, viewBox: `0 0 ${this.width} ${height}`, ...seen });
  }

  marks() { return ticks(this.span, Math.floor((this.right - this.left) / this.mark_width)); }

  line(kind, ms, top, bottom) { return svg("line", { class: kind, x1: this.x(ms), y1: top, x2: this.x(ms), y2: bottom }); }

  grid(height) { return this.marks().map(({ at }) => this.line("grid", at, 0, height)); }

  axis() {
    const made = this.frame(22, "axis");
    for (const { at, text } of this.marks())
      made.append(this.line("grid", at, 18, 22), this.text(this.x(at), 9, "dim", at === 0 ? "0 ms" : text, "middle", 11));
    return made;
  }

  /// The name of a row; of thin rows, only where there is room for it.
  name(x, i) {
    const every = Math.ceil(16 / this.row);
    if (this.is_thin && i % every !== Math.floor(every / 2))
      return null;
    const most = Math.max(Math.floor((this.left - 10) / this.letter), 3);
    const shown = x.name.length <= most ? x.name : `${x.name.slice(0, most - 1)}…`;
    return this.text(this.left - 10, (i + 0.5) * this.row, "name", shown, "end");
  }

  bars(x, i, ghost) {
    const top = i * this.row + (this.row - this.bar - this.ghost) / 2, begin = this.x(x.acquired);
    const end = x.ran ? Math.max(this.x(x.end), begin + 2) : this.x(x.end);
    const fetching = x.end > x.answered ? Math.min(this.x(x.answered), end) : end;
    const other = ghost?.ran ? [this.x(ghost.acquired), Math.max(this.x(ghost.end), this.x(ghost.acquired) + 1)] : null;
    if (this.is_thin) // a line each
      return [other ? this.rect("ghost", ...other, top) : null, this.rect(x.ran ? "executing" : "session", begin, end, top)];
    return [
      x.queued > 0 ? this.rect("turn", this.left, this.x(x.queued), top) : null,
      x.acquired > x.queued ? this.rect("session", this.x(x.queued), begin, top) : null,
      x.ran ? this.rect("executing", begin, fetching, top) : null,
      fetching < end ? this.rect("fetching", fetching, end, top) : null,
      other ? this.rect("ghost", ...other, top + this.bar + 1, this.ghost) : null,
      x.failed ? svg("path", { class: "cross", d: `M${end + 6} ${top + 1}l8 8m0 -8l-8 8` }) : null,
    ];
  }

  query(x, i, ghost) {
    const made = svg("g", { class: `query${x.failed ? " failed" : ""}${x.critical ? " critical" : ""}` },
      svg("title", {}, `${x.name}: ${x.outcome}; ${phases_text(x)}`),
      svg("rect", { class: "hover", x: 0, y: i * this.row, width: this.width, height: this.row }),
      this.name(x, i), ...this.bars(x, i, ghost));
    if (!this.is_thin)
      made.append(this.text(this.width - 2, (i + 0.5) * this.row, x.failed ? "note bad" : "note",
        x.ran ? milliseconds(x.end - x.acquired) : "never ran", "end", this.font - 0.5));
    return made;
  }

  /// All bars, and lines where the run ended and where the other one did.
  body(picture, shared) {
    const ghosts = new Map(shared?.rows.map((x) => [x.name, x]));
    const ends = [[picture.elapsed, "elapsed", shared ? "at once" : "elapsed"]];
    if (shared)
      ends.push([shared.elapsed, "other", "one after the other"]);
    const height = this.rows.length * this.row + 4, step = 15;
    const made = this.frame(height + ends.length * step + 4, "rows", summary_of(picture));
    made.append(...this.grid(height), ...this.rows.map((x, i) => this.query(x, i, ghosts.get(x.name))));
    const low = (i) => height + (i + 1) * step;
    made.append(...ends.map(([ms, kind], i) => this.line(kind, ms, 0, low(i))), ...ends.map(([ms, , text], i) => {
      const x = this.x(ms), late = x > this.width / 2;
      return this.text(late ? x - 5 : x + 5, low(i) - 6, "dim end", `${text} ${milliseconds(ms)}`, late ? "end" : "start", 11);
    }));
    return made;
  }
}

function phases_text(x) {
  const again = (x.pack > 0 ? `, in pack ${x.pack}, whose times these are` : "") +
    (x.attempts > 1 ? `, sent ${x.attempts} times` : "");
  if (!x.ran)
    return `waited ${milliseconds(x.end)}, never had a session${again}`;
  return `waited ${milliseconds(x.acquired)}, executed ${milliseconds(x.answered - x.acquired)}, ` +
    `fetched ${milliseconds(x.end - x.answered)}, total ${milliseconds(x.end)}${again}`;
}

function number_table(picture, shared) {
  const alone = new Map(shared?.rows.map((x) => [x.name, x.end - x.acquired]));
  const times = [
    ["its turn", (x) => x.queued], ["a session", (x) => x.acquired - x.queued], ["executing", (x) => x.answered - x.acquired],
    ["fetching", (x) => x.end - x.answered], ["total", (x) => x.end], ...(shared ? [["alone", (x) => alone.get(x.name) ?? 0]] : [])];
  const columns = ["query", "database", ...times.map(([name]) => name), "outcome"];
  const body = picture.rows.map((x) => html("tr", { class: x.critical ? "critical" : null },
    html("th", { scope: "row" }, x.name), html("td", {}, x.database),
    ...times.map(([, of]) => html("td", { class: "number" }, digits(of(x)))),
    html("td", { class: x.failed ? "bad" : null }, x.outcome, x.pack > 0 ? ` (in pack ${x.pack})` : null,
      x.attempts > 1 ? ` (sent ${x.attempts} times)` : null)));
  return html("details", { class: "numbers" }, html("summary", {}, "The same in numbers"),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Times of each query" },
      html("table", {},
        html("caption", {}, "Milliseconds: waiting for its turn and for a session, executing, fetching, and in all" +
          `${shared ? "; alone: having a session when they ran one after the other" : ""}. What the run waited for is bold.`),
        html("thead", {}, html("tr", {}, ...columns.map((x, i) =>
          html("th", { scope: "col", class: i > 1 && i < columns.length - 1 ? "number" : null }, x)))),
        html("tbody", {}, ...body))));
}

/// A figure of `picture`, with the ghost of `shared`, the same run one after the other, if that was measured.
export function timeline(picture, title, shared) {
  const stage = html("div", { class: "stage" });
  if (picture.rows.length > 24) {
    stage.tabIndex = 0; // it scrolls, so the keyboard has to reach it
    stage.setAttribute("role", "region");
    stage.setAttribute("aria-label", `Timeline: ${title}`);
  }
  on_width(stage, (width) => {
    const drawing = new Drawing(picture.rows, Math.max(picture.last, shared?.last ?? 0), width, Boolean(shared));
    stage.replaceChildren(drawing.axis(), drawing.body(picture, shared));
  });
  return html("figure", { class: "run", "aria-label": `Timeline: ${title}` },
    stage, legend(picture, shared), number_table(picture, shared));
}

/// Only what is in the picture.
function legend(picture, shared) {
  const sign = (...shapes) => svg("svg", { class: "timeline sign", width: 20, height: 12, "aria-hidden": "true" }, ...shapes);
  const bar = (kind) => sign(svg("rect", { class: kind, x: 1, y: 1.5, width: 18, height: 9, rx: 1.5 }));
  const seen = (length) => picture.rows.length <= named_max && picture.rows.some((x) => length(x) > 0.004 * picture.last);
  const entries = [
    seen((x) => x.queued) && [bar("turn"), "waiting for its turn"],
    seen((x) => x.acquired - x.queued) && [bar("session"), "waiting for a session"],
    [bar("executing"), "executing"],
    seen((x) => x.end - x.answered) && [bar("fetching"), "fetching"],
    picture.rows.some((x) => x.failed) && [sign(svg("path", { class: "cross", d: "M6 2l8 8m0 -8l-8 8" })), "failed"],
    shared && [sign(svg("rect", { class: "ghost", x: 1, y: 4, width: 18, height: 4 })),
               "as measured one after the other, on one session"],
  ];
  return html("ul", { class: "legend" }, ...entries.filter((x) => x).map(([picture, text]) => html("li", {}, picture, text)));
}
