// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/yaml_document.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include <yaml.h>

#include "core/nearest_word.h"
#include "core/text_file.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() { yaml_parser_delete(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  yaml_parser_t* get() { return &parser_; }

 private:
  yaml_parser_t parser_;
};

std::string at(const std::string& file, const yaml_mark_t& mark) {
  return file + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

std::string contents_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw Error(ErrorCode::kConfig, path.string() + ": is a folder, expected a YAML file.");
  std::optional<std::string> text = read_text_file(path);
  if (!text)
    throw Error(ErrorCode::kNotFound, path.string() + ": no such file, or it cannot be read.");
  return std::move(*text);
}

std::string list_of(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

template <typename T>
std::optional<T> parse_number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

struct YamlValue::Document {
  std::string file;
  fs::path folder;
  yaml_document_t yaml{};
  std::vector<std::string> scalars;  // by node, from 1; empty for other kinds

  ~Document() { yaml_document_delete(&yaml); }

  yaml_node_t* node(int index) const {
    return yaml_document_get_node(const_cast<yaml_document_t*>(&yaml), index);
  }
  void load(Parser& parser);
  void copy_scalars();
};

void YamlValue::Document::load(Parser& parser) {
  if (yaml_parser_load(parser.get(), &yaml) != 0) return;
  const yaml_parser_t& state = *parser.get();
  const bool has_mark = state.error != YAML_READER_ERROR;
  std::string complaint = state.problem == nullptr ? "is no YAML" : state.problem;
  if (state.context != nullptr) complaint += std::string(" ") + state.context;
  throw Error(ErrorCode::kConfig, (has_mark ? at(file, state.problem_mark) : file) +
                                      ": is no YAML: " + complaint + ".");
}

void YamlValue::Document::copy_scalars() {
  scalars.emplace_back();
  for (int i = 1; const yaml_node_t* it = node(i); ++i)
    scalars.push_back(it->type == YAML_SCALAR_NODE
                          ? std::string(reinterpret_cast<const char*>(it->data.scalar.value),
                                        it->data.scalar.length)
                          : std::string());
}

YamlValue YamlValue::read(const fs::path& path) {
  return parse(contents_of(path), path.string(), path.parent_path());
}

YamlValue YamlValue::parse(std::string text, std::string name, fs::path folder) {
  // OpenCV's files, and nvtracker's, begin with a line that is no directive of YAML's.
  if (text.starts_with("%YAML:")) text.front() = '#';
  Parser parser(text);
  auto document = std::make_shared<Document>();
  document->file = std::move(name);
  document->folder = std::move(folder);
  document->load(parser);
  if (yaml_document_get_root_node(&document->yaml) == nullptr)
    throw Error(ErrorCode::kConfig, document->file + ": is empty, expected keys with values.");
  document->copy_scalars();
  Document rest;
  rest.file = document->file;
  rest.load(parser);
  if (const yaml_node_t* second = yaml_document_get_root_node(&rest.yaml))
    throw Error(ErrorCode::kConfig, at(document->file, second->start_mark) +
                                        ": a second document (\"---\") begins, expected one.");
  return {std::move(document), 1, "the file"};
}

std::string YamlValue::where() const {
  return at(document_->file, document_->node(node_)->start_mark);
}

void YamlValue::fail(const std::string& complaint) const {
  throw Error(ErrorCode::kConfig, where() + ": " + key_ + ": " + complaint);
}

const std::string& YamlValue::scalar(const std::string& expected) const {
  const yaml_node_t* node = document_->node(node_);
  if (node->type == YAML_SCALAR_NODE) return document_->scalars[static_cast<std::size_t>(node_)];
  fail("found " + std::string(node->type == YAML_SEQUENCE_NODE ? "a list" : "keys") +
       ", expected " + expected + ".");
}

std::string YamlValue::as_text() const {
  const std::string& text = scalar("a text");
  if (text.empty() || text == "~" || text == "null") fail("has no value, expected a text.");
  if (text.find('\0') != std::string::npos) fail("holds a zero byte, expected a text.");
  return text;
}

std::string YamlValue::as_scalar() const {
  const std::string& text = scalar("a value");
  if (text.find('\0') != std::string::npos) fail("holds a zero byte, expected a text.");
  return text == "~" || text == "null" ? std::string() : text;
}

bool YamlValue::is_list() const { return document_->node(node_)->type == YAML_SEQUENCE_NODE; }

bool YamlValue::is_map() const { return document_->node(node_)->type == YAML_MAPPING_NODE; }

bool YamlValue::as_bool() const {
  const std::string& text = scalar("true or false");
  for (const char* yes : {"true", "yes", "on"})
    if (text == yes) return true;
  for (const char* no : {"false", "no", "off"})
    if (text == no) return false;
  fail("found \"" + text + "\", expected true or false.");
}

int YamlValue::as_int(int minimum, int maximum) const {
  const std::string expected =
      "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum);
  const std::string& text = scalar(expected);
  const auto value = parse_number<int>(text);
  if (!value || *value < minimum || *value > maximum)
    fail("found \"" + text + "\", expected " + expected + ".");
  return *value;
}

double YamlValue::as_number(double minimum, double maximum) const {
  std::ostringstream expected;
  expected << "a number from " << minimum << " to " << maximum;
  const std::string& text = scalar(expected.str());
  const auto value = parse_number<double>(text);
  if (!value || !(*value >= minimum && *value <= maximum))
    fail("found \"" + text + "\", expected " + expected.str() + ".");
  return *value;
}

fs::path YamlValue::as_path() const { return document_->folder / as_text(); }

std::vector<YamlValue> YamlValue::as_list() const {
  const yaml_node_t* node = document_->node(node_);
  if (node->type != YAML_SEQUENCE_NODE) fail("expected a list, whose items begin with \"- \".");
  std::vector<YamlValue> items;
  for (const int* item = node->data.sequence.items.start; item < node->data.sequence.items.top;
       ++item)
    items.push_back({document_, *item, key_});
  return items;
}

YamlMap::YamlMap(const YamlValue& value) : value_(value) {
  const yaml_node_t* node = value.document_->node(value.node_);
  if (node->type != YAML_MAPPING_NODE) value.fail("expected keys with values (\"key: value\").");
  for (const yaml_node_pair_t* pair = node->data.mapping.pairs.start;
       pair < node->data.mapping.pairs.top; ++pair) {
    YamlValue key(value.document_, pair->key, value.key_);
    key.key_ = key.scalar("a word as a key");
    for (const auto& [earlier, ignored] : entries_)
      if (earlier.key_ == key.key_) key.fail("is set already at " + earlier.where() + ".");
    entries_.emplace_back(key, YamlValue(value.document_, pair->value, key.key_));
  }
}

std::optional<YamlValue> YamlMap::find(const std::string& key) {
  asked_.push_back(key);
  for (const auto& [name, value] : entries_)
    if (name.key_ == key) return value;
  return std::nullopt;
}

std::vector<YamlValue> YamlMap::values() const {
  std::vector<YamlValue> values;
  for (const auto& [key, value] : entries_) values.push_back(value);
  return values;
}

void YamlMap::reject_unknown() const {
  for (const auto& [key, value] : entries_) {
    if (std::ranges::find(asked_, key.key_) != asked_.end()) continue;
    const std::string nearest = nearest_word(key.key_, asked_);
    key.fail("no such key. " +
             (nearest.empty() ? "Known: " + list_of(asked_) : "Did you mean " + nearest + "?"));
  }
}

}  // namespace sightline
