// A run as numbers that can be drawn: the phases of each query, the critical path, and in words what bounds the run.

import { milliseconds, plural } from "./dom.js";
import { keys_of } from "./json.js";

function phases_of(exact, elapsed) {
  const times = Object.fromEntries(Object.entries(exact).map(([name, x]) => [name, x === null ? null : Number(x)]));
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

function made_of(timing, queries) {
  const elapsed = Number(timing.elapsed_ms), overlap = Number(timing.overlap);
  const rows = queries.map(({ times, ...x }, index) =>
    ({ ...phases_of(times, elapsed), ...x, index, database: times.database, pack: Number(times.pack ?? 0) }));
  const path = critical_path(rows);
  path.forEach((x) => { x.critical = true; });
  return { elapsed, overlap, rows, path, last: Math.max(elapsed, 0.001, ...rows.map((x) => x.end)) };
}

function size_of(result) {
  if (result?.affected_rows !== undefined)
    return `${plural(Number(result.affected_rows), "row")} affected`;
  return result?.rows === undefined ? "" : plural(Number(result.rows.length ?? result.rows), "row");
}

/// The picture of an answer, in the order of its queries.
export function picture_of({ timing, errors, results }) {
  return made_of(timing, keys_of(timing.queries).map((name) => ({
    name, times: timing.queries[name], failed: name in errors, attempts: 1, outcome: errors[name]?.code ?? size_of(results[name]) })));
}

/// The picture of one of the last requests, as the service keeps it.
export function picture_of_recent(timing) {
  return made_of(timing, timing.queries.map((x) => ({
    name: x.name, times: x.times, failed: x.code !== undefined, attempts: x.attempts, outcome: x.code ?? size_of(x) })));
}

export function summary_of({ rows, elapsed, overlap }) {
  const packs = new Set(rows.map((x) => x.pack).filter((x) => x > 0)), packed = rows.filter((x) => x.pack > 0);
  const text = `${plural(rows.length, "query", "queries")} in ${milliseconds(elapsed)}` +
    (packs.size > 0 ? `, ${packed.length} of them in ${plural(packs.size, "pack")}` : "");
  return rows.length < 2 ? text : `${text}, ${overlap.toFixed(1)} at once on average`;
}

const took = (x) => x.end - x.acquired;
const sum = (all) => all.reduce((a, b) => a + b, 0);

/// So many times as long each query took beside the others as it did one after the other; 1 where that is not known.
function slowdown(picture, shared) {
  if (!shared)
    return 1;
  const alone = sum(shared.rows.filter((x) => x.ran).map(took));
  return alone > 0 ? sum(picture.rows.filter((x) => x.ran).map(took)) / alone : 1;
}

/// The thing that would have to change for the run to be shorter; empty where nothing stands out. `shared` is the same request
/// run one query after the other, or undefined.
export function bound_of(picture, shared) {
  const { elapsed, path } = picture;
  const ran = picture.rows.filter((x) => x.ran).sort((a, b) => took(b) - took(a));
  if (ran.length === 0 || elapsed <= 0)
    return "";
  const slower = slowdown(picture, shared), last = path[0], opening = path.at(-1).acquired;
  const of = (ms) => `${milliseconds(ms)} of ${milliseconds(elapsed)}`;
  if (slower >= 1.4)
    return `Bounded by the database’s cores: beside each other queries took ${slower.toFixed(1)} times as long as one after ` +
      "the other.";
  if (path.length > 1 && last.acquired - opening >= 0.35 * elapsed)
    return `Bounded by sessions: ${last.name} waited ${of(last.acquired)} for its turn on one.`;
  if (opening >= 0.35 * elapsed)
    return `Bounded by the wait for sessions to be opened: ${of(opening)}.`;
  if (ran.length < 2)
    return "";
  if (took(ran[1]) >= 0.8 * took(ran[0]))
    return `Bounded by the queries themselves: none stands out, the longest takes ${of(took(ran[0]))}.`;
  if (took(ran[0]) >= 0.5 * elapsed)
    return `Bounded by the longest query: ${ran[0].name} takes ${of(took(ran[0]))}.`;
  return "";
}
