// A run as a picture: a bar for each query, on one scale, with the critical path and the sum of the queries' times.
// Phases, path and colours are those of `sheaf run --timeline`.

import { digits, html, milliseconds, on_width, own, plural, svg, ticks } from "./dom.js";

/// The bar of that sum is cut when it would be more than this times as long: the others would not be seen.
const serial_share_max = 2.5;

function phases_of(times, elapsed) {
  const at = (x) => x ?? -1;
  const ran = at(times.acquired_ms) >= 0;
  if (!ran) {
    const end = Math.max(elapsed, at(times.queued_ms));
    return { ran, queued: at(times.queued_ms) >= 0 ? times.queued_ms : end, acquired: end, answered: end, end };
  }
  const acquired = times.acquired_ms;
  const end = Math.max(acquired, at(times.sent_ms), at(times.first_row_ms), at(times.last_row_ms), at(times.released_ms),
    at(times.answered_ms));
  return {
    ran,
    queued: Math.min(Math.max(at(times.queued_ms), 0), acquired),
    acquired,
    answered: times.first_row_ms === null ? end : Math.max(times.first_row_ms, acquired),
    end,
  };
}

/// The query that ended last, before it the one that it waited for, and so on.
function critical_path(rows) {
  const by_end = rows.filter((x) => x.ran).sort((a, b) => b.end - a.end || a.index - b.index);
  const path = [];
  for (const x of by_end) {
    const next = path.at(-1);
    if (!next || (x.end <= next.acquired && x.acquired < next.acquired))
      path.push(x);
  }
  return path;
}

function outcome_of(answer, name) {
  const why = own(answer.errors, name);
  if (why)
    return why.code;
  const result = own(answer.results, name);
  if (result?.affected_rows !== undefined)
    return `${plural(result.affected_rows, "row")} affected`;
  return result ? plural(result.rows.length, "row") : "";
}

/// The parts of an answer that are drawn.
export function picture_of(answer) {
  const { elapsed_ms: elapsed, serial_sum_ms: serial, overlap, queries } = answer.timing;
  const rows = Object.entries(queries).map(([name, times], index) => ({
    ...phases_of(times, elapsed), index, name, database: times.database, failed: Object.hasOwn(answer.errors, name),
    outcome: outcome_of(answer, name),
  }));
  const path = critical_path(rows);
  path.forEach((x) => { x.critical = true; });
  return { elapsed, serial, overlap, rows, path, last: Math.max(elapsed, 0.001, ...rows.map((x) => x.end)) };
}

/// The end of a scale that all of these pictures can share, in milliseconds.
export function span_of(pictures) {
  const last = Math.max(...pictures.map((x) => x.last)), serial = Math.max(...pictures.map((x) => x.serial));
  return serial > serial_share_max * last ? last : Math.max(last, serial);
}

/// The query that makes the request as long as it is, and its share of that time: it takes at least half of it, and a
/// quarter more than any other. Empty where there is none.
function longest_of(picture) {
  const took = (x) => x.end - x.acquired;
  const [longest, next] = picture.rows.filter((x) => x.ran).sort((a, b) => took(b) - took(a));
  if (!next || took(longest) < 0.5 * picture.elapsed || took(longest) < 1.25 * took(next))
    return "";
  return `, of which ${longest.name} is ${Math.round(100 * took(longest) / picture.elapsed)} %`;
}

export function summary_of(picture) {
  const n = picture.rows.length;
  const text = `${plural(n, "query", "queries")} in ${milliseconds(picture.elapsed)}${longest_of(picture)}`;
  if (n < 2 || picture.serial <= 0)
    return text;
  if (picture.overlap < 0.95) // they waited, mostly for sessions to be opened
    return `${text}; they ran for ${milliseconds(picture.serial)} in all, and else waited`;
  return `${text}, ${picture.overlap.toFixed(1)} at once on average`;
}

class Drawing {
  constructor(picture, span, width) {
    const n = picture.rows.length;
    this.picture = picture;
    this.width = width;
    [this.row, this.bar, this.font] = n <= 12 ? [28, 16, 13] : n <= 60 ? [20, 12, 12] : [14, 9, 10.5];
    this.letter = this.font * 0.61;
    const narrow = width < 560;
    const longest = Math.max(narrow ? 7 : 15, ...picture.rows.map((x) => x.name.length));
    this.left = Math.min(longest * this.letter + 14, width * 0.34);
    const cross = picture.rows.some((x) => x.failed) ? this.bar * 0.56 + 8 : 0;
    this.right = width - (narrow ? 68 : 74) - cross;
    this.mark_width = narrow ? 48 : 76;
    this.span = span;
  }

