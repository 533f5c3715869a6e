#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Offers more requests than a pool can answer, on the server that with_postgres started: see bench/overload/run.

All programs get the same load, one after the other in each round, each round with another seed and the other way round. The tables
give the median of the rounds and, in parentheses, their spread."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import picture

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / "build/release/bench/sheaf_overload"
CONNINFO = os.environ["SHEAF_TEST_POSTGRES"]
JARS = [pathlib.Path("/usr/share/java") / x for x in ("HikariCP.jar", "postgresql.jar", "slf4j-api.jar", "slf4j-nop.jar")]

QUERIES, LOOPS, DEADLINES, LOADS = (1, 8), (1, 2), (20, 3), (0.7, 1.1, 2, 10)
SESSIONS = 4


def jdbc_url():
    host, port, name, user = (re.search(rf"{key}=(\S+)", CONNINFO)[1] for key in ("host", "port", "dbname", "user"))
    return f"jdbc:postgresql://{host}:{port}/{name}?user={user}"


def programs(before):
    """{name: (command with the connection, whether it has loops and priorities)}."""
    found = {"sheaf": ([PROGRAM, "--conninfo", CONNINFO], True)}
    if before:
        found = {"sheaf before": ([before, "--conninfo", CONNINFO], True)} | found
    if shutil.which("java") and all(x.exists() for x in JARS):
        source = ["java", "-cp", ":".join(map(str, JARS)), HERE / "HikariPeer.java"]
        found["HikariCP"] = ([*source, "--conninfo", jdbc_url()], False)
    else:
        print("bench/overload: HikariCP is left out: it takes libhikaricp-java, libpostgresql-jdbc-java, libslf4j-java and a JDK",
              file=sys.stderr)
    return found


