// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/exchange.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <glib.h>
#include <nlohmann/json.hpp>

#include "gallery/gallery_file.h"
#include "gallery/strict_json.h"

namespace sightline {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "sightline-gallery";
constexpr int kVersion = 1;

std::string to_base64(const std::vector<std::uint8_t>& bytes) {
  const std::unique_ptr<char, decltype(&g_free)> text(g_base64_encode(bytes.data(), bytes.size()),
                                                      g_free);
  return text.get();
}

// A place in the document, for complaints: "persons[3].embeddings[0].values".
class Place {
 public:
  Place(const json& value, std::string name) : value_(value), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& complaint) const {
    throw Error(ErrorCode::kGallery,
                "not a gallery document: " + (name_.empty() ? "" : name_ + ": ") + complaint);
  }

  const json& value() const { return value_; }

  // An object with no other members than these.
  void require_object(std::initializer_list<std::string_view> members) const {
    if (!value_.is_object()) fail(std::string("expected an object, found ") + value_.type_name());
    for (const auto& [key, ignored] : value_.items()) {
      if (std::find(members.begin(), members.end(), key) != members.end()) continue;
      std::string known;
      for (const std::string_view member : members)
        known += (known.empty() ? "" : ", ") + std::string(member);
      fail("unknown member \"" + key + "\". Known: " + known);
    }
  }

  bool has(const char* member) const { return value_.contains(member); }

  Place at(const char* member) const {
    if (!has(member)) fail(std::string("\"") + member + "\" is missing");
    return {value_.at(member), name_.empty() ? member : name_ + "." + member};
  }

  std::vector<Place> items() const {
    if (!value_.is_array()) fail(std::string("expected an array, found ") + value_.type_name());
    std::vector<Place> items;
    for (std::size_t i = 0; i < value_.size(); ++i)
      items.emplace_back(value_[i], name_ + "[" + std::to_string(i) + "]");
    return items;
  }

  std::string text() const {
    if (!value_.is_string()) fail(std::string("expected a string, found ") + value_.type_name());
    return value_.get<std::string>();
  }

  double number() const {
    if (!value_.is_number()) fail("expected a number, found " + found());
    return value_.get<double>();
  }

  float single(float minimum, float maximum) const {
    const double value = number();
    if (!(value >= minimum && value <= maximum))
      fail("expected a number from " + json(minimum).dump() + " to " + json(maximum).dump() +
           ", found " + found());
    return static_cast<float>(value);
  }

  std::vector<std::uint8_t> base64() const {
    const std::string encoded = text();
    gsize length = 0;
    const std::unique_ptr<guchar, decltype(&g_free)> bytes(
        g_base64_decode(encoded.c_str(), &length), g_free);
    std::vector<std::uint8_t> decoded(bytes.get(), bytes.get() + length);
    // GLib skips what is not base64, so only text that comes back equal was some.
    if (to_base64(decoded) != encoded) fail("expected base64 on one line");
    return decoded;
  }

  int integer(int minimum, int maximum) const {
    const std::string expected =
        "expected an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum);
    const std::optional<std::int64_t> number = whole_number();
    if (!number || *number < minimum || *number > maximum) fail(expected + ", found " + found());
    return static_cast<int>(*number);
  }

  // Of a format that this program writes, too.
  void require_version(int known) const {
    const std::optional<std::int64_t> number = whole_number();
    if (number && *number > known)
      fail("was written by a newer Sightline (version " + found() + ", this one knows up to " +
           std::to_string(known) + "). Update Sightline");
    integer(1, known);
  }

 private:
  // Nothing if it is none. Above 2^63 the unsigned value would turn negative.
  std::optional<std::int64_t> whole_number() const {
    if (!value_.is_number_integer()) return std::nullopt;
    if (value_.is_number_unsigned() && value_.get<std::uint64_t>() > INT64_MAX) return INT64_MAX;
    return value_.get<std::int64_t>();
  }

  std::string found() const { return value_.is_number() ? value_.dump() : value_.type_name(); }

  const json& value_;
  std::string name_;
};

