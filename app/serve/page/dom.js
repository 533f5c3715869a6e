// Elements made without markup, so that no value is ever read as any; and how numbers are written.

const svg_namespace = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false)
      continue;
    if (name.startsWith("on"))
      made.addEventListener(name.slice(2), value);
    else
      made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((x) => x !== null && x !== undefined));
  return made;
}

/// An element of HTML; a child that is a string becomes text, `onclick: f` a listener.
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(svg_namespace, tag), attributes, children);
}

/// A text as it is, which scrolls where it is long; `name` says of what it is.
export function text_block(name, text, kind = null) {
  return html("pre", { class: kind, tabindex: 0, role: "region", "aria-label": name }, text);
}

const counts = new Intl.NumberFormat("en");

export function count(n) {
  return counts.format(n);
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/// Three digits that count: 0.012, 1.23, 12.3, 1,234.
export function digits(ms) {
  if (ms === 0)
    return "0";
  if (ms >= 100)
    return counts.format(Math.round(ms));
  return ms.toFixed(ms >= 10 ? 1 : ms >= 1 ? 2 : 3);
}

/// A time given in milliseconds: 0.012 ms, 12.3 ms, 1.23 s.
export function milliseconds(ms) {
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

/// Round numbers from 0 to `end`, at most `most` of them.
export function ticks(end, most) {
  const least = end / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= least * 0.999);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const all = [];
  for (let i = 0; i * step <= end * 1.0001; ++i)
    all.push({ at: i * step, text: (i * step).toFixed(decimals) });
  return all;
}

/// Calls `draw` with the element's width, now and whenever it has changed.
export function on_width(element, draw) {
  let last = 0;
  const observer = new ResizeObserver(() => {
    const width = Math.floor(element.clientWidth);
    if (width === last || width === 0)
      return;
    last = width;
    draw(width);
  });
  observer.observe(element);
  return observer;
}
