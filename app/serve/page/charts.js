// The last two minutes as charts, whose values show under the pointer and by the arrow keys.

import { digits, html, on_width, svg, ticks } from "./dom.js";

const seconds_shown = 120, chart_height = 132;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function clock_text(ms) {
  return clock.format(new Date(ms));
}

/// A scale from 0, or by powers of ten: `at` gives the share of the height, `marks` the values that are named.
function scale_of(values, least, is_log) {
  if (!is_log) {
    const highest = Math.max(least, ...values), marks = ticks(highest * 1.05, 3), step = marks[1]?.at ?? highest;
    const end = Math.ceil(highest / step - 1e-9) * step;
    return { at: (x) => x / end, marks: ticks(end, 3) };
  }
  const seen = values.filter((x) => x > 0);
  const low = Math.floor(Math.log10(seen.length > 0 ? Math.min(...seen) : 1));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...seen, 1)) - 1e-9), low + 1);
  const step = Math.ceil((high - low) / 4);
  const marks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => 10 ** (low + i * step))
    .map((x) => ({ at: x, text: String(x) }));
  return { at: (x) => (Math.log10(Math.max(x, 10 ** low)) - low) / (high - low), marks };
}

/// Lines over the last seconds. `lines` are {key, name, kind, text}, where `text` writes a value; a second without one is a gap.
export class Chart {
  constructor(title, lines, { least = 2, is_log = false } = {}) {
    Object.assign(this, { title, lines, least, is_log, points: [], dots: [], last: 0, chosen: null });
    this.values = new Map(lines.map((x) => [x.key, html("b", {}, "–")]));
    this.when = html("span", { class: "dim" });
    this.stage = html("div", { class: "stage", tabindex: 0, role: "slider", "aria-label": `${title}, by second`,
      "aria-valuemin": 1 - seconds_shown, "aria-valuemax": 0, "aria-valuenow": 0,
      onpointermove: (event) => this.choose(this.second_at(event.offsetX)), onpointerleave: () => this.choose(null),
      onblur: () => this.choose(null),
      onkeydown: (event) => this.on_key(event) });
    this.element = html("figure", { class: "chart" },
      html("figcaption", {}, html("span", {}, title), " ", this.when, html("ul", { class: "legend" }, ...lines.map((x) =>
        html("li", {}, svg("svg", { class: "plot sign", width: 20, height: 10, "aria-hidden": "true" },
          svg("line", { class: x.kind, x1: 1, y1: 5, x2: 19, y2: 5 })), `${x.name} `, this.values.get(x.key))))),
      this.stage);
    on_width(this.stage, (width) => {
      this.width = width;
      this.draw();
    });
  }

  /// `points` by second, the oldest first; `last` is the second at the right edge. `dots` are {second, value, is_bad, text}.
  update(points, last, dots = []) {
    Object.assign(this, { points, last, dots });
    if (this.chosen !== null && this.chosen <= last - seconds_shown)
      this.chosen = null;
    this.draw();
  }

  get left() { return 44; }
  get right() { return this.width - 12; }
  x_of(second) { return this.right - (this.last - second) / (seconds_shown - 1) * (this.right - this.left); }
  second_at(x) {
    const ago = Math.round((this.right - x) / (this.right - this.left) * (seconds_shown - 1));
    return this.last - Math.min(Math.max(ago, 0), seconds_shown - 1);
  }

  choose(second) {
    if (second === this.chosen)
      return;
    this.chosen = second;
    this.draw();
  }

  on_key(event) {
    const { key } = event;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -10, ArrowUp: 10, Home: -seconds_shown, End: seconds_shown };
    if (!(key in steps))
      return key === "Escape" && this.choose(null);
    event.preventDefault();
    const next = (this.chosen ?? this.last) + steps[key];
    this.choose(Math.min(Math.max(next, this.last - seconds_shown + 1), this.last));
  }

  /// The values of the chosen second, or of the last one.
  say() {
    const second = this.chosen ?? this.last, point = this.points.find((x) => x.second === second);
    const texts = this.lines.map(({ key, name, text = digits }) => {
      const said = has(point, key) ? text(point[key]) : "–";
      this.values.get(key).textContent = said;
      return `${name} ${said}`;
    });
    this.when.textContent = this.chosen === null ? "" : clock_text(second * 1000);
    this.stage.setAttribute("aria-valuenow", second - this.last);
    this.stage.setAttribute("aria-valuetext", `${clock_text(second * 1000)}: ${texts.join(", ")}`);
  }

  draw() {
    if (!this.width || !this.last)
      return;
    const { width, points, last, left, right } = this, top = 8, bottom = chart_height - 22;
    const values = [...points.flatMap((x) => this.lines.map((line) => x[line.key] ?? 0)), ...this.dots.map((x) => x.value)];
    const { at, marks } = scale_of(values, this.least, this.is_log);
    const x_of = (second) => this.x_of(second), y_of = (value) => bottom - at(value) * (bottom - top);
    const made = svg("svg", { class: "plot", width, height: chart_height, "aria-hidden": "true" });
    for (const { at: value, text } of marks)
      made.append(svg("line", { class: "grid", x1: left, y1: y_of(value), x2: right, y2: y_of(value) }),
                  svg("text", { class: "dim", x: left - 7, y: y_of(value) + 4, "text-anchor": "end" }, text));
    for (const [ago, text, anchor] of [[seconds_shown - 1, "2 min ago", "start"], [59, "1 min", "middle"], [0, "now", "end"]])
      made.append(svg("text", { class: "dim", x: x_of(last - ago), y: chart_height - 5, "text-anchor": anchor }, text));
    if (values.every((x) => x === 0))
      made.append(svg("text", { class: "dim", x: (left + right) / 2, y: bottom / 2, "text-anchor": "middle" }, "nothing yet"));
    for (const x of this.dots)
      made.append(svg("circle", { class: x.is_bad ? "dot line-bad" : "dot", cx: x_of(x.second), cy: y_of(x.value), r: 2.2 },
        svg("title", {}, x.text)));
    for (const { key, kind } of this.lines)
      made.append(svg("path", { class: kind, d: path_of(points, key, x_of, y_of) }), ...lone(points, key, kind, x_of, y_of));
    if (this.chosen !== null)
      made.append(svg("line", { class: "cursor", x1: x_of(this.chosen), y1: top, x2: x_of(this.chosen), y2: bottom }));
    this.stage.replaceChildren(made);
    this.say();
  }
}

function has(x, key) {
  return x !== undefined && x[key] !== null && x[key] !== undefined;
}

function path_of(points, key, x_of, y_of) {
  return points.map((x, i) => !has(x, key) ? "" :
    `${has(points[i - 1], key) ? "L" : "M"}${x_of(x.second).toFixed(1)} ${y_of(x[key]).toFixed(1)}`).join("");
}

/// Seconds with a value between seconds without: no line leads to them.
function lone(points, key, kind, x_of, y_of) {
  return points.filter((x, i) => has(x, key) && !has(points[i - 1], key) && !has(points[i + 1], key)).map((x) =>
    svg("circle", { class: kind, cx: x_of(x.second).toFixed(1), cy: y_of(x[key]).toFixed(1), r: 1.6 }));
}