// Runs a check that complains without knowing where.
template <typename Check>
auto checked(const Place& place, Check check) {
  try {
    return check();
  } catch (const Error& error) {
    place.fail(error.what());
  }
}

std::string read_time(const Place& place) {
  std::string text = place.text();
  if (!is_time(text)) place.fail("expected a time like 2026-01-31T23:59:59Z, of a day there is");
  return text;
}

std::vector<float> read_vector(const Place& place, int dimensions) {
  if (!place.value().is_array() || place.value().size() != static_cast<std::size_t>(dimensions))
    place.fail("expected an array of " + std::to_string(dimensions) + " numbers, as the model's");
  std::vector<float> values;
  values.reserve(place.value().size());
  for (const json& value : place.value()) {
    if (!value.is_number()) place.fail(std::string("expected numbers, found ") + value.type_name());
    const auto number = value.get<double>();
    if (std::abs(number) > std::numeric_limits<float>::max()) place.fail("too large a number");
    values.push_back(static_cast<float>(number));
  }
  return checked(place, [&] { return to_unit_length(values); });
}

Point read_point(const Place& place) {
  const std::vector<Place> numbers = place.items();
  if (numbers.size() != 2) place.fail("expected x and y");
  constexpr float kFurthest = 1e6f;  // pixels; a crop has a thousand or so
  return {numbers[0].single(-kFurthest, kFurthest), numbers[1].single(-kFurthest, kFurthest)};
}

FaceCrop read_crop(const Place& place) {
  place.require_object({"picture", "landmarks"});
  FaceCrop crop{place.at("picture").base64(), {}};
  for (const Place& point : place.at("landmarks").items())
    crop.landmarks.push_back(read_point(point));
  checked(place, [&] { require_crop(crop); });
  return crop;
}

void read_pictures(const Place& place, ExchangedEmbedding& embedding) {
  if (place.has("thumbnail")) {
    const Place thumbnail = place.at("thumbnail");
    embedding.thumbnail = thumbnail.base64();
    checked(thumbnail, [&] { require_thumbnail(embedding.thumbnail); });
  }
  if (place.has("crop")) embedding.crop = read_crop(place.at("crop"));
}

// Similarities are cosines.
OwnRule read_rule(const Place& place) {
  OwnRule rule;
  if (place.has("threshold")) rule.threshold = place.at("threshold").single(-1, 1);
  if (place.has("margin")) rule.margin = place.at("margin").single(0, 2);
  return rule;
}

// Of the gallery; a person has none.
Compare read_compare(const Place& place) {
  const std::string text = place.text();
  const std::optional<Compare> compare = compare_from(text);
  if (!compare) place.fail("expected \"best\" or \"mean\", found \"" + text + "\"");
  return *compare;
}

Calibration read_calibration(const Place& place) {
  place.require_object({"slope", "offset"});
  return {place.at("slope").number(), place.at("offset").number()};
}

ExchangedEmbedding read_embedding(const Place& place, int dimensions) {
  place.require_object({"values", "source", "created", "thumbnail", "crop"});
  ExchangedEmbedding embedding;
  embedding.values = read_vector(place.at("values"), dimensions);
  embedding.source = place.at("source").text();
  checked(place.at("source"), [&] { require_source(embedding.source); });
  embedding.created = read_time(place.at("created"));
  read_pictures(place, embedding);
  return embedding;
}

std::string read_name(const Place& place) {
  const std::string name = place.text();
  return checked(place, [&] { return clean_name(name); });
}

ExchangedPerson read_person(const Place& place, int dimensions) {
  place.require_object({"id", "name", "created", "threshold", "margin", "embeddings"});
  ExchangedPerson exchanged;
  exchanged.person.name = read_name(place.at("name"));
  exchanged.person.created = read_time(place.at("created"));
  exchanged.person.rule = read_rule(place);
  if (place.has("id")) exchanged.person.id = place.at("id").text();
  for (const Place& item : place.at("embeddings").items())
    exchanged.embeddings.push_back(read_embedding(item, dimensions));
  exchanged.person.embeddings = static_cast<int>(exchanged.embeddings.size());
  return exchanged;
}