def run(command, options):
    """One run; ends the program with its own line when it fails: no partial figures."""
    options = {"sessions": SESSIONS} | options
    words = [*command, *(x for name, value in options.items() for x in (f"--{name}", value))]
    done = subprocess.run([str(x) for x in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench/overload: {done.stderr.strip()}")
    return json.loads(done.stdout)


def setups():
    """What is asked for in each round. HikariCP has neither loops nor priorities: it is measured for the first of each."""
    for queries in QUERIES:
        for times in DEADLINES:
            for loops in LOOPS:
                for load in LOADS:
                    yield {"queries": queries, "deadline-times": times, "loops": loops, "load": load}
    for loops in LOOPS:
        yield {"queries": 1, "deadline-times": 20, "loops": loops, "load": 2, "priorities": "mixed"}


def measure(rounds, common, found):
    """[(program, setup, [result of each round])]"""
    kept = {}
    for number in range(rounds):
        for setup in setups():
            for name in list(found)[:: 1 if number % 2 == 0 else -1]:
                command, is_sheaf = found[name]
                options = common | setup | {"seed": number + 1}
                if not is_sheaf:
                    if setup["loops"] != LOOPS[0] or "priorities" in setup:
                        continue
                    del options["loops"]
                key = (name, *setup.items())
                kept.setdefault(key, (name, setup, []))[2].append(run(command, options))
        (HERE / "results.json").write_text(json.dumps(list(kept.values())) + "\n")
        print(f"round {number + 1} of {rounds} done", file=sys.stderr)
    return list(kept.values())


def middle(results, *path):
    """(median, low, high) of one figure. What never came is later than all else."""
    def figure(x):
        for name in path:
            x = x[name]
        return float("inf") if x is None else x

    values = [figure(x) for x in results]
    return statistics.median(values), min(values), max(values)


def spread(results, *path, digits=2):
    return "{:.{d}f} ({:.{d}f}–{:.{d}f})".format(*middle(results, *path), d=digits)


def table(title, header, rows):
    print(f"\n{title}\n\n| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def rows_of(kept, cell, loads):
    """A row for each setup and program; a column for each load."""
    rows = {}
    for name, setup, results in kept:
        if "priorities" not in setup:
            queries, loops = setup["queries"], setup["loops"]
            loops = f", {loops} loop{'s' if loops > 1 else ''}" if name != "HikariCP" else ""
            key = (queries, -setup["deadline-times"], name == "HikariCP", setup["loops"], name)
            head = [str(queries), f"{setup['deadline-times']} times", f"{name}{loops}"]
            rows.setdefault(key, head + [""] * len(loads))
            if setup["load"] in loads:
                rows[key][len(head) + loads.index(setup["load"])] = cell(results)
    return [rows[key] for key in sorted(rows)]


def seconds_or_never(results):
    value = middle(results, "recovery_s")[0]
    return "not while it was watched" if value == float("inf") else f"{value:.2f} s"


def times_of_good(results):
    """The median of the rounds; none where none was answered in time."""
    median, p99 = (middle(results, "overload", x)[0] for x in ("p50_ms", "p99_ms"))
    return (f"{median:.0f}, {p99:.0f}" if p99 else "none") + f"; {middle(results, 'overload', 'overrun_ms_max')[2]:.1f}"


def print_tables(kept):
    head = ["queries", "deadline", ""]
    times = [f"{x} times" for x in LOADS]
    over = [x for x in LOADS if x > 1]
    table("Answered in time, as a share of what the sessions can do, by the load that is offered:", head + times,
          rows_of(kept, lambda x: spread(x, "overload", "goodput"), list(LOADS)))
    table("Statements that were begun and then stopped, as a share of those that were begun:", head + times,
          rows_of(kept, lambda x: spread(x, "overload", "cancelled_share"), list(LOADS)))
    table("The time after the overload until all that is asked within 200 ms is answered in time again:", head + times[-len(over):],
          rows_of(kept, seconds_or_never, over))
    table("Median and p99 of those that were answered in time (ms), and the furthest that a reply was behind its deadline (ms):",
          head + times, rows_of(kept, times_of_good, list(LOADS)))
    table("The most memory that the process had (MiB):", head + times,
          rows_of(kept, lambda x: f"{middle(x, 'rss_mb_max')[0]:.0f}", list(LOADS)))
    rows = []
    for name, setup, results in kept:
        if "priorities" in setup:
            for x in results:
                for of in x["overload"]["priorities"].values():
                    of["share"] = of["in_time"] / max(1, of["asked"])
            rows.append([f"{name}, {setup['loops']} loop{'s' if setup['loops'] > 1 else ''}",
                         *(spread(results, "overload", "priorities", of, "share") for of in ("high", "normal", "low"))])
    table("Answered in time at 2 times, as a share of those of their priority, a third each (1 query, deadline 20 times):",
          ["", "high", "normal", "low"], sorted(rows))
    print()


def draw(kept, path):
    """The goodput with the most loops that each has."""
    most = {name: max(setup["loops"] for n, setup, _ in kept if n == name) for name, _, _ in kept}
    points = [{"program": name, "queries": setup["queries"], "deadline": setup["deadline-times"], "load": setup["load"],
               "goodput": middle(results, "overload", "goodput")}
              for name, setup, results in kept if "priorities" not in setup and setup["loops"] == most[name]]
    path.write_text(picture.drawn(points, LOADS))


def main():
    options = argparse.ArgumentParser(prog="bench/overload/run", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=2, help="measured time of each run")
    options.add_argument("--arrivals", choices=("poisson", "even"), default="poisson")
    options.add_argument("--before", metavar="PROGRAM", help="a sheaf_overload of another build, to measure beside this one")
    options.add_argument("--results", metavar="FILE", help="only print and draw what an earlier run wrote")
    how = options.parse_args()
    if how.results:
        kept = json.loads(pathlib.Path(how.results).read_text())
    else:
        kept = measure(how.rounds, {"seconds": how.seconds, "arrivals": how.arrivals}, programs(how.before))
    print_tables(kept)
    draw(kept, HERE / "results.svg")


if __name__ == "__main__":
    main()
