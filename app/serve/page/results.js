// Results as tables, and errors as what they are.

import { count, html, own, plural } from "./dom.js";

const rows_max = 100;
const characters_max = 400;
const open_max = 12; // results that are shown without being asked for

function cell(value) {
  if (value === null)
    return html("td", { class: "null" }, "NULL");
  if (value === "")
    return html("td", { class: "empty", title: "empty text" });
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (text.length <= characters_max)
    return html("td", { class: typeof value === "number" ? "number" : null }, text);
  return html("td", {}, `${text.slice(0, characters_max)}…`,
    html("span", { class: "dim" }, ` ${plural(text.length, "character")}`));
}

function result_table(name, { columns, rows }) {
  const shown = rows.slice(0, rows_max);
  const is_number = columns.map((_, c) => shown.some((x) => x[c] !== null) &&
    shown.every((x) => x[c] === null || typeof x[c] === "number"));
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Rows of ${name}` },
    html("table", {},
      html("thead", {}, html("tr", {}, ...columns.map((x, c) =>
        html("th", { scope: "col", class: is_number[c] ? "number" : null }, x.name,
          x.type ? html("span", { class: "type" }, x.type) : null)))),
      html("tbody", {}, ...shown.map((row) => html("tr", {}, ...row.map(cell))))));
}

function size_of(result) {
  if (result.affected_rows !== undefined)
    return `${plural(result.affected_rows, "row")} affected`;
  const n = result.rows.length;
  return n > rows_max ? `first ${rows_max} rows … of ${count(n)}` : plural(n, "row");
}

function head(name, note, is_bad) {
  return html("summary", {}, html("span", { class: "name" }, name), html("span", { class: is_bad ? "bad" : "dim" }, note));
}

export function error_list(entries) {
  return html("dl", { class: "failure" }, ...entries.filter(([, text]) => text).flatMap(([key, text]) =>
    [html("dt", {}, key), html("dd", {}, text)]));
}

/// The results of a query with `for_each` as one, each row with the number of its value; null where they differ.
function joined(parts) {
  const [first] = parts;
  const names = JSON.stringify(first.columns);
  if (parts.some((x) => x.affected_rows !== undefined || JSON.stringify(x.columns) !== names))
    return null;
  return { columns: [{ name: "#", type: "" }, ...first.columns],
           rows: parts.flatMap((x) => x.rows.map((row) => [x.number, ...row])) };
}

/// The queries in the order of the file, those of one `for_each` together: [name, result or error].
function blocks(answer) {
  const all = [];
  let parts = [], of = null;
  const close = () => {
    const whole = parts.length > 1 ? joined(parts) : null;
    if (whole)
      all.push([`${of}[…]`, whole]);
    else
      all.push(...parts.map((x) => [`${of}[${x.number}]`, x]));
    parts = [];
  };
  for (const name of Object.keys(answer.timing.queries)) {
    const why = own(answer.errors, name);
    const each = why ? null : /^(.*)\[(\d+)\]$/s.exec(name);
    if (parts.length > 0 && each?.[1] !== of)
      close();
    of = each?.[1] ?? null;
    if (why)
      all.push([name, why]);
    else if (each)
      parts.push({ ...own(answer.results, name), number: Number(each[2]) });
    else
      all.push([name, own(answer.results, name)]);
  }
  if (parts.length > 0)
    close();
  return all;
}

export function results(answer) {
  return blocks(answer).map(([name, x], i) => {
    if (x.code !== undefined)
      return html("details", { class: "result failed", open: true }, head(name, x.code, true),
        error_list([["code", x.code], ["phase", x.phase], ["message", x.message]]));
    return html("details", { class: "result", open: i < open_max }, head(name, size_of(x)),
      x.columns.length > 0 ? result_table(name, x) : null);
  });
}

/// An answer that is none: the reason why the whole request failed.
export function problem(x) {
  return html("div", { class: "result failed" }, error_list([
    ["status", `${x.status} ${x.title}`], ["code", x.code], ["message", x.detail], ["request", x.request_id]]));
}