ModelFingerprint read_model(const Place& place) {
  place.require_object({"id", "name", "dimensions"});
  ModelFingerprint model{place.at("id").text(), place.at("name").text(),
                         place.at("dimensions").integer(1, kMaxDimensions)};
  checked(place, [&] { require_plausible(model); });
  return model;
}

// What a document begins with: format, version, and what holds for the whole gallery.
GalleryHead read_head(const Place& place, const std::string& format) {
  if (place.at("format").text() != format) place.at("format").fail("expected \"" + format + "\"");
  place.at("version").require_version(kVersion);
  GalleryHead head;
  if (place.has("model")) head.model = read_model(place.at("model"));
  head.rule = read_rule(place);
  if (place.has("compare")) head.rule.compare = read_compare(place.at("compare"));
  if (place.has("calibration")) head.calibration = read_calibration(place.at("calibration"));
  return head;
}

void add_rule(json& object, const OwnRule& rule) {
  if (rule.threshold) object["threshold"] = *rule.threshold;
  if (rule.margin) object["margin"] = *rule.margin;
}

json to_json(const GalleryHead& head, const char* format) {
  json object = {{"format", format}, {"version", kVersion}};
  if (head.model)
    object["model"] = {
        {"id", head.model->id}, {"name", head.model->name}, {"dimensions", head.model->dimensions}};
  add_rule(object, head.rule);
  if (head.rule.compare) object["compare"] = name_of(*head.rule.compare);
  if (head.calibration)
    object["calibration"] = {{"slope", head.calibration->slope},
                             {"offset", head.calibration->offset}};
  return object;
}

void add_pictures(json& object, const ExchangedEmbedding& embedding) {
  if (!embedding.thumbnail.empty()) object["thumbnail"] = to_base64(embedding.thumbnail);
  if (embedding.crop.picture.empty()) return;
  json landmarks = json::array();
  for (const Point& point : embedding.crop.landmarks)
    landmarks.push_back(json::array({point.x, point.y}));
  object["crop"] = {{"picture", to_base64(embedding.crop.picture)},
                    {"landmarks", std::move(landmarks)}};
}

json to_json(const ExchangedEmbedding& embedding) {
  json object = {
      {"values", embedding.values}, {"source", embedding.source}, {"created", embedding.created}};
  add_pictures(object, embedding);
  return object;
}

json to_json(const ExchangedPerson& exchanged) {
  json embeddings = json::array();
  for (const ExchangedEmbedding& embedding : exchanged.embeddings)
    embeddings.push_back(to_json(embedding));
  json object = {{"id", exchanged.person.id},
                 {"name", exchanged.person.name},
                 {"created", exchanged.person.created},
                 {"embeddings", std::move(embeddings)}};
  add_rule(object, exchanged.person.rule);
  return object;
}

}  // namespace

