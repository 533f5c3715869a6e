// SPDX-License-Identifier: BSD-3-Clause
//
// against_llhttp.mjs PROGRAM COUNT SEED : has `PROGRAM serve` and Node's HTTP server answer the same bytes. All that our service
// takes for a request, Node has to take for the same; our service may refuse more, and closes its connection then.

import { spawn } from "node:child_process";
import http from "node:http";
import net from "node:net";

const [program, count, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const at_once = 16;
const patience_ms = 10_000;

// -- what is sent

let state = seed >>> 0;
function random(below) { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) % below;
}
const one_of = (all) => all[random(all.length)];

const lengths = ["5", "05", "+5", "5 ", " 5", "0x5", "5,5", "5, 5", "-5", "", "4", "5;a", "5\x0b"];
const codings = ["chunked", "Chunked", "chunked ", "xchunked", "chunked, chunked", "identity", "identity, chunked", "chunked, identity",
  "gzip, chunked", "\"chunked\"", "chunked;q=1", "\x0bchunked", "chunked\x00", ""];
const bodies = ["hello", "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\n0\r\n\r\n",
  "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX\r\n0\r\n\r\n", "5;\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n",
  "5\r\nhello\r\n00\r\n\r\n", "5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n"];
const hosts = ["Host: localhost\r\n", "host:localhost\r\n", "Host: localhost:1\r\n", "HOST:\tlocalhost \r\n"];
const others = ["", "", "", "X: y\r\n", "X:\r\n", "X: y\r\nX: z\r\n", "Connection: keep-alive\r\n", "X: a\r\n b\r\n", "X: a\r\n\tb\r\n", "X : y\r\n",
  " X: y\r\n", ": y\r\n", "X\r\n", "X: a\nY: b\r\n", "X: a\rY: b\r\n", "X: a\x00b\r\n", "X\x00: y\r\n", "X: \xff\r\n", "X(: y\r\n", "X: y\x7f\r\n",
  "Host: localhost\r\n", "Transfer_Encoding: chunked\r\n", "Content_Length: 5\r\n", "\r", "X: y\r\r\n"];
const lines = ["GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\n", "GET /?a HTTP/1.1\r\n", "GET /healthz HTTP/1.0\r\n",
  "HEAD /healthz HTTP/1.1\r\n", "GET /healthz?a=b HTTP/1.1\r\n", "GET  /healthz HTTP/1.1\r\n", "GET /healthz  HTTP/1.1\r\n",
  "GET /healthz HTTP/1.1 \r\n", "GET /healthz HTTP/1.2\r\n", "GET /healthz HTTP/2.0\r\n", "GET /healthz HTTP/01.1\r\n", "GET /healthz http/1.1\r\n",
  "GET\t/healthz\tHTTP/1.1\r\n", "GET /healthz HTTP/1.1\n", "GET /healthz\r\n", "GET /hea lthz HTTP/1.1\r\n", "get /healthz HTTP/1.1\r\n",
  " GET /healthz HTTP/1.1\r\n", "\r\nGET /healthz HTTP/1.1\r\n", "\nGET /healthz HTTP/1.1\r\n", "GET http://localhost/healthz HTTP/1.1\r\n",
  "GET http://localhost HTTP/1.1\r\n"];
const separators = ["", "", "", "\r\n", "\r\n\r\n", "\n", "\r", " "];

function request() {
  const fields = [];
  let body = "";
  switch (random(6)) {
  case 0:
    fields.push(`Content-Length: ${one_of(lengths)}\r\n`);
    body = "hello";
    break;
  case 1:
    fields.push(`Transfer-Encoding: ${one_of(codings)}\r\n`);
    body = one_of(bodies);
    break;
  case 2:
    fields.push("Transfer-Encoding: chunked\r\n");
    body = one_of(bodies);
    break;
  case 3:
    fields.push("Content-Length: 5\r\n", one_of(["Content-Length: 5\r\n", "Content-Length: 6\r\n", "Transfer-Encoding: chunked\r\n"]));
    body = one_of(bodies);
  }
  fields.push(one_of(hosts), one_of(others));
  if (random(2))
    fields.reverse();
  return one_of(random(3) ? lines.slice(0, 6) : lines) + fields.join("") + "\r\n" + body;
}

/// Now and then a byte of it is another one, or away, or there twice.
function bent(text) {
  const at = random(text.length);
  switch (random(12)) {
  case 0:
    return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
  case 1:
    return text.slice(0, at) + text.slice(at + 1);
  case 2:
    return text.slice(0, at) + text[at] + text.slice(at);
  case 3:
    return text.slice(0, at) + one_of(["\r", "\n", "\r\n", " ", "\t", "\x00", "\x0b", ":", "0"]) + text.slice(at);
  default:
    return text;
  }
}

