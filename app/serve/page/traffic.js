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
    const times = (key, name, kind) => ({ key, name, kind, text: milliseconds });
    this.charts = [
      new Chart("Requests a second", [{ key: "requests", name: "all", kind: "line-a", text: count }, { key: "errors", name: "errors", kind: "line-bad", text: count }]),
      new Chart("Time to answer, ms", [times("p50_ms", "p50", "line-a"), times("p95_ms", "p95", "line-b"), times("p99_ms", "p99", "line-c")], { is_log: true }),
      new Chart("Sessions and queue", [{ key: "used", name: "used", kind: "line-a", text: count }, { key: "waiting", name: "queries waiting", kind: "line-b", text: count }]),
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
    const add = (key) => pools.reduce((all, x) => all + x[key], 0), before = this.pools.get(second);
    this.pools.set(second, { used: Math.max(before?.used ?? 0, add("active")), waiting: Math.max(before?.waiting ?? 0, add("waiting")) });
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
      const x = this.seconds.get(second), any = x?.requests > 0;
      return { ...at, requests: x?.requests ?? 0, errors: x?.errors || null, p50_ms: any ? x.p50_ms : null, p95_ms: any ? x.p95_ms : null, p99_ms: any ? x.p99_ms : null };
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
    const dots = seen.filter((x) => x.second <= this.last).map((x) => ({ second: x.second, value: x.elapsed_ms, is_bad: x.status >= 400,
      text: `${x.request} ${clock_text(Date.parse(x.time))}: ${milliseconds(x.elapsed_ms)}` }));
    this.note.textContent = wanted ? "made of the last 100 requests of each second" : "";
    this.charts.forEach((x, i) => x.update(points, this.last, i === 1 ? dots : []));
  }
}
