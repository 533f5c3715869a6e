// Reads JSON as it stands: members keep their order, also those named "1", and what JavaScript would write otherwise its text.

const order = Symbol("order");

/// A number, or a list or object too deep to be looked into, that is as it was written.
export class Exact {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
}

/// The names of an object's members, as they were written.
export function keys_of(object) {
  return object[order];
}

class Reader {
  constructor(text, deepest) {
    this.text = text;
    this.deepest = deepest;
    this.at = 0;
  }

  fail() { throw new SyntaxError(`it is no JSON at character ${this.at + 1}`); }

  next() {
    while (" \n\r\t".includes(this.text[this.at]) && this.at < this.text.length)
      ++this.at;
    return this.text[this.at];
  }

  take(character) {
    if (this.next() !== character)
      this.fail();
    ++this.at;
  }

  value(depth) {
    const first = this.next();
    if (first === "{" || first === "[") {
      if (depth > this.deepest)
        return new Exact(this.skip());
      return first === "{" ? this.object(depth) : this.list(depth);
    }
    if (first === '"')
      return this.string();
    for (const [word, meaning] of [["true", true], ["false", false], ["null", null]])
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return meaning;
      }
    return this.number();
  }

  number() {
    const form = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;
    form.lastIndex = this.at;
    const [text] = form.exec(this.text) ?? this.fail();
    this.at += text.length;
    return String(Number(text)) === text ? Number(text) : new Exact(text);
  }

  /// The place behind the string that begins at `begin`.
  end_of_string(begin) {
    for (let end = this.text.indexOf('"', begin + 1); end >= 0; end = this.text.indexOf('"', end + 1)) {
      let first = end;
      while (this.text[first - 1] === "\\")
        --first;
      if ((end - first) % 2 === 0)
        return end + 1;
    }
    return this.fail();
  }

  string() {
    const begin = this.at;
    this.at = this.end_of_string(begin);
    return JSON.parse(this.text.slice(begin, this.at));
  }

  /// Entries between brackets, each read by `read`.
  entries(close, read) {
    ++this.at;
    if (this.next() === close) {
      ++this.at;
      return;
    }
    for (;;) {
      read();
      if (this.next() === close)
        break;
      this.take(",");
    }
    ++this.at;
  }

  object(depth) {
    const made = Object.create(null), names = [];
    this.entries("}", () => {
      this.next();
      const name = this.string();
      this.take(":");
      made[name] = this.value(depth + 1);
      names.push(name);
    });
    made[order] = names;
    return made;
  }

  list(depth) {
    const made = [];
    this.entries("]", () => made.push(this.value(depth + 1)));
    return made;
  }

  /// The text of a list or an object, however deep it is.
  skip() {
    const begin = this.at;
    let open = 0;
    do {
      const c = this.text[this.at];
      if (c === '"')
        this.at = this.end_of_string(this.at) - 1;
      else if (c === "{" || c === "[")
        ++open;
      else if (c === "}" || c === "]")
        --open;
      else if (c === undefined)
        this.fail();
      ++this.at;
    } while (open > 0);
    return this.text.slice(begin, this.at);
  }
}

/// Lists and objects more than `deepest` levels down are left as `Exact` text.
export function read_json(text, deepest = 64) {
  const reader = new Reader(text, deepest), made = reader.value(0);
  if (reader.next() !== undefined)
    reader.fail();
  return made;
}

/// In lines, with nothing written otherwise than it was; what has no list or object in it is on one.
export function write_json(x, indent = "") {
  if (typeof x !== "object" || x === null)
    return JSON.stringify(x);
  if (x instanceof Exact)
    return x.text;
  const deeper = `${indent}  `, is_list = Array.isArray(x), [open, close] = is_list ? "[]" : "{}";
  const values = is_list ? x : x[order].map((name) => x[name]);
  const parts = values.map((value, i) => `${is_list ? "" : `${JSON.stringify(x[order][i])}: `}${write_json(value, deeper)}`);
  if (values.every((value) => typeof value !== "object" || value === null || value instanceof Exact))
    return `${open}${parts.join(", ")}${close}`;
  return `${open}\n${parts.map((part) => deeper + part).join(",\n")}\n${indent}${close}`;
}
