#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes face-light.onnx: where the light on a face comes from. Nothing in it is trained.

Usage: light_network.py FILE

Input "face" [batch,1,32,32], grey, 0 to 1. Output "light" [batch,3], shares of left, front and right (as the picture shows it), which add up
to 1: the softmax of a linear map of the pixels. What the left half is brighter than the right one speaks for the left, and the other way round.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "python"))
from onnx_graph import Graph, float_value  # noqa: E402

SIDE = 32
STRENGTH = 10  # of a half that is brighter by 1
FRONT = 1      # a difference of FRONT / STRENGTH is as much of a side as of the front


def network():
    graph = Graph("face-light")
    share = STRENGTH / (SIDE * SIDE / 2)
    halves = [share if x < SIDE / 2 else -share for _ in range(SIDE) for x in range(SIDE)]
    pixels = graph.node("Reshape", ["face", graph.constant([2], [0, SIDE * SIDE])])
    scores = graph.node("MatMul", [pixels, graph.constant([SIDE * SIDE, 3], [weight for half in halves for weight in (half, 0.0, -half)])])
    scores = graph.node("Add", [scores, graph.constant([3], [0.0, float(FRONT), 0.0])])
    graph.node("Softmax", [scores], "light", axis=1)
    return graph.file([float_value("face", ["batch", 1, SIDE, SIDE])], [float_value("light", ["batch", 3])])


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(network())
