// Runs a request: once, or several times each way to compare them.

import { picture_of } from "./picture.js";
import { send } from "./service.js";

const rounds_min = 3, rounds_max = 5, rounds_end_ms = 5000, all_end_ms = 30000; // no round begins after these times, but the first

/// One run on `session`, own or shared: what `send` gives.
export function run(form, session) {
  return send(`${form.request.path}?arrays=text&session=${session}`, form.body(), { signal: form.running.signal });
}

/// Each way once to warm up, then in turn, so that neither disturbs the other and a slow moment hits both. Keeps the times, one
/// picture of each way, that of the middle time, and the last answer on own sessions. `say` is told what begins.
export async function measure(form, say) {
  const runs = { shared: [], own: [] }, began = performance.now();
  let last;
  for (let round = 0; round <= rounds_max; ++round) {
    for (const session of ["shared", "own"]) {
      say(round, rounds_max, session);
      const answer = await run(form, session);
      if (!answer.ok)
        return { refused: answer };
      if (session === "own")
        last = answer;
      if (round > 0)
        runs[session].push(picture_of(answer.said));
    }
    if (round > 0 && performance.now() - began > (round < rounds_min ? all_end_ms : rounds_end_ms))
      break;
  }
  const times = (all) => all.map((x) => x.elapsed);
  const middle = (all) => [...all].sort((a, b) => a.elapsed - b.elapsed)[Math.floor((all.length - 1) / 2)];
  return { answer: last, own: times(runs.own), shared: times(runs.shared), picture: middle(runs.own), ghost: middle(runs.shared) };
}
