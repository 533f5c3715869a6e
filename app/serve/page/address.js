// The page's address says which request is open and what its fields hold: #/NAME?field=text&null_field. The part behind the #
// stays in the browser.

export function read_address(text = location.hash) {
  if (!text.startsWith("#/"))
    return null;
  const [name, query = ""] = text.slice(2).split("?");
  try {
    const fields = new Map(query.split("&").filter((x) => x !== "").map((x) => {
      const [key, value] = x.split("=").map(decodeURIComponent);
      return [key, value ?? null];
    }));
    return { name: decodeURIComponent(name), fields };
  } catch {
    return null; // a broken escape
  }
}

/// `fields` are texts by name; null stands for NULL.
export function address_of(name, fields) {
  const query = [...fields].map(([key, text]) =>
    text === null ? encodeURIComponent(key) : `${encodeURIComponent(key)}=${encodeURIComponent(text)}`).join("&");
  return `#/${encodeURIComponent(name)}${query ? `?${query}` : ""}`;
}
