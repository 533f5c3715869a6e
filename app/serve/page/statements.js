// The statements that took most of the sessions' time, as a table.

import { count, digits, html, svg } from "./dom.js";

const bar_width = 112;

function number(text) {
  return html("td", { class: "number" }, text);
}

function bar(share) {
  return svg("svg", { width: bar_width, height: 10, "aria-hidden": "true" },
    svg("rect", { width: share * bar_width, height: 10, rx: 1.5 }));
}

function row_of(x) {
  return html("tr", {},
    html("th", { scope: "row", class: "name", title: `${x.database}, statement ${x.id}` }, x.query),
    number(count(x.runs)), number(Number.isInteger(x.rows) ? count(x.rows) : digits(x.rows)),
    number(digits(x.median_ms)), number(digits(x.p95_ms)),
    html("td", { class: "share" }, bar(x.share), ` ${Math.round(100 * x.share)} %`));
}

/// `statements` come in the order of their share.
export function show_statements(section, body, statements) {
  section.hidden = statements.length === 0;
  body.replaceChildren(...statements.map(row_of));
}
