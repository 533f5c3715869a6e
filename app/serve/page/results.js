// The results of a run: as tables, with the SQL of each query and its plan where they may be known; errors as what they are.

import { count, html, plural, text_block } from "./dom.js";
import { csv_of, download, text_of_cell } from "./export.js";
import { Exact, keys_of } from "./json.js";
import { send } from "./service.js";

const rows_max = 100;
const characters_max = 400;
const open_max = 12; // results that are shown without being asked for

function cell(value, { type, is_number }) {
  if (value === null)
    return html("td", { class: "null" }, "NULL");
  if (value === "")
    return html("td", { class: "empty", title: "empty text" });
  const text = text_of_cell(value, type);
  if (text.length <= characters_max)
    return html("td", { class: is_number ? "number" : null }, text);
  return html("td", {}, `${text.slice(0, characters_max)}…`,
    html("span", { class: "dim" }, ` ${plural(text.length, "character")}`));
}

const is_number = (x) => typeof x === "number" || (x instanceof Exact && /^[-\d]/.test(x.text));

function result_table(name, { columns, rows }) {
  const shown = rows.slice(0, rows_max);
  const all = columns.map((x, c) => ({ ...x, is_number: shown.some((row) => row[c] !== null) &&
    shown.every((row) => row[c] === null || is_number(row[c])) }));
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Rows of ${name}` },
    html("table", {},
      html("thead", {}, html("tr", {}, ...all.map((x) =>
        html("th", { scope: "col", class: x.is_number ? "number" : null }, x.name,
          x.type ? html("span", { class: "type" }, x.type) : null)))),
      html("tbody", {}, ...shown.map((row) => html("tr", {}, ...row.map((x, c) => cell(x, all[c])))))));
}

function size_of(result) {
  if (result.affected_rows !== undefined)
    return `${plural(Number(result.affected_rows), "row")} affected`;
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

/// The queries in the order of the file, those of one `for_each` together: [name, result or error, the query's own name].
function blocks(answer, queries) {
  const all = [], each = new Set(queries.filter((x) => x.for_each).map((x) => x.name));
  let parts = [], of = null;
  const close = () => {
    const whole = parts.length > 1 ? joined(parts) : null;
    all.push(...(whole ? [[`${of}[…]`, whole, of]] : parts.map((x) => [`${of}[${x.number}]`, x, of])));
    parts = [];
  };
  for (const name of keys_of(answer.timing.queries)) {
    const why = answer.errors[name], [, list, number] = /^(.*)\[(\d+)\]$/s.exec(name) ?? [];
    const own = each.has(list) ? list : name, is_part = own !== name && !why;
    if (parts.length > 0 && !(is_part && own === of))
      close();
    of = own;
    if (is_part)
      parts.push({ ...answer.results[name], number: Number(number) });
    else
      all.push([name, why ?? answer.results[name], own]);
  }
  if (parts.length > 0)
    close();
  return all;
}

/// The statement, and a button for its plan with these parameters.
function sql_of(name, request, query, body) {
  if (query?.sql === undefined)
    return null;
  const plan = html("div", { role: "status" });
  const explain = async () => {
    plan.replaceChildren("…");
    try {
      const { ok, said } = await send(`/api/explain?${new URLSearchParams({ request: request.name, query: query.name })}`, body);
      const shown = ok ? said.results[keys_of(said.results)[0]] : null;
      plan.replaceChildren(shown ? text_block(`Plan of ${name}`, shown.rows.map((row) => String(row.at(-1))).join("\n"), "plan") :
        html("p", { class: "bad" }, said.detail ?? "there is no plan"));
    } catch (why) {
      plan.replaceChildren(html("p", { class: "bad" }, `no plan (${why.message})`));
    }
  };
  return html("details", { class: "sql" }, html("summary", {}, "SQL"), text_block(`SQL of ${name}`, query.sql.trim()),
    html("button", { type: "button", onclick: explain }, "Explain"), plan);
}

export function results(answer, request, body) {
  return blocks(answer, request.queries).map(([name, x, own], i) => {
    const sql = sql_of(name, request, request.queries.find((y) => y.name === own), body);
    if (x.code !== undefined)
      return html("details", { class: "result failed", open: true, "data-query": name }, head(name, x.code, true),
        error_list([["code", x.code], ["phase", x.phase], ["message", x.message]]), sql);
    const take = x.columns.length === 0 ? null : html("button", { type: "button", class: "take", "aria-label": `CSV of ${name}`,
      onclick: () => download(`${name}.csv`, "text/csv", csv_of(x)) }, "CSV");
    return html("details", { class: "result", open: i < open_max }, head(name, size_of(x)),
      x.columns.length > 0 ? result_table(name, x) : null, html("div", { class: "below" }, take, sql));
  });
}

/// Adds what the database said to the errors that are shown; `recent` is what the service knows of the run.
export function add_details(results_element, recent) {
  const add = (list, text) => {
    if (list && text)
      list.append(html("dt", {}, "the database"), html("dd", { class: "said" }, text));
  };
  const failed = recent.timing?.queries.filter((x) => x.detail) ?? [];
  const shown = [...results_element.querySelectorAll("[data-query]")];
  for (const x of failed)
    add(shown.find((y) => y.dataset.query === x.name)?.querySelector(".failure"), x.detail);
  if (shown.length === 0)
    add(results_element.querySelector(".failure"), recent.detail);
}

/// An answer that is none: the reason why the whole request failed.
export function problem(x) {
  return html("div", { class: "result failed" }, error_list([
    ["status", `${x.status} ${x.title}`], ["code", x.code], ["message", x.detail], ["request", x.request_id]]));
}
