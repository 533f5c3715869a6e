// The pools as they are now: a cell for each session, and how many queries wait for one. A comparison's one session is beside.

import { count, html } from "./dom.js";

const cells_max = 400; // beyond, only the numbers are shown

/// The states of a session, in the order of the cells. All but `free` are the service's words.
const kinds = [["active", "used"], ["cancelling", "cancelling"], ["connecting", "connecting"], ["idle", "idle"], ["free", "free"]];

function counts_of(pool) {
  // Numbers of several loops, read one after another, may not add up for a moment.
  return { ...pool, free: Math.max(pool.max_size - pool.active - pool.cancelling - pool.connecting - pool.idle, 0) };
}

class PoolView {
  constructor(database, is_shared) {
    this.cells = html("div", { class: "cells", "aria-hidden": "true" });
    this.numbers = new Map();
    const shown = is_shared ? kinds.slice(0, 1) : kinds;
    const entries = [...shown, ["waiting", "waiting"]].map(([kind, text]) => {
      const number = html("b", { "data-kind": kind }, "0");
      this.numbers.set(kind, number);
      return html("li", {}, html("span", { class: `cell ${kind}`, "aria-hidden": "true" }), number, ` ${text}`);
    });
    this.lost = html("li", { class: "bad", hidden: true });
    this.is_shared = is_shared;
    this.element = html("div", { class: is_shared ? "pool shared" : "pool", "data-database": database },
      html("h3", {}, is_shared ? "One session" : database, this.size = html("span", { class: "dim" })), this.cells,
      html("ul", { class: "counts" }, ...entries, this.lost));
  }

  update(pool) {
    const now = counts_of(pool);
    this.size.textContent = this.is_shared ? `of ${pool.database}, for all queries` : `room for ${count(pool.max_size)} sessions`;
    for (const [kind, element] of this.numbers)
      element.textContent = count(now[kind]);
    const troubles = [["open_failures", "not opened"], ["lost", "lost"], ["timeouts", "waits timed out"], ["cancels", "stopped"]]
      .filter(([key]) => pool[key] > 0).map(([key, text]) => `${count(pool[key])} ${text}`).join(" · ");
    this.lost.textContent = troubles;
    this.lost.hidden = !troubles;
    const all = kinds.flatMap(([kind]) => Array(Math.min(now[kind], cells_max)).fill(kind)).slice(0, cells_max);
    this.cells.classList.toggle("many", all.length > 64);
    while (this.cells.childElementCount > all.length)
      this.cells.lastElementChild.remove();
    while (this.cells.childElementCount < all.length)
      this.cells.append(html("span"));
    all.forEach((kind, i) => { this.cells.children[i].className = `cell ${kind}`; });
  }
}

export class Pools {
  constructor(element) {
    this.element = element;
    this.views = new Map();
  }

  /// A shared session shows once it is there, which is when a comparison has begun.
  update(pools, shared) {
    const all = pools.flatMap((x) => {
      const beside = shared.find((y) => y.database === x.database);
      return [[x, false], ...(beside?.total > 0 || beside?.waiting > 0 ? [[beside, true]] : [])];
    });
    const key = (x, is_shared) => `${is_shared ? "shared" : "own"} ${x.database}`;
    const wanted = new Set(all.map(([x, is_shared]) => key(x, is_shared)));
    for (const [name, view] of this.views)
      if (!wanted.has(name)) {
        view.element.remove();
        this.views.delete(name);
      }
    for (const [i, [pool, is_shared]] of all.entries()) {
      const view = this.views.get(key(pool, is_shared)) ?? new PoolView(pool.database, is_shared);
      this.views.set(key(pool, is_shared), view);
      if (this.element.children[i] !== view.element)
        this.element.insertBefore(view.element, this.element.children[i] ?? null);
      view.update(pool);
    }
  }
}
