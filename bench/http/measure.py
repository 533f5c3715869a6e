#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures `sheaf serve` on the server that with_postgres started, each figure as a ratio within one round:

- GET /requests/world20 (20 lookups) by wrk, beside the same fan-out without HTTP (sheaf_bench, world N=20 C=32);
- GET /healthz by wrk, beside a server of Beast alone;
- the p99 of GET /healthz and of a request of one lookup, beside slow requests all the time and without any;
- GET /requests/world20 beside the same in Go (bench/http/peer), when that could be built;
- memory while a result of 100 MB is sent;
- memory for each of 10,000 idle connections, and for each of 2,000 with TLS."""

import argparse
import http.client
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/release"
GO_PEER = BUILD / "bench/go_peer"
CONNINFO = os.environ["SHEAF_TEST_POSTGRES"]

TABLES = """
drop table if exists world;
create table world (id integer primary key, randomnumber integer not null);
insert into world select i, (random() * 9999)::integer + 1 from generate_series(1, 10000) i;
vacuum analyze world;
"""

FILE = f"""
databases: {{main: {{url: "{CONNINFO}", pool: {{max_size: 16}}}}}}
requests:
  world20:
    parameters: {{ids: {{type: "int[]", default: [{", ".join(str(i * 487 % 10000 + 1) for i in range(20))}]}}}}
    queries: {{row: {{sql: "select id, randomnumber from world where id = :id", for_each: {{id: "{{ids}}"}}, read_only: true}}}}
  one: {{queries: {{row: {{sql: "select id, randomnumber from world where id = 7", read_only: true}}}}}}
  slow: {{queries: {{sleep: select pg_sleep(2)}}}}
  large: {{queries: {{rows: {{sql: "select n, repeat('x', 90) as text from generate_series(1, 1000000) n", stream: true}}}}}}
"""


class Service:
    """A program that says where it listens."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(x) for x in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def resident_bytes(self, at="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(at + r":\s+(\d+)", status)[1]) * 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # proc(5): VmHWM begins anew

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def wrk(url, seconds, connections=32, threads=2):
    """Requests per second and the p99 in milliseconds; ends the program when an answer was not 200."""
    said = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", url], capture_output=True, text=True,
                          check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"bench/http: {url}:\n{said}")
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), float(p99) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def without_http(seconds):
    command = [BUILD / "bench/sheaf_bench", "--peer", "sheaf", "--workload", "world", "--n", 20, "--concurrency", 32, "--pool", 16,
               "--seconds", seconds, "--loops", 2, "--conninfo", CONNINFO]
    return json.loads(subprocess.run([str(x) for x in command], capture_output=True, text=True, check=True).stdout)["req_per_s"]


def beside_slow(service, path, seconds):
    """How many times the p99 is what it is alone, while two requests of 2 s run all the time. One connection: with more, the p99 is
    that of programs which wait for a core."""
    over = threading.Event()

    def keep_busy():
        client = http.client.HTTPConnection("127.0.0.1", service.port)
        while not over.is_set():
            client.request("GET", "/requests/slow")
            client.getresponse().read()

    alone = wrk(service.url(path), seconds, 1, 1)[1]
    clients = [threading.Thread(target=keep_busy) for _ in range(2)]
    for x in clients:
        x.start()
    beside = wrk(service.url(path), seconds, 1, 1)[1]
    over.set()
    for x in clients:
        x.join()
    return beside / alone


def streaming_bytes(service):
    """The most memory beyond what it has idle, while a result of 100 MB is sent."""
    service.forget_peak()
    before = service.resident_bytes()
    client = http.client.HTTPConnection("127.0.0.1", service.port)
    client.request("GET", "/requests/large")
    answer = client.getresponse()
    got = 0
    while piece := answer.read(1 << 16):
        got += len(piece)
    client.close()
    if got < 100_000_000:
        sys.exit(f"bench/http: /requests/large has {got} bytes")
    return service.resident_bytes("VmHWM") - before


def idle_bytes(service, count, tls=None):
    """What the service grows by for each connection that has been answered and asks nothing."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    def connect():
        connection = socket.create_connection(("127.0.0.1", service.port))
        if tls:
            connection = tls.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(4096)
        return connection

    first = connect()
    before = service.resident_bytes()
    kept = [connect() for _ in range(count)]
    grown = service.resident_bytes() - before
    for x in [first, *kept]:
        x.close()
    return grown / count


def make_certificate(folder):
    """Options for the service, and the context of a client that believes it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return ["--tls-cert", cert, "--tls-key", key], ssl.create_default_context(cafile=cert)


def one_round(serve, with_tls, tls, seconds):
    with Service(*serve) as service, Service(*serve, *with_tls) as secure, Service(BUILD / "bench/bare_server", 2) as bare:
        world20 = wrk(service.url("/requests/world20"), seconds)[0]
        yield "world20 beside the same without HTTP (>= 0.8)", world20 / without_http(seconds)
        if GO_PEER.exists():
            with Service(GO_PEER, CONNINFO) as peer:
                yield "world20 beside the same in Go with pgx (>= 1.0)", world20 / wrk(peer.url("/"), seconds)[0]
        yield "/healthz beside Beast alone (>= 0.7)", wrk(service.url("/healthz"), seconds)[0] / wrk(bare.url("/"), seconds)[0]
        yield "p99 of /healthz beside slow requests (<= 1.5)", beside_slow(service, "/healthz", seconds)
        yield "p99 of one lookup beside slow requests (<= 1.5)", beside_slow(service, "/requests/one", seconds)
        with Service(*serve) as unused:  # whose memory nothing else has been in
            yield "MiB for 100 MB on their way (<= 32)", streaming_bytes(unused) / 2**20
        yield "KiB for each of 10,000 idle connections (<= 12)", idle_bytes(service, 10_000) / 1024
        yield "KiB for each of 2,000 with TLS (<= 16)", idle_bytes(secure, 2_000, tls) / 1024


def main():
    options = argparse.ArgumentParser(prog="bench/http/run", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=3, help="measured time of each run")
    options = options.parse_args()
    subprocess.run(["psql", "--quiet", "--no-psqlrc", CONNINFO], input=TABLES, text=True, check=True, stderr=subprocess.DEVNULL)
    values = {}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "world.yaml"
        file.write_text(FILE)
        with_tls, tls = make_certificate(pathlib.Path(folder))
        serve = [BUILD / "app/sheaf", "serve", file, "--listen", "127.0.0.1:0", "--loops", 2]
        for _ in range(options.rounds):
            for name, value in one_round(serve, with_tls, tls, options.seconds):
                values.setdefault(name, []).append(value)
    for name, all_of_it in values.items():
        print(f"{name:50} {statistics.median(all_of_it):6.2f} ({min(all_of_it):.2f}–{max(all_of_it):.2f})")


main()
