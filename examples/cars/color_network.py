#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes car-color.onnx: a fixed function of a crop's pixels that names the colour of a car. Nothing in it is trained.

Usage: examples/cars/color_network.py FILE

Input "pixels" [batch,3,32,32], RGB, 0 to 1: the car with MARGIN of its surroundings on each side. Output "color" [batch,13], the
shares of the votes for COLORS, which add up to 1. What it does:

1. Colour cast: the surroundings are grey on average (asphalt is). Each channel is divided by their mean, within limits, so that a lawn
   or a sky does not turn a car into another colour.
2. Exposure: what only a few pixels exceed (a number plate, a line on the road, a reflection) is white. Everything is scaled so, within
   limits, so that a black car at night is not grey.
3. Each pixel becomes a saturation with a hue, and a value, and votes for the colours whose prototypes are near, softly.
4. Votes count where the body is: below the windows, above the wheels, not at the sides. Black and grey ones count less, since glass,
   tyres and shadows are so on every car.
"""
import math
import struct
import sys

SIZE = 32
MARGIN = 0.15  # crop-margin of car-color.ini
COLORS = ["black", "grey", "silver", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige"]
WEIGHTS = {"black": 0.7, "grey": 0.6, "silver": 0.7, "white": 0.85}  # of a vote; others 1
CAST_LIMITS = (0.75, 1.33)
WHITE, WHITE_SHARE, EXPOSURE_LIMITS = 0.92, 0.04, (0.9, 1.8)
DARK = 0.2  # added to the value where saturation is value's divisor: what is nearly black has no hue
VALUE_SCALE, SPREAD = 0.8, 0.13  # how much a difference of value counts beside one of saturation; of the votes
# Colour, hue in degrees, saturation, value.
PROTOTYPES = [("black", 0, 0, 0.05), ("black", 225, 0.4, 0.18), ("black", 0, 0, 0.17), ("grey", 0, 0, 0.32), ("grey", 0, 0, 0.47),
              ("silver", 0, 0, 0.63), ("silver", 0, 0, 0.76), ("white", 0, 0, 0.87), ("white", 0, 0, 0.97),
              ("red", 0, 0.8, 0.7), ("red", 355, 0.7, 0.4), ("red", 350, 0.45, 0.95), ("orange", 25, 0.8, 0.9), ("yellow", 52, 0.75, 0.85),
              ("green", 130, 0.6, 0.55), ("green", 130, 0.5, 0.3), ("green", 90, 0.4, 0.6), ("blue", 220, 0.65, 0.65),
              ("blue", 225, 0.55, 0.3), ("blue", 205, 0.4, 0.75), ("purple", 285, 0.5, 0.5), ("pink", 325, 0.4, 0.95),
              ("brown", 22, 0.5, 0.35), ("beige", 40, 0.32, 0.75)]


# ── Protocol Buffers and ONNX, as much as is needed ──

def varint(number):
    groups = []
    while True:
        number, low = number >> 7, number & 127
        groups.append(low | 128 if number else low)
        if not number:
            return bytes(groups)


def number(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def text(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, shape, values):
    whole = all(isinstance(value, int) for value in values)
    data = struct.pack(f"<{len(values)}{'q' if whole else 'f'}", *values)
    return b"".join(number(1, size) for size in shape) + number(2, 7 if whole else 1) + text(8, name) + text(9, data)


def attribute(name, value):
    if isinstance(value, list):
        return text(1, name) + b"".join(number(8, each) for each in value) + number(20, 7)
    return text(1, name) + number(3, value) + number(20, 2)


def float_value(name, shape):
    dims = b"".join(text(1, text(2, size) if isinstance(size, str) else number(1, size)) for size in shape)
    return text(1, name) + text(2, text(1, number(1, 1) + text(2, dims)))


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = b"", b"", 0

    def constant(self, shape, values):
        self.count += 1
        name = f"constant{self.count}"
        self.constants += text(5, tensor(name, shape, values))
        return name

    def node(self, operator, inputs, result=None, outputs=1, **attributes):
        self.count += 1
        results = [result or f"{operator}{self.count}"] + [f"{operator}{self.count}/{i}" for i in range(1, outputs)]
        self.nodes += text(1, b"".join(text(1, name) for name in inputs) + b"".join(text(2, name) for name in results) +
                           text(4, operator) + b"".join(text(5, attribute(*item)) for item in attributes.items()))
        return results[0]

    def scalar(self, value):
        return self.constant([], [float(value)])

    def clip(self, x, limits, result=None):
        return self.node("Clip", [x, self.scalar(limits[0]), self.scalar(limits[1])], result)

    def file(self, inputs, outputs):
        graph = self.nodes + text(2, "car-color") + self.constants
        graph += b"".join(text(11, value) for value in inputs) + b"".join(text(12, value) for value in outputs)
        return number(1, 8) + text(2, "sightline") + text(7, graph) + text(8, number(2, 13))


# ── The function ──

def mask(weight):
    """Weights of the pixels, which add up to 1, of a function of the place in the car's box: 0 to 1 from left to right and downwards."""
    place = [((i + 0.5) / SIZE * (1 + 2 * MARGIN)) - MARGIN for i in range(SIZE)]
    weights = [float(weight(x, y)) for y in place for x in place]
    return [each / sum(weights) for each in weights]