  x(ms) { return this.left + (this.right - this.left) * Math.min(ms, this.span) / this.span; }

  text(x, y, kind, content, anchor = "start", size = this.font) {
    return svg("text", { x, y: y + size * 0.36, class: kind, "text-anchor": anchor, "font-size": size }, content);
  }

  rect(kind, from, to, middle) {
    return svg("rect", { class: kind, x: from, y: middle - this.bar / 2, width: Math.max(to - from, 0), height: this.bar, rx: 1.5 });
  }

  line(kind, x1, y1, x2, y2) { return svg("line", { class: kind, x1, y1, x2, y2 }); }

  frame(height, kind, label) {
    const seen = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
    return svg("svg", { class: `timeline ${kind}`, width: this.width, height, viewBox: `0 0 ${this.width} ${height}`, ...seen });
  }

  marks() { return ticks(this.span, Math.floor((this.right - this.left) / this.mark_width)); }

  grid(height) { return this.marks().map(({ at }) => this.line("grid", this.x(at), 0, this.x(at), height)); }

  shortened(name, room) {
    const most = Math.max(Math.floor(room / this.letter), 3);
    return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
  }

  axis() {
    const made = this.frame(22, "axis");
    for (const { at, text } of this.marks())
      made.append(this.line("grid", this.x(at), 18, this.x(at), 22),
                  this.text(this.x(at), 9, "dim", at === 0 ? "0 ms" : text, "middle", 11));
    return made;
  }

  query(x, i) {
    const middle = (i + 0.5) * this.row;
    const end = x.ran ? Math.max(this.x(x.end), this.x(x.acquired) + 2) : this.x(x.end);
    const made = svg("g", { class: `query${x.failed ? " failed" : ""}${x.critical ? " critical" : ""}` },
      svg("title", {}, `${x.name}: ${x.outcome}; ${phases_text(x)}`),
      svg("rect", { class: "hover", x: 0, y: i * this.row, width: this.width, height: this.row }),
      this.text(this.left - 10, middle, "name", this.shortened(x.name, this.left - 10), "end"));
    if (x.queued > 0)
      made.append(this.rect("turn", this.left, this.x(x.queued), middle));
    if (x.acquired > x.queued)
      made.append(this.rect("session", this.x(x.queued), this.x(x.acquired), middle));
    if (x.ran) {
      const fetching = x.end > x.answered ? Math.min(this.x(x.answered), end) : end;
      made.append(this.rect("executing", this.x(x.acquired), fetching, middle));
      if (fetching < end)
        made.append(this.rect("fetching", fetching, end, middle));
    }
    if (x.failed) {
      const r = this.bar * 0.28;
      made.append(svg("path", { class: "cross", d: `M${end + 6} ${middle - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}` }));
    }
    const note = x.ran ? milliseconds(x.end - x.acquired) : "never ran";
    made.append(this.text(this.width - 2, middle, x.failed ? "note bad" : "note", note, "end", this.font - 0.5));
    return made;
  }

  /// A line below the bars of the critical path, and from each to the one that waited for it.
  way() {
    const below = (x) => (x.index + 0.5) * this.row + this.bar / 2 + 2;
    const end = (x) => Math.max(this.x(x.end), this.x(x.acquired) + 2);
    let d = "";
    this.picture.path.forEach((x, k, path) => {
      d += `M${end(x)} ${below(x)}H${this.x(x.acquired)}`;
      const before = path[k + 1];
      if (before)
        d += `H${end(before)}V${below(before)}`;
    });
    return svg("path", { class: "path", d });
  }

  rows() {
    const height = this.picture.rows.length * this.row + 4;
    const made = this.frame(height, "rows", summary_of(this.picture));
    made.append(...this.grid(height), ...this.picture.rows.map((x, i) => this.query(x, i)), this.way());
    if (this.picture.elapsed <= this.span)
      made.append(this.line("elapsed", this.x(this.picture.elapsed), 0, this.x(this.picture.elapsed), height));
    return made;
  }

