// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tfjs_graph.h"

#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "engine/model_file.h"

namespace sightline {

namespace {

using nlohmann::json;

// Numbers are written as text: Protocol Buffers' JSON does that with 64 bits.
std::vector<std::int64_t> numbers(const json& attributes, const char* name) {
  std::vector<std::int64_t> values;
  if (!attributes.contains(name)) return values;
  for (const json& value : attributes.at(name).at("list").at("i"))
    values.push_back(value.is_string() ? std::stoll(value.get<std::string>())
                                       : value.get<std::int64_t>());
  return values;
}

// A list of bytes.
std::string text(const json& attributes, const char* name) {
  std::string bytes;
  if (!attributes.contains(name)) return bytes;
  for (const json& byte : attributes.at(name).at("s"))
    bytes += static_cast<char>(byte.get<unsigned char>());
  return bytes;
}

TfjsGraph::Node node_from(const json& entry) {
  TfjsGraph::Node node;
  node.name = entry.at("name");
  node.op = entry.at("op");
  node.inputs = entry.value("input", std::vector<std::string>());
  const json attributes = entry.value("attr", json::object());
  node.strides = numbers(attributes, "strides");
  node.dilations = numbers(attributes, "dilations");
  node.padding = text(attributes, "padding");
  node.data_format = text(attributes, "data_format");
  if (attributes.contains("epsilon")) node.epsilon = attributes.at("epsilon").at("f");
  return node;
}

}  // namespace

TfjsGraph TfjsGraph::read(const std::filesystem::path& model) {
  TfjsGraph graph;
  graph.name_ = model.string();
  const auto reject = [&](const std::exception& error) {
    throw Error(ErrorCode::kModel,
                graph.name_ + ": is no graph model of TensorFlow.js: " + error.what());
  };
  const std::string bytes = ModelFile::read(model).bytes;
  try {
    const json document = json::parse(bytes);
    for (const json& entry : document.at("modelTopology").at("node")) {
      Node node = node_from(entry);
      graph.nodes_.insert_or_assign(node.name, std::move(node));
    }
  } catch (const json::exception& error) {
    reject(error);
  } catch (const std::logic_error& error) {  // of std::stoll
    reject(error);
  }
  for (const auto& [name, node] : graph.nodes_)
    for (const std::string& input : node.inputs)
      if (const auto found = graph.nodes_.find(input); found != graph.nodes_.end())
        ++found->second.readers;
  return graph;
}

const TfjsGraph::Node& TfjsGraph::get(const std::string& name) const {
  const auto found = nodes_.find(name);
  if (found == nodes_.end())
    throw Error(ErrorCode::kModel, name_ + ": has no \"" + name + "\" among its " +
                                       std::to_string(nodes_.size()) +
                                       " nodes: is it another network?");
  return found->second;
}

void TfjsGraph::fail(const Node& node, const std::string& what) const {
  throw Error(ErrorCode::kModel, name_ + ": \"" + node.name + "\" (" + node.op + "): " + what);
}

}  // namespace sightline
