// A request and its results to take away: as a command for a shell, as a call for a script, as CSV and as JSON.

import { html, text_block } from "./dom.js";
import { Exact } from "./json.js";
import { has_token } from "./service.js";

const in_shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/// A call as a command; the token is not in it.
export function curl_of({ target, headers, body }) {
  const fields = Object.entries(headers).map(([name, x]) => ` -H ${in_shell(`${name}: ${x}`)}`).join("");
  const token = has_token() ? ' -H "Authorization: Bearer $SHEAF_TOKEN"' : "";
  return `curl${fields}${token}${body === undefined ? "" : ` -d ${in_shell(body)}`} ${in_shell(location.origin + target)}`;
}

export function fetch_of({ target, body }) {
  const token = has_token() ? ", Authorization: `Bearer ${token}`" : "";
  return `const answer = await fetch(${JSON.stringify(location.origin + target)}, {
  method: "POST",
  headers: { "Content-Type": "application/json"${token} },
  body: JSON.stringify(${body}),
});
console.log(await answer.json());`;
}

/// A cell as the database writes it; NULL is empty.
export function text_of_cell(value, type) {
  if (value === null)
    return "";
  if (type === "json" || type === "jsonb")
    return value instanceof Exact ? value.text : JSON.stringify(value);
  if (typeof value === "boolean")
    return value ? "t" : "f";
  return String(value);
}

const field = (text) => /[,"\r\n]/.test(text) || text === "\\." ? `"${text.replaceAll('"', '""')}"` : text;

/// As psql and `sheaf query --format csv` write it.
export function csv_of({ columns, rows }) {
  const lines = [columns.map((x) => x.name), ...rows.map((row) => row.map((x, i) => text_of_cell(x, columns[i].type)))];
  return lines.map((line) => `${line.map(field).join(",")}\n`).join("");
}

export function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: url, download: name.replace(/[^\w.-]+/g, "_") }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/// Shows a text in a window of its own, to be read or taken.
export function show_text(title, text) {
  const shown = html("dialog", { "aria-label": title }, html("h2", {}, title), text_block(title, text),
    html("form", { method: "dialog", class: "buttons" }, html("button", { class: "main" }, "Close")));
  shown.addEventListener("close", () => shown.remove());
  document.body.append(shown);
  shown.showModal();
}

/// A button that copies what `make` gives. Where a browser lets no page copy, as on plain HTTP, it shows it.
export function copy_button(name, make) {
  const button = html("button", { type: "button", onclick: async () => {
    const text = make();
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = name; }, 1500);
    } catch {
      show_text(name, text);
    }
  } }, name);
  return button;
}

/// Links whose target takes the token are asked for here, as a link could not show it.
export function mind_links(links, ask) {
  for (const link of links)
    link.addEventListener("click", async (event) => {
      if (!has_token())
        return;
      event.preventDefault();
      const answer = await ask(link.pathname);
      show_text(link.textContent, await answer.text());
    });
}
