// The pools as they are now: a cell for each session, and how many queries wait for one.

import { count, html } from "./dom.js";

const cells_max = 400; // beyond, only the numbers are shown

/// The states of a session, in the order of the cells. All but `free` are the service's words.
const kinds = [["active", "used"], ["cancelling", "cancelling"], ["connecting", "connecting"], ["idle", "idle"], ["free", "free"]];

function counts_of(pool) {
  // Numbers of several loops, read one after another, may not add up for a moment.
  return { ...pool, free: Math.max(pool.max_size - pool.active - pool.cancelling - pool.connecting - pool.idle, 0) };
}

class PoolView {
  constructor(database) {
    this.cells = html("div", { class: "cells", "aria-hidden": "true" });
    this.numbers = new Map();
    const entries = [...kinds, ["waiting", "in the queue"]].map(([kind, text]) => {
      const number = html("b", { "data-kind": kind }, "0");
      this.numbers.set(kind, number);
      return html("li", {}, html("span", { class: `cell ${kind}`, "aria-hidden": "true" }), number, ` ${text}`);
    });
    this.lost = html("li", { class: "bad", hidden: true });
    this.element = html("div", { class: "pool", "data-database": database },
      html("h3", {}, database, this.size = html("span", { class: "dim" })), this.cells,
      html("ul", { class: "counts" }, ...entries, this.lost));
  }

  update(pool) {
    const now = counts_of(pool);
    this.size.textContent = `${count(pool.max_size)} places`;
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

  update(pools) {
    for (const [database, view] of this.views)
      if (!pools.some((x) => x.database === database)) {
        view.element.remove();
        this.views.delete(database);
      }
    for (const pool of pools) {
      let view = this.views.get(pool.database);
      if (!view) {
        view = new PoolView(pool.database);
        this.views.set(pool.database, view);
        this.element.append(view.element);
      }
      view.update(pool);
    }
  }
}