def is_outside(x, y):
    return not (0 <= x <= 1 and 0 <= y <= 1)


def body(x, y):
    return math.exp(-((x - 0.5) / 0.25) ** 4) * math.exp(-((y - 0.57) / 0.2) ** 4)


def without_cast(graph, x):
    """Divides each channel by its mean over the surroundings, in which what is saturated counts little: it is no asphalt."""
    least = graph.node("ReduceMin", [x], axes=[1], keepdims=1)
    most = graph.node("Add", [graph.node("ReduceMax", [x], axes=[1], keepdims=1), graph.scalar(0.01)])
    paleness = graph.clip(graph.node("Sub", [graph.node("Mul", [graph.node("Div", [least, most]), graph.scalar(2)]),
                                             graph.scalar(0.9)]), (0.02, 1))
    weights = graph.node("Mul", [paleness, graph.constant([1, 1, SIZE * SIZE], mask(is_outside))])
    means = graph.node("ReduceSum", [graph.node("Mul", [x, weights]), graph.constant([1], [2])], keepdims=1)
    means = graph.node("Div", [means, graph.node("ReduceSum", [weights, graph.constant([1], [2])], keepdims=1)])
    means = graph.node("Add", [means, graph.scalar(0.03)])  # black surroundings say nothing
    gains = graph.node("Div", [graph.node("ReduceMean", [means], axes=[1], keepdims=1), means])
    return graph.node("Mul", [x, graph.clip(gains, CAST_LIMITS)])


def exposed(graph, x):
    """Scales so that the brightest few are white, or fully of their colour."""
    count = int(SIZE * SIZE * WHITE_SHARE)
    most = graph.node("ReduceMax", [x], axes=[1], keepdims=1)
    brightest = graph.node("TopK", [most, graph.constant([1], [count])], outputs=2, axis=2)
    bounds = [graph.constant([1], [each]) for each in (count - 1, count, 2)]
    level = graph.node("Add", [graph.node("Slice", [brightest, *bounds]), graph.scalar(0.001)])
    return graph.node("Mul", [x, graph.clip(graph.node("Div", [graph.scalar(WHITE), level]), EXPOSURE_LIMITS)])


def features(graph, x):
    """Saturation along two axes, red and across it, and the value."""
    across = math.sqrt(3) / 2
    chroma = graph.node("Conv", [x, graph.constant([2, 3, 1], [1.0, -0.5, -0.5, 0.0, across, -across])])
    value = graph.node("ReduceMax", [x], axes=[1], keepdims=1)
    saturation = graph.node("Div", [chroma, graph.node("Add", [value, graph.scalar(DARK)])])
    return graph.node("Concat", [saturation, graph.node("Mul", [graph.clip(value, (0, 1)), graph.scalar(VALUE_SCALE)])], axis=1)


def votes(graph, x):
    """Of the squares of the distances to prototypes, (p − x)², x² is the same for all and is left out."""
    places = [(saturation * math.cos(math.radians(hue)) * value / (value + DARK),
               saturation * math.sin(math.radians(hue)) * value / (value + DARK), value * VALUE_SCALE)
              for _, hue, saturation, value in PROTOTYPES]
    sharpness = 1 / (2 * SPREAD ** 2)
    factors = [2 * axis * sharpness for place in places for axis in place]
    constants = [-sum(axis ** 2 for axis in place) * sharpness for place in places]
    near = graph.node("Conv", [x, graph.constant([len(places), 3, 1], factors), graph.constant([len(places)], constants)])
    return graph.node("Softmax", [near], axis=1)


def network():
    graph = Graph()
    x = graph.node("Reshape", ["pixels", graph.constant([3], [0, 3, SIZE * SIZE])])
    x = votes(graph, features(graph, exposed(graph, without_cast(graph, x))))
    x = graph.node("Mul", [x, graph.constant([1, 1, SIZE * SIZE], mask(body))])
    x = graph.node("ReduceSum", [x, graph.constant([1], [2])], keepdims=0)
    groups = [WEIGHTS.get(color, 1.0) if color == name else 0.0 for name, *_ in PROTOTYPES for color in COLORS]
    x = graph.node("MatMul", [x, graph.constant([len(PROTOTYPES), len(COLORS)], groups)])
    graph.node("Div", [x, graph.node("ReduceSum", [x, graph.constant([1], [1])], keepdims=1)], "color")
    return graph.file([float_value("pixels", ["batch", 3, SIZE, SIZE])], [float_value("color", ["batch", len(COLORS)])])


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(network())
