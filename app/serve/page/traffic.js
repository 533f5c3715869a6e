// The last two minutes as charts, and the last requests as a table.

import { count, html, milliseconds, on_width, svg, ticks } from "./dom.js";

const seconds_shown = 120;
const chart_height = 132;

/// Lines over the last seconds, on a scale to `least` or more. `lines` are {key, name, kind}; where a second has no value,
/// its line has a gap.
export class Chart {
  constructor(title, unit, least, lines) {
    this.least = least;
    this.lines = lines;
    this.unit = unit;
    this.values = new Map(lines.map((x) => [x.key, html("b")]));
    this.stage = html("div", { class: "stage" });
    this.title = title;
    this.element = html("figure", { class: "chart" },
      html("figcaption", {}, html("span", {}, title), html("ul", { class: "legend" }, ...lines.map((x) =>
        html("li", {}, svg("svg", { class: "plot sign", width: 20, height: 10, "aria-hidden": "true" },
          svg("line", { class: x.kind, x1: 1, y1: 5, x2: 19, y2: 5 })), `${x.name} `, this.values.get(x.key))))),
      this.stage);
    this.points = [];
    this.last = 0;
    on_width(this.stage, (width) => {
      this.width = width;
      this.draw();
    });
  }

  /// `points` by second, the oldest first; `last` is the second at the right edge, `said` what to write in the legend.
  update(points, last, said) {
    this.points = points;
    this.last = last;
    for (const [key, element] of this.values)
      element.textContent = said[key];
    this.draw();
  }

  draw() {
    const { width, points, last } = this;
    if (!width)
      return;
    const left = 44, right = width - 8, top = 8, bottom = chart_height - 22;
    const highest = Math.max(this.least, ...points.flatMap((x) => this.lines.map((line) => x[line.key] ?? 0)));
    const marks = ticks(highest * 1.05, 3);
    const step = marks.length > 1 ? marks[1].at : highest;
    const end = Math.ceil(highest / step - 1e-9) * step;
    const x_of = (second) => right - (last - second) / (seconds_shown - 1) * (right - left);
    const y_of = (value) => bottom - value / end * (bottom - top);
    const made = svg("svg", { class: "plot", width, height: chart_height, viewBox: `0 0 ${width} ${chart_height}`, role: "img",
                              "aria-label": `${this.title} of the last two minutes, ${this.unit}` });
    for (const { at, text } of ticks(end, 3))
      made.append(svg("line", { class: "grid", x1: left, y1: y_of(at), x2: right, y2: y_of(at) }),
                  svg("text", { class: "dim", x: left - 7, y: y_of(at) + 4, "text-anchor": "end" }, text));
    for (const [ago, text, anchor] of [[seconds_shown - 1, "2 min ago", "start"], [59, "1 min", "middle"], [0, "now", "end"]])
      made.append(svg("text", { class: "dim", x: x_of(last - ago), y: chart_height - 5, "text-anchor": anchor }, text));
    for (const { key, kind } of this.lines)
      made.append(svg("path", { class: kind, d: path_of(points, key, x_of, y_of) }), ...dots(points, key, kind, x_of, y_of));
    this.stage.replaceChildren(made);
  }
}

function has(x, key) {
  return x !== undefined && x[key] !== null;
}

function path_of(points, key, x_of, y_of) {
  return points.map((x, i) => !has(x, key) ? "" :
    `${has(points[i - 1], key) ? "L" : "M"}${x_of(x.second).toFixed(1)} ${y_of(x[key]).toFixed(1)}`).join("");
}

/// Seconds with a value between seconds without: no line leads to them.
function dots(points, key, kind, x_of, y_of) {
  return points.filter((x, i) => has(x, key) && !has(points[i - 1], key) && !has(points[i + 1], key)).map((x) =>
    svg("circle", { class: kind, cx: x_of(x.second).toFixed(1), cy: y_of(x[key]).toFixed(1), r: 1.6 }));
}

/// The events of each of the last seconds; those without requests count too. A value that says nothing is null.
export class Seconds {
  constructor() { this.by_second = new Map(); }

  replace(history) { this.by_second = new Map(history.map((x) => [x.second, x])); }

  add(x) { this.by_second.set(x.second, x); }

  until(last) {
    const all = [];
    for (let second = last - seconds_shown + 1; second <= last; ++second) {
      const x = this.by_second.get(second);
      const any = x && x.requests > 0;
      all.push({ second, requests: x?.requests ?? 0, errors: x?.errors || null, p50_ms: any ? x.p50_ms : null,
                 p95_ms: any ? x.p95_ms : null, p99_ms: any ? x.p99_ms : null });
    }
    for (const second of this.by_second.keys())
      if (second <= last - seconds_shown)
        this.by_second.delete(second);
    return all;
  }
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/// The last requests, the youngest first. A row stays the same element as long as it is there.
export class Recent {
  constructor(body) {
    this.body = body;
    this.rows = new Map();
  }

  update(recent) {
    const seen = new Map();
    for (const x of recent) {
      const key = `${x.time} ${x.id}`;
      seen.set(key, this.rows.get(key) ?? row_of(x));
    }
    for (const [key, row] of this.rows)
      if (!seen.has(key))
        row.remove();
    let at = this.body.firstElementChild;
    for (const row of seen.values()) {
      if (row === at)
        at = at.nextElementSibling;
      else
        this.body.insertBefore(row, at);
    }
    this.rows = seen;
  }
}

function row_of(x) {
  const bad = x.status >= 400;
  return html("tr", { class: bad ? "bad" : null },
    html("td", {}, html("time", { datetime: x.time, title: x.time }, clock.format(new Date(x.time)))),
    html("td", { class: "name" }, x.request), html("td", { class: "number" }, String(x.status)),
    html("td", { class: "number" }, milliseconds(x.elapsed_ms)), html("td", {}, x.code),
    html("td", { class: "id" }, x.id));
}

export function say_totals(element, event) {
  const { minutes } = event;
  element.textContent = `${count(event.connections)} connected · ${count(event.in_flight)} in flight · ` +
    `${count(minutes.requests)} in two minutes`;
}
