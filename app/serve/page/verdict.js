// The verdict of a comparison, in large, and the runs that it comes from: each as a dot.

import { html, milliseconds, on_width, plural, svg, ticks } from "./dom.js";

const sure_from = 1.05; // medians that are nearer are the same

/// The middle one of times, and the least and the most.
export function spread_of(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[Math.floor((sorted.length - 1) / 2)], least: sorted[0], most: sorted.at(-1), times };
}

const factor = (x) => `${x.toFixed(x < 9.95 ? 1 : 0)}×`;

/// [in large, beside it] of the spreads of both ways.
export function words_of(own, shared) {
  const ratio = shared.median / own.median, within = (x, { least, most }) => least <= x && x <= most;
  const mixed = within(own.median, shared) && within(shared.median, own);
  const times = `${milliseconds(own.median)} instead of ${milliseconds(shared.median)}`;
  if (mixed || Math.max(ratio, 1 / ratio) < sure_from)
    return ["No clear difference", `: ${milliseconds(own.median)} at once, ${milliseconds(shared.median)} one after the other`];
  return ratio > 1 ? [`${factor(ratio)} faster`, `: ${times}`] : [`${factor(1 / ratio)} slower`, `: ${times}`];
}

function dots(own, shared) {
  const stage = html("div", { class: "dots" });
  on_width(stage, (width) => {
    const left = width < 460 ? 92 : 132, right = width - 10, end = Math.max(own.most, shared.most) * 1.02, height = 62;
    const x = (ms) => left + (right - left) * ms / end;
    const said = ({ times }) => times.map(milliseconds).join(", ");
    const made = svg("svg", { class: "plot", width, height, role: "img",
                              "aria-label": `Times of each run: at once ${said(own)}; one after the other ${said(shared)}` });
    for (const { at, text } of ticks(end, Math.floor((right - left) / 70))) {
      const anchor = at === 0 ? "start" : x(at) > right - 20 ? "end" : "middle";
      made.append(svg("line", { class: "grid", x1: x(at), y1: 0, x2: x(at), y2: 44 }),
        svg("text", { class: "dim", x: x(at), y: 58, "text-anchor": anchor }, at === 0 ? "0 ms" : text));
    }
    const ways = [["at once", "own", own], ["one after the other", "shared", shared]];
    for (const [i, [name, kind, { times, median }]] of ways.entries()) {
      const y = 12 + 22 * i;
      made.append(svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, left < 100 && i > 0 ? "one by one" : name),
        ...times.map((ms) => svg("circle", { class: kind, cx: x(ms), cy: y, r: 4 }, svg("title", {}, milliseconds(ms)))),
        svg("line", { class: `median ${kind}`, x1: x(median), y1: y - 9, x2: x(median), y2: y + 9 }));
    }
    stage.replaceChildren(made);
  });
  return stage;
}

/// The verdict of runs that took `own` and `shared` milliseconds.
export function verdict(own_times, shared_times) {
  const own = spread_of(own_times), shared = spread_of(shared_times), [large, rest] = words_of(own, shared);
  const range = ({ median, least, most }) => `median ${milliseconds(median)}, ${milliseconds(least)} to ${milliseconds(most)}`;
  return html("div", { class: "verdict" },
    html("p", { class: "large" }, html("b", {}, large), rest),
    html("p", { class: "spread" }, `At once, each query on a session of its own: ${range(own)}. One after the other, on one ` +
      `session: ${range(shared)}. ${plural(own_times.length, "run")} each, in turn, after one to warm up.`),
    dots(own, shared));
}
