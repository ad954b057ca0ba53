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
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "python"))
from onnx_graph import Graph, float_value  # noqa: E402

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
    graph = Graph("car-color")
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
