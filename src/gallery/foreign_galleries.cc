// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/foreign_galleries.h"

#include <cstring>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/text_stream.h"
#include "gallery/gallery_file.h"
#include "gallery/npy.h"
#include "gallery/npz_exchange.h"
#include "gallery/strict_json.h"
#include "gallery/zip_archive.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Of all embeddings of one file. A list may name the same file of numbers again and again.
constexpr std::size_t kLargestInMemory = std::size_t{4} << 30;

constexpr char kPickled[] =
    "is pickled, and is not read: unpickling runs whatever code a file asks for. If you trust it, "
    "convert it: python3 -c 'import json, pickle, sys; d = pickle.load(open(sys.argv[1], \"rb\")); "
    "json.dump({\"names\": list(d[\"names\"]), \"encodings\": [list(map(float, e)) for e in "
    "d[\"encodings\"]]}, sys.stdout)' FILE > encodings.json";

[[noreturn]] void fail(const fs::path& path, const std::string& complaint) {
  throw Error(ErrorCode::kGallery, path.string() + ": " + complaint);
}

// A file's beginning is not enough: an archive's directory is at its end.
std::string contents_of(const fs::path& path, std::size_t largest, const std::string& advice) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) fail(path, "cannot be read, or is no file.");
  try {
    return TextStream(path).rest(largest, advice);
  } catch (const Error& error) {
    throw Error(ErrorCode::kGallery, error.what());
  }
}

ordered_json json_of(const fs::path& path, const std::string& text) {
  try {
    return parse_strictly_in_order(text);
  } catch (const Error& error) {
    fail(path, std::string("no JSON of such a gallery: ") + error.what());
  }
}

// Collects embeddings by person, in order of their first.
class Collection {
 public:
  Collection(fs::path path, const ModelFingerprint& model)
      : path_(std::move(path)), document_{{model, {}, {}}, {}}, time_(time_now()) {}

  void add(const std::string& name, const std::string& source, std::span<const float> values) {
    const auto dimensions = static_cast<std::size_t>(document_.model->dimensions);
    if (values.size() != dimensions)
      fail(path_, name + ": " + source + " has " + std::to_string(values.size()) +
                      " numbers, the model that was named has " + std::to_string(dimensions) +
                      " dimensions.");
    bytes_ += values.size_bytes();
    if (bytes_ > kLargestInMemory)
      fail(path_, name + ": " + source + ": these are more than " +
                      std::to_string(kLargestInMemory >> 30) +
                      " GiB of embeddings, more than is imported at once. Divide the file.");
    try {
      ExchangedEmbedding embedding;
      embedding.values = to_unit_length(values);
      embedding.source = source;
      embedding.created = time_;
      require_source(source);
      ExchangedPerson& exchanged = person(clean_name(name));
      exchanged.embeddings.push_back(std::move(embedding));
      ++exchanged.person.embeddings;
    } catch (const Error& error) {
      fail(path_, valid_utf8(name) + ": " + error.what());
    }
  }

  GalleryDocument document() && {
    if (document_.persons.empty()) fail(path_, "there is nobody in it.");
    return std::move(document_);
  }

 private:
  ExchangedPerson& person(const std::string& name) {
    const auto [found, is_new] = numbers_.try_emplace(name, document_.persons.size());
    if (is_new) {
      Person person{};
      person.name = name;
      person.created = time_;
      document_.persons.push_back({std::move(person), {}});
    }
    return document_.persons[found->second];
  }

  const fs::path path_;
  GalleryDocument document_;
  std::map<std::string, std::size_t> numbers_;
  std::size_t bytes_ = 0;
  const std::string time_;
};

std::string document_in(const fs::path& path) {
  return contents_of(path, kLargestDocument,
                     "more than is imported at once. Divide it among several files.");
}

// --- gvaidentify

