// The page: the requests, the run of one of them with the sessions beside it, and below what the service does.

import { count, html, milliseconds, plural } from "./dom.js";
import { listen } from "./events.js";
import { copy_button, curl_of, download, fetch_of, mind_links } from "./export.js";
import { read_json } from "./json.js";
import { LiveRun } from "./live.js";
import { measure, run } from "./measure.js";
import { bound_of, picture_of, summary_of } from "./picture.js";
import { Pools } from "./pool.js";
import { Recent } from "./recent.js";
import { RequestList } from "./requests.js";
import { add_details, problem, results } from "./results.js";
import { ask, ask_for_token, recent_of } from "./service.js";
import { show_statements } from "./statements.js";
import { timeline } from "./timeline.js";
import { Traffic } from "./traffic.js";
import { verdict } from "./verdict.js";

const at = (id) => document.getElementById(id);
const spans = new Map(); // the milliseconds that a request took last, for the scale while it runs again

/// Shows why a run was refused: the problem, but for its parts that belong to fields, which are shown there.
function refusal(form, { status, said }) {
  if (status === 401)
    ask_for_token();
  form.show_errors(said.parameters ?? []);
  const note = `${form.request.name}: ${said.status} ${said.title}, ${said.detail}`;
  return { note, problem: problem(said), failed_id: said.request_id };
}

async function run_one(form, body) {
  const answer = await run(form, "own");
  if (!answer.ok)
    return refusal(form, answer);
  const picture = picture_of(answer.said), n = picture.rows.length;
  spans.set(form, picture.last);
  const parts = [
    html("p", { class: "large" }, html("b", {}, milliseconds(picture.elapsed)),
      n > 1 ? `: ${plural(n, "query", "queries")}, ${picture.overlap.toFixed(1)} at once on average` : null),
    html("p", { class: "bound" }, bound_of(picture)), timeline(picture, form.request.name)];
  return { note: `${form.request.name}: ${summary_of(picture)}.`, parts, answer, body };
}

async function run_both(form, body, live) {
  const got = await measure(form, (round, of, session) => {
    const way = session === "own" ? "all at once" : "one after the other, on one session";
    live.begin(`: ${round === 0 ? "to warm up" : `run ${round} of ${of}`}, ${way}`);
  });
  if (got.refused)
    return refusal(form, got.refused);
  spans.set(form, got.ghost.last);
  const shown = verdict(got.own, got.shared);
  const parts = [shown, html("p", { class: "bound" }, bound_of(got.picture, got.ghost)),
                 timeline(got.picture, form.request.name, got.ghost)];
  return { note: `${form.request.name}: ${shown.firstElementChild.textContent}.`, parts, answer: got.answer, body };
}

/// The buttons that take a request and its results away.
function buttons_of({ path, name }, answer, body) {
  const call = { target: path, headers: { "Content-Type": "application/json" }, body };
  return [copy_button("curl", () => curl_of(call)), copy_button("fetch", () => fetch_of(call)),
          html("button", { type: "button", onclick: () => download(`${name}.json`, "application/json", answer.text) }, "JSON")];
}

function show(form, { note, parts = [], problem: refused, answer, body, failed_id }) {
  const list = html("div", { id: "results" }, ...(answer ? results(answer.said, form.request, body) : []), refused);
  at("run-note").textContent = note;
  at("run-note").classList.toggle("unseen", Boolean(answer)); // which is seen in large
  at("shown").replaceChildren(...parts, list);
  at("take").replaceChildren(...(answer ? buttons_of(form.request, answer, body) : []));
  const id = failed_id ?? (answer && Object.keys(answer.said.errors).length > 0 ? answer.id : null);
  if (id)
    recent_of(id).then((recent) => recent && add_details(list, recent), () => {}); // it shows without, too
}

let runs = 0; // so many were begun; the last one is shown

async function start(form, comparing) {
  const number = ++runs, section = at("run"), { name } = form.request, body = form.body();
  const live = new LiveRun(form.request, spans.get(form) ?? 0);
  section.setAttribute("aria-busy", "true");
  at("run-title").textContent = name;
  at("run-note").textContent = `${name} runs.`;
  at("run-note").classList.add("unseen");
  at("take").replaceChildren();
  at("shown").replaceChildren(live.element);
  live.start();
  if (matchMedia("(max-width: 859px)").matches)
    section.scrollIntoView({ block: "start" }); // the run is below the forms
  let shown;
  try {
    shown = await (comparing ? run_both(form, body, live) : run_one(form, body));
  } catch (why) {
    shown = { note: why.name === "AbortError" ? `${name} was cancelled.` : `${name}: no answer (${why.message}).` };
  }
  live.end();
  form.finish();
  if (number !== runs)
    return;
  show(form, shown);
  section.removeAttribute("aria-busy");
}

function hear_live(requests) {
  const pools = new Pools(at("pools")), recent = new Recent(at("recent"), at("recent-empty"));
  const traffic = new Traffic(at("charts"), requests);
  const hear = (name, data) => {
    if (name === "history")
      return traffic.replace(data);
    pools.update(data.pools, data.shared);
    if (name === "now")
      return traffic.add_pools(data.pools, Math.floor(data.time_ms / 1000));
    traffic.add(data);
    show_statements(at("statements"), at("statements-body"), data.statements);
    recent.update(data.recent);
    at("totals").textContent = `${count(data.connections)} connected · ${count(data.in_flight)} in flight · ` +
      `${count(data.minutes.requests)} in two minutes`;
  };
  listen(hear, (connected) => {
    at("link").className = connected ? "connected" : "lost";
    at("link").textContent = connected ? "live" : "connection lost, trying again";
  });
}

async function begin() {
  mind_links(document.querySelectorAll("[data-asks]"), ask);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address is the request's
    at("run").focus();
  });
  try {
    const answer = await ask("/api/requests");
    if (answer.status === 401)
      return ask_for_token();
    if (!answer.ok)
      throw new Error(String(answer.status));
    const { requests, file } = read_json(await answer.text());
    if (file)
      document.title = `${file} · sheaf`;
    new RequestList(at("forms"), requests, start);
    hear_live(requests);
  } catch {
    at("link").className = "lost";
    at("link").textContent = "the service does not answer";
    at("forms").replaceChildren(html("p", { class: "dim" }, "The service does not answer. Load the page again once it does."));
  }
}

begin();