  serial() {
    const { elapsed, serial } = this.picture;
    const made = this.frame(serial > 0 ? 48 : 18, "serial", `Sum of the queries' times: ${milliseconds(serial)}`);
    const x = this.x(elapsed), late = x > this.width / 2;
    made.append(this.line("elapsed", x, 0, x, 15),
                this.text(late ? x - 5 : x + 5, 9, "dim", `elapsed ${milliseconds(elapsed)}`, late ? "end" : "start", 11));
    if (serial <= 0)
      return made;
    this.bar = 14;
    const middle = 32, cut = serial > this.span * 1.0001;
    const end = cut ? this.right : this.x(serial);
    made.append(this.text(this.left - 10, middle, "dim", this.left < 120 ? "sum" : "sum of times", "end", 12),
                this.rect("ghost", this.left, end, middle));
    if (cut)
      made.append(svg("path", { class: "break", d: `M${end - 26} ${middle - 10}h7l-6 20h-7z` }),
                  svg("path", { class: "edge", d: `M${end - 26} ${middle - 10}l-6 20m7 0l6 -20` }));
    made.append(this.text(this.width - 2, middle, "dim", milliseconds(serial), "end", 12));
    return made;
  }
}

function phases_text(x) {
  if (!x.ran)
    return `waited ${milliseconds(x.end)}, never had a session`;
  return `waited ${milliseconds(x.acquired)}, executed ${milliseconds(x.answered - x.acquired)}, ` +
    `fetched ${milliseconds(x.end - x.answered)}, total ${milliseconds(x.end)}`;
}

function number_table(picture) {
  const columns = ["query", "database", "its turn", "a session", "executing", "fetching", "total", "outcome"];
  const body = picture.rows.map((x) => html("tr", { class: x.critical ? "critical" : null },
    html("th", { scope: "row" }, x.name), html("td", {}, x.database),
    ...[x.queued, x.acquired - x.queued, x.answered - x.acquired, x.end - x.answered, x.end].map((ms) =>
      html("td", { class: "number" }, digits(ms))),
    html("td", { class: x.failed ? "bad" : null }, x.outcome)));
  return html("details", { class: "numbers" }, html("summary", {}, "The same in numbers"),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Times of each query" },
      html("table", {},
        html("caption", {}, "Milliseconds; waiting for its turn and for a session, executing, fetching. " +
          `The critical path is bold. ${summary_of(picture)}.`),
        html("thead", {}, html("tr", {}, ...columns.map((x, i) =>
          html("th", { scope: "col", class: i > 1 && i < 7 ? "number" : null }, x)))),
        html("tbody", {}, ...body))));
}

/// A figure of `picture` whose scale ends at `span` milliseconds. Without a caption it is known by its title all the same.
export function timeline(picture, title, { span = span_of([picture]), caption = true } = {}) {
  const stage = html("div", { class: "stage" });
  if (picture.rows.length > 24) {
    stage.tabIndex = 0; // it scrolls, so the keyboard has to reach it
    stage.setAttribute("role", "region");
    stage.setAttribute("aria-label", `Timeline: ${title}`);
  }
  on_width(stage, (width) => {
    const drawing = new Drawing(picture, span, width);
    stage.replaceChildren(drawing.axis(), drawing.rows(), drawing.serial());
  });
  return html("figure", { class: "run", "aria-label": `Timeline: ${title}` },
    caption ? html("figcaption", {}, html("b", {}, title), " ", html("span", { class: "dim" }, summary_of(picture))) : null,
    stage, number_table(picture));
}

function sign(...shapes) {
  return svg("svg", { class: "timeline sign", width: 20, height: 12, "aria-hidden": "true" }, ...shapes);
}

export function legend() {
  const bar = (kind) => sign(svg("rect", { class: kind, x: 1, y: 1.5, width: 18, height: 9, rx: 1.5 }));
  const entries = [
    [bar("turn"), "waiting for its turn"], [bar("session"), "waiting for a session, or connecting"],
    [bar("executing"), "executing"], [bar("fetching"), "fetching"],
    [sign(svg("path", { class: "cross", d: "M6 2l8 8m0 -8l-8 8" })), "failed"],
    [sign(svg("line", { class: "path", x1: 1, y1: 6, x2: 19, y2: 6 })), "critical path"],
    [bar("ghost"), "sum of the queries' times"],
  ];
  return html("ul", { class: "legend" }, ...entries.map(([picture, text]) => html("li", {}, picture, text)));
}