std::vector<float> read_tensor(const fs::path& path) {
  const std::string bytes = contents_of(path, kMaxDimensions * sizeof(float),
                                        "more than any embedding's float32 numbers have.");
  if (bytes.empty() || bytes.size() % sizeof(float) != 0)
    fail(path, "has " + std::to_string(bytes.size()) + " bytes; expected float32 numbers.");
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

void add_features(const fs::path& path, const std::string& name, const ordered_json& features,
                  Collection& collection) {
  if (!features.is_array()) fail(path, name + ": \"features\" is no list of files.");
  for (const ordered_json& feature : features) {
    if (!feature.is_string()) fail(path, name + ": \"features\" has what is no name of a file.");
    const fs::path file = feature.get<std::string>();
    std::error_code ignored;
    const fs::path found = fs::exists(file, ignored) ? file : path.parent_path() / file;
    collection.add(name, file.filename().string(), read_tensor(found));
  }
}

// --- face_recognition

// A list of numbers.
std::vector<float> numbers_of(const fs::path& path, const std::string& name,
                              const ordered_json& list) {
  std::vector<float> numbers;
  for (const ordered_json& value : list) {
    if (!value.is_number()) fail(path, name + ": an encoding has what is no number.");
    numbers.push_back(value.get<float>());
  }
  return numbers;
}

// One encoding, or a list of such.
void add_encodings(const fs::path& path, const std::string& name, const ordered_json& value,
                   Collection& collection) {
  if (!value.is_array() || value.empty())
    fail(path, name + ": expected a list of numbers, or a list of such lists.");
  if (!value.front().is_array())
    return collection.add(name, "encoding 1", numbers_of(path, name, value));
  int number = 0;
  for (const ordered_json& encoding : value) {
    if (!encoding.is_array()) fail(path, name + ": lists and numbers are mixed.");
    collection.add(name, "encoding " + std::to_string(++number), numbers_of(path, name, encoding));
  }
}

void add_json(const fs::path& path, const std::string& text, Collection& collection) {
  const ordered_json root = json_of(path, text);
  if (!root.is_object()) fail(path, "expected an object of names and encodings.");
  const auto names = root.find("names"), encodings = root.find("encodings");
  if (root.size() == 2 && names != root.end() && encodings != root.end()) {
    if (!names->is_array() || !encodings->is_array() || names->size() != encodings->size())
      fail(path, "\"names\" and \"encodings\" are no lists of equal length.");
    for (std::size_t i = 0; i < names->size(); ++i) {
      if (!(*names)[i].is_string()) fail(path, "\"names\" has what is no text.");
      add_encodings(path, (*names)[i].get<std::string>(), (*encodings)[i], collection);
    }
    return;
  }
  for (const auto& [name, value] : root.items()) add_encodings(path, name, value, collection);
}

void add_rows(const std::string& name, const NpyArray& array, Collection& collection) {
  const std::vector<float> values = array.floats();
  if (array.shape().empty() || array.shape().size() > 2)
    throw Error(ErrorCode::kInput, "expected one encoding, or a row for each.");
  const std::size_t columns = array.shape().back();
  for (std::size_t i = 0; columns > 0 && i < values.size() / columns; ++i)
    collection.add(name, "encoding " + std::to_string(i + 1),
                   std::span(values).subspan(i * columns, columns));
}

void add_named_rows(const NpyArray& names, const NpyArray& encodings, Collection& collection) {
  const std::vector<std::string> texts = names.texts();
  const std::vector<float> values = encodings.floats();
  if (encodings.shape().size() != 2 || encodings.shape()[0] != texts.size())
    throw Error(ErrorCode::kInput, "\"encodings\" does not have a row for each of \"names\".");
  const std::size_t columns = encodings.shape()[1];
  for (std::size_t i = 0; i < texts.size(); ++i)
    collection.add(texts[i], "encoding " + std::to_string(i + 1),
                   std::span(values).subspan(i * columns, columns));
}

void add_npz(const fs::path& path, const std::string& bytes, Collection& collection) {
  try {
    const std::map<std::string, std::string> files = read_zip(bytes, kLargestArchive);
    const auto names = files.find("names.npy"), encodings = files.find("encodings.npy");
    if (names != files.end() && encodings != files.end())
      return add_named_rows(NpyArray::read(names->second), NpyArray::read(encodings->second),
                            collection);
    for (const auto& [file, contents] : files) {
      if (!file.ends_with(".npy")) fail(path, file + ": no array.");
      add_rows(file.substr(0, file.size() - 4), NpyArray::read(contents), collection);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kGallery) throw;
    fail(path, error.what());
  }
}

bool is_pickled(const std::string& bytes) { return bytes.starts_with('\x80'); }

}  // namespace

GalleryDocument from_gvaidentify(const fs::path& path, const ModelFingerprint& model) {
  const ordered_json root = json_of(path, document_in(path));
  Collection collection(path, model);
  for (const auto& [key, value] : root.items()) {
    const bool named_by_key = root.is_object();
    if (!value.is_object() || !value.contains("features") ||
        (!named_by_key && !(value.contains("name") && value["name"].is_string())))
      fail(path, key + R"(: expected {"features": ["file"]}, in a list with a "name" as well.)");
    add_features(path, named_by_key ? key : value["name"].get<std::string>(), value["features"],
                 collection);
  }
  return std::move(collection).document();
}

GalleryDocument from_face_recognition(const fs::path& path, const ModelFingerprint& model) {
  const std::string bytes = document_in(path);
  if (is_pickled(bytes)) fail(path, kPickled);
  Collection collection(path, model);
  if (is_npz(bytes))
    add_npz(path, bytes, collection);
  else
    add_json(path, bytes, collection);
  return std::move(collection).document();
}

}  // namespace sightline
