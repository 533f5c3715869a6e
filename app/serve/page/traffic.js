// What the charts show: the seconds of all requests or of one, and the pools' sessions and queues.

import { Chart, clock_text } from "./charts.js";
import { count, html, milliseconds } from "./dom.js";

const seconds_shown = 120, dots_max = 2000;

function percentile(sorted, p) {
  return sorted.length === 0 ? null : sorted[Math.max(Math.ceil(sorted.length * p) - 1, 0)];
}

export class Traffic {
  constructor(element, requests) {
    this.seconds = new Map();
    this.pools = new Map();
    this.seen = new Map(); // the requests that were among the last ones, by time and id
    const line = (key, name, kind, text = count) => ({ key, name, kind: `line-${kind}`, text });
    this.charts = [
      new Chart("Requests a second", [line("requests", "all", "a"), line("errors", "errors", "bad")]),
      new Chart("Time to answer, ms", [line("p50_ms", "p50", "a", milliseconds), line("p95_ms", "p95", "b", milliseconds),
                                       line("p99_ms", "p99", "c", milliseconds)], { is_log: true }),
      new Chart("Sessions and queue", [line("used", "used", "a"), line("waiting", "queries waiting", "b")]),
    ];
    this.choice = html("select", { id: "chart-of", onchange: () => this.draw() }, html("option", { value: "" }, "all requests"),
      ...requests.map((x) => html("option", { value: x.name }, x.name)));
    this.note = html("span", { class: "hint" });
    element.replaceChildren(html("p", { class: "choice" }, html("label", { for: "chart-of" }, "Charts of"), this.choice, this.note),
      html("div", { class: "charts" }, ...this.charts.map((x) => x.element)));
  }

  replace(history) {
    this.seconds = new Map(history.map((x) => [x.second, x]));
  }

  /// The pools at this moment; of each second the most is kept.
  add_pools(pools, second) {
    const before = this.pools.get(second) ?? { used: 0, waiting: 0 };
    const most = (so_far, key) => Math.max(so_far, pools.reduce((all, x) => all + x[key], 0));
    this.pools.set(second, { used: most(before.used, "active"), waiting: most(before.waiting, "waiting") });
  }

  add(event) {
    this.seconds.set(event.second.second, event.second);
    this.last = event.second.second;
    this.add_pools(event.pools, this.last + 1);
    for (const x of event.recent)
      this.seen.set(`${x.time} ${x.id}`, { ...x, second: Math.floor(Date.parse(x.time) / 1000) });
    for (const all of [this.seconds, this.pools])
      for (const second of all.keys())
        if (second <= this.last - seconds_shown)
          all.delete(second);
    for (const [key, x] of this.seen)
      if (x.second <= this.last - seconds_shown || this.seen.size > dots_max)
        this.seen.delete(key);
    this.draw();
  }

  /// The second's numbers of all requests, as the service has them, or of one, made of those that were seen.
  point(second, wanted, seen) {
    const at = { second, ...(this.pools.get(second) ?? { used: null, waiting: null }) };
    if (!wanted) {
      const { requests = 0, errors, ...times } = this.seconds.get(second) ?? {};
      return { ...(requests > 0 ? times : {}), ...at, requests, errors: errors || null };
    }
    const all = seen.filter((x) => x.second === second), sorted = all.map((x) => x.elapsed_ms).sort((a, b) => a - b);
    return { ...at, requests: all.length, errors: all.filter((x) => x.status >= 400).length || null,
             p50_ms: percentile(sorted, 0.5), p95_ms: percentile(sorted, 0.95), p99_ms: percentile(sorted, 0.99) };
  }

  draw() {
    if (!this.last)
      return;
    const wanted = this.choice.value, seen = [...this.seen.values()].filter((x) => !wanted || x.request === wanted);
    const points = Array.from({ length: seconds_shown }, (_, i) => this.point(this.last - seconds_shown + 1 + i, wanted, seen));
    const dots = seen.filter((x) => x.second <= this.last).map((x) => ({
      second: x.second, value: x.elapsed_ms, is_bad: x.status >= 400,
      text: `${x.request} ${clock_text(Date.parse(x.time))}: ${milliseconds(x.elapsed_ms)}` }));
    this.note.textContent = wanted ? "made of the last 100 requests of each second" : "";
    this.charts.forEach((x, i) => x.update(points, this.last, i === 1 ? dots : []));
  }
}
