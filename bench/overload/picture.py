# SPDX-License-Identifier: BSD-3-Clause
"""Draws offered load against goodput as SVG: a panel for each deadline, a line for each program and number of queries. The colours are
those of `sheaf`'s own pictures (app/show/picture_style.hpp); the shape of a mark tells the same as its line."""

import math

WIDTH, HEIGHT, TOP, BOTTOM, LEFT, GAP = 960, 500, 96, 350, 64, 56
GOODPUT_MAX = 1.1
PROGRAMS = {"sheaf": "now", "sheaf before": "before", "HikariCP": "peer"}

STYLE = """
.sheaf{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.paper{fill:#ffffff} text{fill:#1b2430} .dim{fill:#55606e} .head{font-weight:600}
.grid{stroke:#dde2e8} .axis{stroke:#78828e} .best{stroke:#55606e;fill:none;stroke-dasharray:2 4}
.line{fill:none;stroke-width:2} .few{stroke-dasharray:7 4} .spread{stroke-width:1;opacity:.55}
.now{stroke:#0067a8} .before{stroke:#b3261e} .peer{stroke:#c97800} .mark{stroke-width:2;fill:#ffffff}
@media (prefers-color-scheme:dark){
.paper{fill:#14191f} text{fill:#e6eaef} .dim{fill:#a3aebb} .grid{stroke:#2b333d} .axis{stroke:#78828e} .best{stroke:#a3aebb}
.now{stroke:#4da6e8} .before{stroke:#ff8a80} .peer{stroke:#f5b642} .mark{fill:#14191f}}
"""


def text(x, y, what, size=12, anchor="start", kind="", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" class="{kind}"{more}>{what}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def mark(x, y, kind, queries):
    if queries == 1:
        return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" class="mark {kind}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="mark {kind}"/>'


def panel(points, loads, left, width, title):
    first, last = math.log(loads[0]), math.log(loads[-1])

    def x_of(load):
        return left + width * (math.log(load) - first) / (last - first)

    def y_of(goodput):
        return BOTTOM - (BOTTOM - TOP) * goodput / GOODPUT_MAX

    out = [text(left, TOP - 14, title, 13, kind="head")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        out += [line(left, y_of(share), left + width, y_of(share), "grid" if share else "axis"),
                text(left - 8, y_of(share) + 4, f"{share:g}", 11, "end", "dim")]
    for load in loads:
        out += [line(x_of(load), BOTTOM, x_of(load), BOTTOM + 5, "axis"),
                text(x_of(load), BOTTOM + 19, f"{load:g}", 11, "middle", "dim")]
    out.append(text(left + width / 2, BOTTOM + 40, "offered load, as a multiple of what the sessions can do (logarithmic)", 12, "middle"))
    best = [(loads[0], loads[0]), (1, 1), (loads[-1], 1)]
    out.append(f'<path class="best" d="M{" L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in best)}"/>')
    series = dict.fromkeys((p["program"], p["queries"]) for p in points)
    for program, queries in sorted(series, key=lambda x: list(PROGRAMS).index(x[0]), reverse=True):
        kind = PROGRAMS[program]
        at = sorted((p["load"], *p["goodput"]) for p in points if (p["program"], p["queries"]) == (program, queries))
        path = " L".join(f"{x_of(load):.1f} {y_of(median):.1f}" for load, median, _, _ in at)
        out.append(f'<path class="line {kind}{" few" if queries == 1 else ""}" d="M{path}"/>')
        for load, median, low, high in at:
            out += [line(x_of(load), y_of(low), x_of(load), y_of(high), f"spread {kind}"),
                    mark(x_of(load), y_of(median), kind, queries)]
    return out


def legend(programs, queries):
    out, x, y = [], LEFT, BOTTOM + 78
    for program in programs:
        for n in queries:
            kind = PROGRAMS[program]
            out += [f'<path class="line {kind}{" few" if n == 1 else ""}" d="M{x:.1f} {y:.1f}h34"/>', mark(x + 17, y, kind, n),
                    text(x + 42, y + 4, f"{program}, {n} quer{'y' if n == 1 else 'ies'} a request")]
            y += 22
        x, y = x + 270, BOTTOM + 78
    return out + [f'<path class="best" d="M{LEFT} {BOTTOM + 130}h34"/>',
                  text(LEFT + 42, BOTTOM + 134, "all that is offered, or all that the sessions can do; an upright line is the spread of "
                       "the rounds", kind="dim")]


def drawn(points, loads):
    """`points`: program, queries, deadline, load, and the goodput as (median, low, high)."""
    deadlines = sorted({p["deadline"] for p in points}, reverse=True)
    width = (WIDTH - LEFT - 24 - GAP * (len(deadlines) - 1)) / len(deadlines)
    title = "Requests answered in time, by the load that is offered"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" class="sheaf" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           f'role="img" aria-label="{title}">', f"<title>{title}</title>", f"<style>{STYLE}</style>",
           f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>', text(24, 30, title, 16, kind="head"),
           text(24, 50, "1 is what the sessions can do when none of them is ever idle", 12, kind="dim"),
           text(20, (TOP + BOTTOM) / 2, "answered in time", 12, "middle", more=f' transform="rotate(-90 20 {(TOP + BOTTOM) / 2:.0f})"')]
    for i, deadline in enumerate(deadlines):
        out += panel([p for p in points if p["deadline"] == deadline], loads, LEFT + i * (width + GAP), width,
                     f"Deadline: {deadline} times what a request takes alone")
    known = [x for x in PROGRAMS if any(p["program"] == x for p in points)]
    out += legend(known, sorted({p["queries"] for p in points}, reverse=True))
    return "\n".join(out) + "\n</svg>\n"
