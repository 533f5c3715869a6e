// The page: forms on one side, the run of one of them on the other, and what the service does below.

import { html, milliseconds } from "./dom.js";
import { RequestForm } from "./form.js";
import { Pools } from "./pool.js";
import { problem, results } from "./results.js";
import { ask, listen, parse, text_of, use_token } from "./service.js";
import { show_statements } from "./statements.js";
import { legend, picture_of, span_of, summary_of, timeline } from "./timeline.js";
import { Chart, Recent, say_totals, Seconds } from "./traffic.js";

const at = (id) => document.getElementById(id);
const filter_from = 8; // so many requests that one has to be looked for

/// Runs the request of this form; {answer} with what it said, or {refused} with the problem.
async function run(form, session) {
  const answer = await ask(`${form.request.path}?numbers=string&session=${session}`, {
    method: "POST", body: form.body(), headers: { "Content-Type": "application/json" }, signal: form.running.signal,
  });
  const text = await text_of(answer);
  let said;
  try {
    said = parse(text);
  } catch {
    throw new Error(`the answer (${answer.status}) cannot be read`);
  }
  if (answer.status === 401)
    ask_for_token();
  return answer.ok ? { answer: said } : { refused: said };
}

/// The result to show where there is no answer: the problem; its parts that belong to fields are shown there.
function refusal(form, said) {
  form.show_errors(said.parameters ?? []);
  return { note: `${form.request.name}: ${said.status} ${said.title}, ${said.detail}`, timelines: [], results: [problem(said)] };
}

async function run_one(form) {
  const { answer, refused } = await run(form, "own");
  if (refused)
    return refusal(form, refused);
  const picture = picture_of(answer);
  return { note: `${form.request.name}: ${summary_of(picture)}.`, results: results(answer),
           timelines: [timeline(picture, form.request.name, { caption: false }), legend()] };
}

const rounds_max = 5, rounds_end_ms = 5000; // no round begins after that time, but the first

/// Each way once to warm up, then in turn, so that neither disturbs the other and a slow moment hits both: the answers of
/// each way, or {refused}.
async function measure(form) {
  const answers = { shared: [], own: [] }, began = performance.now();
  for (let round = 0; round <= rounds_max; ++round) {
    for (const session of ["shared", "own"]) {
      const { answer, refused } = await run(form, session);
      if (refused)
        return { refused };
      if (round > 0)
        answers[session].push(answer);
    }
    if (round > 0 && performance.now() - began > rounds_end_ms)
      break;
  }
  return answers;
}

/// The answer whose time is the median, and a text of that time and the least and the most.
function typical(answers) {
  const sorted = [...answers].sort((a, b) => a.timing.elapsed_ms - b.timing.elapsed_ms);
  const times = sorted.map((x) => x.timing.elapsed_ms), middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const spread = times.length > 1 ? ` (${milliseconds(times[0])} to ${milliseconds(times.at(-1))})` : "";
  return { answer: middle, ms: middle.timing.elapsed_ms, text: `${milliseconds(middle.timing.elapsed_ms)}${spread}` };
}

async function run_both(form) {
  const { shared, own, refused } = await measure(form);
  if (refused)
    return refusal(form, refused);
  const slow = typical(shared), fast = typical(own);
  const pictures = [slow, fast].map((x) => picture_of(x.answer));
  const span = span_of(pictures);
  const verdict = fast.ms > 0 ? `; own sessions are ${(slow.ms / fast.ms).toFixed(1)} times as fast` : "";
  return {
    note: `${form.request.name}: ${fast.text} with own sessions, ${slow.text} on a shared session, ` +
      `medians of ${own.length}${verdict}.`,
    timelines: [timeline(pictures[0], "Shared session", { span }), timeline(pictures[1], "Own sessions", { span }), legend()],
    results: results(fast.answer),
  };
}

let runs = 0; // so many were begun; the last one is shown

async function start(form, comparing) {
  const number = ++runs;
  const section = at("run"), name = form.request.name;
  section.setAttribute("aria-busy", "true");
  at("run-note").textContent = `${name} runs.`;
  let shown;
  try {
    shown = await (comparing ? run_both(form) : run_one(form));
  } catch (why) {
    const note = why.name === "AbortError" ? `${name} was cancelled.` : `${name}: no answer (${why.message}).`;
    shown = { note, timelines: [], results: [] };
  }
  form.finish();
  if (number !== runs)
    return;
  at("run-note").textContent = shown.note;
  at("timelines").replaceChildren(...shown.timelines);
  at("results").replaceChildren(...shown.results);
  section.removeAttribute("aria-busy");
  if (matchMedia("(max-width: 859px)").matches && !document.querySelector("[aria-invalid]"))
    section.scrollIntoView({ block: "start" }); // the run is below the forms
}

function show_forms(requests) {
  const forms = requests.map((x) => new RequestForm(x, start));
  at("forms").replaceChildren(...forms.map((x) => x.element));
  at("filter").hidden = requests.length < filter_from;
  at("filter-text").addEventListener("input", (event) => {
    const text = event.target.value.toLowerCase();
    for (const x of forms)
      x.element.hidden = !x.request.name.toLowerCase().includes(text);
  });
}

function hear_live() {
  const pools = new Pools(at("pools")), recent = new Recent(at("recent")), seconds = new Seconds();
  const throughput = new Chart("Requests a second", "requests", 2, [
    { key: "requests", name: "all", kind: "line-a" }, { key: "errors", name: "errors", kind: "line-bad" }]);
  const times = new Chart("Time to answer, ms", "milliseconds", 0.001, [
    { key: "p50_ms", name: "p50", kind: "line-a" }, { key: "p95_ms", name: "p95", kind: "line-b" },
    { key: "p99_ms", name: "p99", kind: "line-c" }]);
  at("charts").append(throughput.element, times.element);
  const tell = (connected) => {
    at("link").className = connected ? "connected" : "lost";
    at("link").textContent = connected ? "live" : "connection lost, trying again";
  };
  listen((name, data) => {
    if (name === "history")
      return seconds.replace(data);
    seconds.add(data.second);
    const last = data.second.second;
    const points = seconds.until(last);
    const whole = (key) => data.minutes.requests > 0 ? milliseconds(data.minutes[key]) : "–";
    throughput.update(points, last, { requests: String(data.second.requests), errors: String(data.second.errors) });
    times.update(points, last, { p50_ms: whole("p50_ms"), p95_ms: whole("p95_ms"), p99_ms: whole("p99_ms") });
    pools.update(data.pools);
    show_statements(at("statements"), at("statements-body"), data.statements);
    recent.update(data.recent);
    say_totals(at("totals"), data);
  }, tell);
}

function ask_for_token() {
  at("token-form").hidden = false;
  at("token").focus();
}

async function begin() {
  try {
    const answer = await ask("/api/requests");
    if (answer.status === 401)
      return ask_for_token();
    if (!answer.ok)
      throw new Error(String(answer.status));
    show_forms(parse(await answer.text()).requests);
    hear_live();
  } catch {
    at("link").className = "lost";
    at("link").textContent = "the service does not answer";
    at("forms").replaceChildren(html("p", { class: "dim" }, "The service does not answer. Load the page again once it does."));
  }
}

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  use_token(at("token").value.trim());
  location.reload();
});

begin();
