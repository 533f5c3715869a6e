// The service's events. The tabs of a browser share one stream: a visible one reads it and tells the others. They agree on
// which by messages, as there are no locks on plain HTTP. Hidden tabs hear nothing, and without a visible one there is no stream.

import { ask } from "./service.js";

const retry_ms = 2000, answer_ms = 250, silence_ms = 3500, beat_ms = 1000;
const seconds_kept = 120;

class Stream {
  constructor(hear, tell) {
    this.hear = hear;
    this.tell = tell;
  }

  /// Reads until `close`; begins again when the connection is lost.
  async open() {
    this.closed = new AbortController();
    const { signal } = this.closed;
    while (!signal.aborted) {
      try {
        await this.read(signal);
      } catch {
        // Told below, whether it was never there or ended.
      }
      if (signal.aborted)
        return;
      this.tell(false);
      await new Promise((go_on) => { setTimeout(go_on, retry_ms); });
    }
  }

  close() { this.closed?.abort(); }

  async read(signal) {
    const answer = await ask("/events", { signal });
    if (!answer.ok)
      throw new Error(answer.statusText);
    this.tell(true);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let x = await reader.read(); !x.done; x = await reader.read()) {
      const events = (rest + x.value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const [, name = "message", data] = /^(?:event: (.*)\n)?data: (.*)$/.exec(event) ?? [];
        if (data)
          this.hear(name, JSON.parse(data));
      }
    }
  }
}

/// Hears the events for as long as the page is seen: `hear(name, data)` for each, `tell(connected)` when that changes. The names
/// are `history`, `message` (each second) and `now` (in between, while something runs).
export function listen(hear, tell) {
  const me = `${Date.now()} ${Math.random()}`, channel = new BroadcastChannel("sheaf-events");
  let leads = false, connected = false, heard = 0, past = [];
  const post = (what) => channel.postMessage({ from: me, ...what });
  const stream = new Stream((name, data) => {
    if (name === "history")
      past = data;
    else if (name === "message")
      past = [...past.slice(1 - seconds_kept), data.second];
    hear(name, data);
    post({ name, data });
  }, (now) => {
    connected = now;
    tell(now);
    post({ connected });
  });
  const follow = () => {
    leads = false;
    stream.close();
  };
  const lead = () => {
    leads = true;
    post({});
    stream.open();
  };
  const seek = () => {
    const asked = heard = Date.now();
    post({ asks: true });
    setTimeout(() => {
      if (!leads && !document.hidden && heard === asked)
        lead();
    }, answer_ms + Math.random() * answer_ms);
  };
  channel.addEventListener("message", ({ data: said }) => {
    if (document.hidden)
      return;
    if (said.asks) {
      if (leads) {
        post({ connected });
        post({ name: "history", data: past });
      }
      return;
    }
    if (said.left)
      return seek();
    if (leads && said.from > me)
      return post({}); // the other gives way
    if (leads)
      follow();
    heard = Date.now() + Math.random(); // never what it was
    if ("connected" in said)
      tell(said.connected);
    else if (said.name)
      hear(said.name, said.data);
  });
  const leave = () => {
    if (!leads)
      return;
    follow();
    post({ left: true });
  };
  document.addEventListener("visibilitychange", () => document.hidden ? leave() : seek());
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => {
    if (event.persisted)
      seek();
  });
  setInterval(() => {
    if (leads)
      post({}); // it is still there
    else if (!document.hidden && Date.now() - heard > silence_ms)
      seek();
  }, beat_ms);
  if (!document.hidden)
    seek();
}
