#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What gallery_bench measured as a picture: python3 gallery_plot.py gallery.json gallery.svg

Two plots over the number of embeddings, all axes logarithmic: the time of a query, and memory.
"""

import json
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, SIDE = 440, 330, 70, 40, 210  # of one plot; SIDE is for names
COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888", "#000000"]
TIMES = {
    "read_bytes": "merely reading the bytes", "bytes": "bytes", "bytes_32": "bytes, 32 queries at once", "exact": "single precision",
    "FAISS, IndexFlatIP": "FAISS, IndexFlatIP", "graph_known": "graph", "hnswlib, FP32": "hnswlib, FP32",
}
MEMORY = {"rows": "single precision", "rows_and_bytes": "with bytes", "with_graph": "with the graph"}


def times(measured):
    """Milliseconds a query."""
    return {key: each["median"] * 1e3 for key, each in measured["seconds_a_query"].items()}


def memory(measured):
    """Megabytes."""
    return {key: each * measured["rows"] / 1e6 for key, each in measured["bytes_a_row"].items()}


class Plot:
    def __init__(self, left, title, names, points):
        """`points`: (rows, {key: value}) for each size."""
        self.left, self.title = left, title
        lines = {name: [(rows, values[key]) for rows, values in points if key in values] for key, name in names.items()}
        self.lines = {name: line for name, line in lines.items() if line}
        everything = [point for line in self.lines.values() for point in line]
        self.across = self.decades([rows for rows, _ in everything])
        self.up = self.decades([value for _, value in everything])

    @staticmethod
    def decades(values):
        first, last = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
        return first, max(last, first + 1)

    def x(self, rows):
        return self.left + LEFT + WIDTH * (math.log10(rows) - self.across[0]) / (self.across[1] - self.across[0])

    def y(self, value):
        return TOP + HEIGHT * (self.up[1] - math.log10(value)) / (self.up[1] - self.up[0])

    def svg(self):
        yield f'<text x="{self.left + LEFT}" y="{TOP - 16}" font-weight="bold">{self.title}</text>'
        for decade in range(self.across[0], self.across[1] + 1):
            x = self.x(10 ** decade)
            yield f'<path class="grid" d="M{x:.1f} {TOP}V{TOP + HEIGHT}"/>'
            yield f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{10 ** decade:,}</text>'
        for decade in range(self.up[0], self.up[1] + 1):
            y = self.y(10.0 ** decade)
            yield f'<path class="grid" d="M{self.left + LEFT} {y:.1f}h{WIDTH}"/>'
            yield f'<text x="{self.left + LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** decade:,g}</text>'
        yield f'<text x="{self.left + LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">embeddings</text>'
        yield from self.drawn_lines()

    def drawn_lines(self):
        # Names stand at the lines' ends, moved apart.
        ends = sorted(self.lines, key=lambda name: self.y(self.lines[name][-1][1]))
        places, last = {}, -math.inf
        for name in ends:
            last = places[name] = max(self.y(self.lines[name][-1][1]), last + 15)
        for colour, (name, line) in zip(COLOURS, self.lines.items()):
            path = "L".join(f"{self.x(rows):.1f} {self.y(value):.1f}" for rows, value in line)
            yield f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{path}"/>'
            for rows, value in line:
                yield f'<circle cx="{self.x(rows):.1f}" cy="{self.y(value):.1f}" r="3" fill="{colour}"/>'
            yield f'<text x="{self.x(line[-1][0]) + 9:.1f}" y="{places[name] + 4:.1f}" fill="{colour}">{name}</text>'


def main(source, target):
    with open(source, encoding="utf-8") as file:
        measured = json.load(file)
    one = LEFT + WIDTH + SIDE
    plots = [Plot(0, "time of a query, ms", TIMES, [(each["rows"], times(each)) for each in measured]),
             Plot(one, "memory, MB", MEMORY, [(each["rows"], memory(each)) for each in measured])]
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * one} {TOP + HEIGHT + 55}" font-family="sans-serif" font-size="13">',
             '<style>.grid{stroke:#ddd}</style><rect width="100%" height="100%" fill="white"/>']
    for plot in plots:
        lines += plot.svg()
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines + ["</svg>", ""]))
    print(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
