# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX files out of Python, without a package for it: as much of Protocol Buffers and ONNX as constructed networks need.

    graph = Graph("halves")
    graph.node("Mul", ["x", graph.scalar(0.5)], "y")
    file.write(graph.file([float_value("x", ["batch", 3])], [float_value("y", ["batch", 3])]))
"""
import struct


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
    """An input or output; a size may be a name, of what is only known when it runs."""
    dims = b"".join(text(1, text(2, size) if isinstance(size, str) else number(1, size)) for size in shape)
    return text(1, name) + text(2, text(1, number(1, 1) + text(2, dims)))


class Graph:
    """Nodes and constants are added with inputs that are there already; names are made up."""

    def __init__(self, name):
        self.name, self.nodes, self.constants, self.count = name, b"", b"", 0

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
        """The ONNX file, for values as float_value() makes them."""
        graph = self.nodes + text(2, self.name) + self.constants
        graph += b"".join(text(11, value) for value in inputs) + b"".join(text(12, value) for value in outputs)
        return number(1, 8) + text(2, "sightline") + text(7, graph) + text(8, number(2, 13))