std::string to_json(const GalleryDocument& document) {
  json root = to_json(document, kFormat);
  root["persons"] = json::array();
  for (const ExchangedPerson& exchanged : document.persons)
    root["persons"].push_back(to_json(exchanged));
  // A damaged file may hold text that is no UTF-8.
  return root.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

GalleryDocument from_json(const std::string& text) {
  json root;
  try {
    root = parse_strictly(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::kGallery, std::string("not a gallery document: ") + error.what());
  }
  const Place place(root, "");
  place.require_object(
      {"format", "version", "model", "threshold", "margin", "compare", "calibration", "persons"});
  GalleryDocument document{read_head(place, kFormat), {}};
  std::set<std::string> names;
  for (const Place& item : place.at("persons").items()) {
    document.persons.push_back(read_person(item, document.model ? document.model->dimensions : 0));
    const ExchangedPerson& exchanged = document.persons.back();
    if (!document.model && !exchanged.embeddings.empty())
      place.fail("embeddings need a \"model\" that made them");
    if (!names.insert(exchanged.person.name).second)
      item.fail("\"" + exchanged.person.name + "\" is there twice");
  }
  return document;
}

namespace {

constexpr char kLinesFormat[] = "sightline-gallery-lines";

std::string one_line(const json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<float> read_base64_vector(const Place& place, int dimensions) {
  const std::vector<std::uint8_t> bytes = place.base64();
  if (bytes.size() != static_cast<std::size_t>(dimensions) * sizeof(float))
    place.fail("expected base64 of " + std::to_string(dimensions) +
               " float32 numbers, little endian, as the model's");
  std::vector<float> values(static_cast<std::size_t>(dimensions));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return checked(place, [&] { return to_unit_length(values); });
}

json parsed_line(const std::string& line, long number) {
  try {
    return parse_strictly(line);
  } catch (const Error& error) {
    throw Error(ErrorCode::kGallery,
                "not a gallery: line " + std::to_string(number) + ": " + error.what());
  }
}

class JsonLines final : public GalleryContents {
 public:
  JsonLines(std::function<bool(std::string&)> next_line, std::string name)
      : next_line_(std::move(next_line)), name_(std::move(name)) {
    const bool is_there = take_line();
    named([&] {
      if (!is_there) throw Error(ErrorCode::kGallery, "not a gallery: there are no lines");
      const json line = parsed_line(line_, number_);
      const Place place(line, "line 1");
      place.require_object(
          {"format", "version", "model", "threshold", "margin", "compare", "calibration"});
      head_ = read_head(place, kLinesFormat);
    });
  }

  const GalleryHead& head() const override { return head_; }

  bool next(ExchangedRow& row) override {
    do {
      if (!take_line()) return false;
    } while (line_.empty());
    named([&] {
      const json line = parsed_line(line_, number_);
      read(Place(line, "line " + std::to_string(number_)), row);
    });
    return true;
  }

 private:
  bool take_line() {
    ++number_;
    return next_line_(line_);
  }

  template <typename Read>
  void named(Read read) const {
    try {
      read();
    } catch (const Error& error) {
      throw Error(error.code(), (name_.empty() ? "" : name_ + ": ") + error.what());
    }
  }

  void read(const Place& place, ExchangedRow& row) {
    place.require_object({"person", "id", "created", "threshold", "margin", "embedding", "source",
                          "added", "thumbnail", "crop"});
    row = {};
    row.person.name = read_name(place.at("person"));
    if (names_.insert(row.person.name).second) {
      row.person.created = read_time(place.at("created"));
      row.person.rule = read_rule(place);
      if (place.has("id")) row.person.id = place.at("id").text();
    }
    if (!place.has("embedding")) return;
    if (!head_.model) place.fail("an embedding needs a \"model\" in the first line");
    ExchangedEmbedding& embedding = row.embedding.emplace();
    embedding.values = read_base64_vector(place.at("embedding"), head_.model->dimensions);
    embedding.source = place.at("source").text();
    checked(place.at("source"), [&] { require_source(embedding.source); });
    embedding.created = read_time(place.at("added"));
    read_pictures(place, embedding);
  }

  const std::function<bool(std::string&)> next_line_;
  const std::string name_;
  std::string line_;
  long number_ = 0;
  GalleryHead head_;
  std::set<std::string> names_;  // of those who were there
};

}  // namespace

void write_json_lines(GalleryContents& contents,
                      const std::function<void(std::string_view)>& write) {
  write(one_line(to_json(contents.head(), kLinesFormat)));
  for (ExchangedRow row; contents.next(row);) {
    json line = {
        {"person", row.person.name}, {"id", row.person.id}, {"created", row.person.created}};
    add_rule(line, row.person.rule);
    if (row.embedding) {
      line["embedding"] = to_base64(encode_vector(row.embedding->values));
      line["source"] = row.embedding->source;
      line["added"] = row.embedding->created;
      add_pictures(line, *row.embedding);
    }
    write(one_line(line));
  }
}

std::unique_ptr<GalleryContents> read_json_lines(std::function<bool(std::string&)> next_line,
                                                 std::string name) {
  return std::make_unique<JsonLines>(std::move(next_line), std::move(name));
}

bool is_json_lines(std::string_view beginning) {
  return beginning.substr(0, beginning.find('\n')).find(kLinesFormat) != std::string_view::npos;
}

}  // namespace sightline
