#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures sheaf beside raw libpq on the server that with_postgres started, and beside SQLite alone: see bench/run.

Each figure is a ratio of two runs side by side, in one round; the tables give the median of the rounds and their spread."""

import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent / "build/release/bench/sheaf_bench"
TRANSPORTS = {"tcp": os.environ["SHEAF_TEST_POSTGRES"], "unix": os.environ["SHEAF_TEST_POSTGRES_SOCKET"]}
SQLITE_FILE = pathlib.Path(os.environ["TMPDIR"]) / "world.db"
CONNINFOS = TRANSPORTS | {"sqlite": f"sqlite:{SQLITE_FILE}"}

TABLES = """
create table world (id integer primary key, randomnumber integer not null);
insert into world select i, (random() * 9999)::integer + 1 from generate_series(1, 10000) i;
create table book (id integer primary key, title text not null, author text not null, price float8 not null,
                   published timestamp not null);
insert into book select i, 'Book number ' || i, 'Author ' || i % 1000, i * 0.01,
                        timestamp '2000-01-01' + i * interval '1 minute'
                 from generate_series(1, 2000000) i;
vacuum analyze world, book;
"""


def create_sqlite_file():
    with sqlite3.connect(SQLITE_FILE) as database:
        database.execute("create table world (id integer primary key, randomnumber integer not null)")
        database.executemany("insert into world values (?, ?)", ((i, i * 7919 % 10000 + 1) for i in range(1, 10001)))
    database.close()


def run(peer, transport, workload, n, concurrency, pool=16, seconds=2.0, loops=None, pack="never"):
    """One run of the driver; ends the program with its own line when it fails: no partial figures."""
    loops = min(2, concurrency) if loops is None else loops
    command = [PROGRAM, "--peer", peer, "--workload", workload, "--n", n, "--concurrency", concurrency, "--pool", pool,
               "--seconds", seconds, "--loops", loops, "--pack", pack, "--conninfo", CONNINFOS[transport]]
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench/run: {done.stderr.strip()}")
    return json.loads(done.stdout)


def throughput(sheaf, raw):
    return sheaf["req_per_s"] / raw["req_per_s"]


def latency(sheaf, raw):
    return sheaf["p50_us"] / raw["p50_us"]


def cpu(sheaf, raw):
    return sheaf["client_cpu_us_per_request"] / raw["client_cpu_us_per_request"]


def later_ms(sheaf, raw):
    return (sheaf["p50_us"] - raw["p50_us"]) / 1000


# The figures of sheaf beside raw: workload, queries, requests in flight, how they compare, the goal.
FIGURES = [
    ("throughput, world N=20 C=8", "world", 20, 8, throughput, ">= 0.95"),
    ("client CPU, world N=20 C=8", "world", 20, 8, cpu, "<= 1.2"),
    ("throughput, world N=20 C=32", "world", 20, 32, throughput, ">= 0.95"),
    ("throughput, world N=1 C=32", "world", 1, 32, throughput, ">= 0.92"),
    ("median latency, world N=20 C=1", "world", 20, 1, latency, "<= 1.08"),
    ("elapsed, sleep N=3 C=1 (ms more)", "sleep", 3, 1, later_ms, "<= 0.2"),
    ("throughput, wide N=4 C=4", "wide", 4, 4, throughput, ">= 0.95"),
]


def measure_figures(rounds, seconds):
    """{(figure, transport): [one value per round]}; one pair of runs serves all figures that it can."""
    values = {}
    setups = dict.fromkeys((workload, n, c) for _, workload, n, c, _, _ in FIGURES)
    for round_number in range(rounds):
        for transport in TRANSPORTS:
            for workload, n, c in setups:
                pair = {}
                for peer in ("raw", "sheaf") if round_number % 2 == 0 else ("sheaf", "raw"):
                    pair[peer] = run(peer, transport, workload, n, c, seconds=seconds)
                for name, w, m, d, compare, _ in FIGURES:
                    if (w, m, d) == (workload, n, c):
                        values.setdefault((name, transport), []).append(compare(pair["sheaf"], pair["raw"]))
            measure_alone(values, transport, seconds)
        print(f"round {round_number + 1} of {rounds} done", file=sys.stderr)
    return values


ALONE = {"CPU per query, world N=1000 beside N=20": "<= 1.1", "p99 of the short queries, mixed beside world": "<= 1.5",
         "KiB per query, 100,000 waiting": "<= 2"}


def measure_alone(values, transport, seconds):
    """What compares sheaf with itself."""
    def per_query(x):
        return x["client_cpu_us_per_request"] / x["n_queries"]

    narrow = run("sheaf", transport, "world", 20, 8, seconds=seconds)
    broad = run("sheaf", transport, "world", 1000, 8, seconds=seconds)
    mixed = run("sheaf", transport, "mixed", 20, 8, seconds=seconds)
    crowd = run("sheaf", transport, "world", 1000, 100, seconds=seconds)
    one = run("sheaf", transport, "world", 1, 1, seconds=seconds)
    results = (per_query(broad) / per_query(narrow), mixed["short_query_p99_us"] / narrow["short_query_p99_us"],
               (crowd["max_rss_mb"] - one["max_rss_mb"]) * 1024 / 100_000)
    for name, value in zip(ALONE, results):
        values.setdefault((name, transport), []).append(value)


# What packing is measured beside: for each workload, where, the packing of sheaf, the peers without it, and the requests
# in flight with the loops.
PACKINGS = [
    ("world", tuple(TRANSPORTS), ("never", "auto", "always"), ("raw", "pipeline", "pipeline_each"),
     [(1, 1), (1, 2), (8, 1), (8, 2)]),
    ("sqlite", ("sqlite",), ("never", "auto"), ("loop",), [(1, 1), (8, 2)]),
]
PACKED_QUERIES = 20
PACKED_MEASURES = {"throughput": throughput, "median latency": latency, "client CPU": cpu}


def measure_packing(rounds, seconds):
    """One row for each setup, packing and what it is beside, with one value per round of each measure; sheaf's packings
    are beside its own sessions (`never`) as well. There is no ratio of latencies beside a peer that had fewer requests
    in flight, as the loop on SQLite has."""
    rows = {}
    for round_number in range(rounds):
        for workload, places, packs, peers, setups in PACKINGS:
            turn = [("sheaf", pack) for pack in packs] + [(peer, "never") for peer in peers]
            for place, (c, loops) in ((p, s) for p in places for s in setups):
                got = {}
                for peer, pack in turn if round_number % 2 == 0 else reversed(turn):
                    got[pack if peer == "sheaf" else peer] = run(peer, place, workload, PACKED_QUERIES, c, seconds=seconds,
                                                                 loops=loops, pack=pack)
                for pack in packs:
                    for beside in (*peers, "never"):
                        if pack == beside:
                            continue
                        row = rows.setdefault((workload, place, c, loops, pack, beside),
                                              {name: [] for name in PACKED_MEASURES} | {"packed share": []})
                        for name, compare in PACKED_MEASURES.items():
                            if compare is not latency or got[pack]["concurrency"] == got[beside]["concurrency"]:
                                row[name].append(compare(got[pack], got[beside]))
                        row["packed share"].append(got[pack]["packed_share"])
        print(f"packing: round {round_number + 1} of {rounds} done", file=sys.stderr)
    return [{"workload": workload, "transport": place, "n_queries": PACKED_QUERIES, "concurrency": c, "loops": loops,
             "pack": pack, "beside": beside,
             "measures": {name: {"median": statistics.median(xs), "low": min(xs), "high": max(xs), "rounds": xs}
                          for name, xs in row.items() if xs}}
            for (workload, place, c, loops, pack, beside), row in rows.items()]


def print_packing(rows):
    print(f"\n{f'packing, N={PACKED_QUERIES}':54}" + "".join(f"  {name:22}" for name in PACKED_MEASURES) + "  packed")
    for row in rows:
        where = f"{row['workload']} C={row['concurrency']} loops={row['loops']} {row['transport']}"
        what = f"{row['pack']} beside {row['beside']}"
        cells = [row["measures"].get(name) for name in PACKED_MEASURES]
        texts = (f"  {x['median']:7.3f} {x['low']:6.3f}…{x['high']:<7.3f}" if x else f"  {'-':>7}{'':15}" for x in cells)
        print(f"{where:26} {what:27}{''.join(texts)}  {row['measures']['packed share']['median']:6.2f}")


def measure_curves(seconds):
    """Throughput and client CPU per query by width and by requests in flight, for both peers."""
    points = []
    for axis, setups in (("queries per request (8 requests in flight)", [(n, 8) for n in (1, 3, 20, 100, 1000)]),
                         ("requests in flight (20 queries each)", [(20, c) for c in (1, 8, 32, 128)])):
        for n, c in setups:
            for peer in ("raw", "sheaf"):
                x = run(peer, "tcp", "world", n, c, seconds=seconds)
                points.append({"axis": axis, "peer": peer, "x": n if "queries" == axis.split()[0] else c,
                               "queries_per_s": x["req_per_s"] * n, "cpu_us_per_query": x["client_cpu_us_per_request"] / n})
    return points


def draw(points, path):
    """Four plots in one SVG, by gnuplot."""
    script = ["set terminal svg size 960,720 background 'white' font 'sans,13'", f"set output '{path}'",
              "set multiplot layout 2,2", "set logscale x", "set yrange [0:*]", "set key bottom right", "set grid ytics",
              "set style data linespoints"]
    for value, title in (("queries_per_s", "queries per second"), ("cpu_us_per_query", "client CPU per query (us)")):
        for axis in dict.fromkeys(p["axis"] for p in points):
            for peer in ("raw", "sheaf"):
                rows = "\n".join(f"{p['x']} {p[value]}" for p in points if p["axis"] == axis and p["peer"] == peer)
                script.append(f"${peer} << EOD\n{rows}\nEOD")
            ticks = ",".join(str(p["x"]) for p in points if p["axis"] == axis and p["peer"] == "raw")
            script += [f"set xlabel '{axis}'", f"set ylabel '{title}'", f"set xtics ({ticks})",
                       "plot $raw title 'raw libpq' lw 2 lc rgb '#888888', $sheaf title 'sheaf' lw 2 lc rgb '#2060c0'"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def print_figures(table):
    print(f"{'':42} {'':5} {'median':>7}  {'low':>6} … {'high':6}  goal (on tcp)")
    for row in table:
        print(f"{row['figure']:42} {row['transport']:5} {row['median']:7.3f}  {row['low']:6.3f} … {row['high']:<6.3f}  {row['goal']}")


def main():
    options = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3, help="measured time of each run")
    options.add_argument("--no-plot", action="store_true", help="skip the curves")
    options.add_argument("--only", choices=("figures", "packing"), help="skip the other one, and the curves")
    how = options.parse_args()
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", TRANSPORTS["unix"]], input=TABLES, text=True,
                   check=True)
    create_sqlite_file()
    results = {"cores": os.cpu_count(), "seconds": how.seconds}
    if how.only != "packing":
        values = measure_figures(how.rounds, how.seconds)
        goals = {name: goal for name, _, _, _, _, goal in FIGURES} | ALONE
        results["figures"] = [{"figure": name, "transport": transport, "median": statistics.median(xs), "low": min(xs),
                               "high": max(xs), "rounds": xs, "goal": goals[name]}
                              for (name, transport), xs in values.items()]
        print_figures(results["figures"])
    if how.only != "figures":
        results["packing"] = measure_packing(how.rounds, how.seconds)
        print_packing(results["packing"])
    if not how.no_plot and not how.only:
        results["curves"] = measure_curves(how.seconds)
        draw(results["curves"], HERE / "results.svg")
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