const last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const plain = ["GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HEAD /none HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"];

/// Requests, and whether they are well formed for certain.
function next() {
  let text = "";
  if (random(10) === 0) {
    for (let i = random(4); i >= 0; --i)
      text += one_of(plain);
    return { text: text + last, is_plain: true };
  }
  for (let i = random(2); i >= 0; --i)
    text += bent(request()) + one_of(separators);
  return { text: text + last, is_plain: false };
}

// -- what is answered

function send(port, text, began = () => {}) {
  return new Promise((done, failed) => {
    let said = "";
    const socket = net.connect(port, "127.0.0.1", () => {
      began(socket.localPort);
      socket.end(Buffer.from(text, "latin1"));
    });
    socket.setTimeout(patience_ms, () => socket.destroy(new Error("the connection stays open")));
    socket.on("data", (x) => { said += x.toString("latin1"); });
    socket.on("error", (why) => (why.code === "ECONNRESET" || why.code === "EPIPE" ? done(said) : failed(why)));
    socket.on("close", () => done(said));
  });
}

/// The status of each request that was understood, up to the first that was refused, and that one's. One that is refused for what
/// stands in its head (404, 421) was understood if its body was read, too: the connection goes on then.
function understood(said) {
  const all = [...said.matchAll(/HTTP\/1\.1 (\d{3}) .*?\r\n\r\n/gs)].map(([head, status]) => ({ status, closes: head.includes("Connection: close") }));
  const is_early = (x) => x.status === "421" || (x.status === "404" && x.closes);
  const end = all.findIndex((x) => !["200", "404"].includes(x.status) || is_early(x));
  const requests = all.slice(0, end < 0 ? all.length : end).map((x) => x.status);
  if (end < 0 || is_early(all[end]))
    return { requests, behind: 0 };
  return { requests, refused: all[end].status, behind: all.length - end - 1 };
}

/// The requests that Node has had from each port: it forgets to answer those that come in one piece with what is none.
const had = new Map();
const status_of = (asked) => (/^(https?:\/\/[^/?]*)?(\/healthz|\/|)(\?.*)?$/i.test(asked.url) ? 200 : 404);
const node = http.createServer({ keepAlive: true }, (asked, answer) => {
  had.get(asked.socket.remotePort)?.push(asked);
  asked.resume();
  answer.statusCode = status_of(asked);
  answer.end("ok\n");
});
async function ask_llhttp(text) {
  let port;
  await send(node.address().port, text, (from) => had.set(port = from, []));
  const all = had.get(port).filter((x) => x.complete);
  had.delete(port);
  return { requests: all.map((x) => String(status_of(x))) };
}
await new Promise((done) => node.listen(0, "127.0.0.1", done));

const service = spawn(program, ["serve", "--rows", "10", "--listen", "127.0.0.1:0", "--no-access-log"], { stdio: ["ignore", "pipe", "inherit"] });
let left = count;
process.on("exit", () => service.kill()); // also when a promise above is rejected
service.once("exit", (code) => {
  if (left > 0)
    process.exit(code || 1);
});
const port = await new Promise((done) => service.stdout.once("data", (x) => done(Number(/:(\d+)\n/.exec(x)[1]))));

let faults = 0, stricter = 0, both = 0;
function fault(why, text, ours, theirs) {
  ++faults;
  console.log(`${why}\n  sent:   ${JSON.stringify(text)}\n  ours:   ${JSON.stringify(ours)}\n  llhttp: ${JSON.stringify(theirs)}`);
}

async function work() {
  while (left-- > 0) {
    const { text, is_plain } = next();
    const [said, theirs] = await Promise.all([send(port, text), ask_llhttp(text)]);
    const ours = understood(said);
    if (ours.behind > 0)
      fault("a request behind one that was refused is answered", text, ours, theirs);
    else if (ours.requests.some((x, i) => x !== theirs.requests[i]))
      fault("other requests than llhttp's", text, ours, theirs);
    else if (is_plain && ours.requests.length !== theirs.requests.length)
      fault("well-formed requests are refused", text, ours, theirs);
    else if (ours.requests.length < theirs.requests.length)
      ++stricter;
    else
      ++both;
  }
}
await Promise.all(Array.from({ length: at_once }, work));

service.kill();
node.close();
console.log(`${count} cases, seed ${seed}: the same requests in ${both}, more refused in ${stricter}, faults in ${faults}`);
process.exit(faults > 0 ? 1 : 0);
