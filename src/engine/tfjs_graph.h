// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The graph of a TensorFlow.js graph model: what `modelTopology` of its `model.json` says, as far
// as the converters need it.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sightline {

class TfjsGraph {
 public:
  struct Node {
    std::string name, op;
    std::vector<std::string> inputs;    // names of nodes
    std::vector<std::int64_t> strides;  // [batch, rows, columns, channels]; empty: none stated
    std::vector<std::int64_t> dilations;
    std::string padding, data_format;  // empty: not stated
    double epsilon = 0;
    int readers = 0;  // how many inputs of other nodes it is
  };

  // Throws Error(kNotFound): no such file; Error(kModel): no graph model.
  static TfjsGraph read(const std::filesystem::path& model);

  // Throws Error(kModel) that names it.
  const Node& get(const std::string& name) const;
  bool has(const std::string& name) const { return nodes_.contains(name); }

  // Throws Error(kModel): the file, the node with its operator, and what is wrong.
  [[noreturn]] void fail(const Node& node, const std::string& what) const;

 private:
  std::string name_;
  std::map<std::string, Node> nodes_;
};

}  // namespace sightline
