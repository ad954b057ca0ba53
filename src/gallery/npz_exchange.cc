// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/npz_exchange.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "gallery/gallery_file.h"
#include "gallery/npy.h"
#include "gallery/zip_archive.h"

namespace sightline {
namespace {

[[noreturn]] void fail(const std::string& complaint) {
  throw Error(ErrorCode::kGallery, "not a gallery in .npz: " + complaint);
}

// The arrays of a file, by name.
class Arrays {
 public:
  explicit Arrays(std::string_view bytes) {
    try {
      files_ = read_zip(bytes, kLargestArchive);
    } catch (const Error& error) {
      fail(error.what());
    }
  }

  bool has(const std::string& name) const { return files_.contains(name + ".npy"); }

  // What `take` makes of an array, with its name in front of complaints.
  template <typename Take>
  auto get(const std::string& name, Take take) const {
    const auto found = files_.find(name + ".npy");
    if (found == files_.end()) fail("there is no array \"" + name + "\".");
    try {
      return take(NpyArray::read(found->second));
    } catch (const Error& error) {
      fail("\"" + name + "\": " + error.what());
    }
  }

  std::vector<std::string> texts(const std::string& name) const {
    return get(name, [](const NpyArray& array) { return array.texts(); });
  }

 private:
  std::map<std::string, std::string> files_;
};

ModelFingerprint model_of(const Arrays& arrays, std::size_t columns) {
  const std::vector<std::string> model = arrays.texts("model");
  if (model.size() != 2)
    fail("\"model\" has " + std::to_string(model.size()) + " texts; expected its id and its name.");
  ModelFingerprint fingerprint{model[0], model[1], static_cast<int>(columns)};
  try {
    require_plausible(fingerprint);
  } catch (const Error& error) {
    fail(std::string("\"model\": ") + error.what());
  }
  return fingerprint;
}

std::vector<ExchangedPerson> persons_of(const Arrays& arrays) {
  const std::vector<std::string> names = arrays.texts("names"), created = arrays.texts("created");
  if (names.size() != created.size())
    fail("\"names\" has " + std::to_string(names.size()) + " texts, \"created\" has " +
         std::to_string(created.size()) + ".");
  std::vector<ExchangedPerson> persons;
  std::set<std::string> unique;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string where = "person " + std::to_string(i) + ": ";
    Person person{};
    try {
      person.name = clean_name(names[i]);
    } catch (const Error& error) {
      fail(where + error.what());
    }
    if (!unique.insert(person.name).second) fail(where + "\"" + person.name + "\" is there twice.");
    if (!is_time(created[i])) fail(where + "expected a time like 2026-01-31T23:59:59Z.");
    person.created = created[i];
    persons.push_back({std::move(person), {}});
  }
  return persons;
}

struct Rows {
  std::vector<float> values;
  std::size_t count = 0, columns = 0;
};

Rows rows_of(const Arrays& arrays) {
  return arrays.get("embeddings", [](const NpyArray& array) {
    if (array.shape().size() != 2)
      throw Error(ErrorCode::kInput,
                  "expected a row for each embedding, and as many columns as the "
                  "model has dimensions.");
    if (array.shape()[1] > kMaxDimensions)
      throw Error(ErrorCode::kInput, "it has " + std::to_string(array.shape()[1]) +
                                         " columns; expected the dimensions of a model, at most " +
                                         std::to_string(kMaxDimensions) + ".");
    return Rows{array.floats(), array.shape()[0], array.shape()[1]};
  });
}

void require_count(const char* name, std::size_t count, std::size_t expected) {
  if (count == expected) return;
  fail("\"" + std::string(name) + "\" has " + std::to_string(count) + " elements, there are " +
       std::to_string(expected) + " embeddings.");
}

// Of a gallery that has no model yet, and so no embeddings, is everything else.
void require_no_rows(const Arrays& arrays) {
  const bool is_empty = !arrays.has("model") && arrays.has("person") &&
                        arrays.get("person", [](const NpyArray& array) {
                          return array.shape().size() == 1 && array.shape()[0] == 0;
                        });
  if (!is_empty)
    fail(
        "there is no array \"embeddings\". Expected float32, a row for each picture; only an "
        "export of a gallery without pictures and model has none, and its \"person\" is empty.");
}

StoredEmbedding embedding_of(std::span<const float> row, const std::string& source,
                             const std::string& added, std::size_t number) {
  StoredEmbedding embedding;
  try {
    embedding.values = to_unit_length(row);
    require_source(source);
  } catch (const Error& error) {
    fail("embedding " + std::to_string(number) + ": " + error.what());
  }
  if (!is_time(added))
    fail("embedding " + std::to_string(number) + ": expected a time like 2026-01-31T23:59:59Z.");
  embedding.source = source;
  embedding.created = added;
  return embedding;
}

}  // namespace

std::string to_npz(GalleryContents& contents) {
  std::vector<std::string> names, ids, created, sources, added;
  std::vector<std::int64_t> owners;
  std::vector<float> values;
  for (ExchangedRow row; contents.next(row);) {
    if (names.empty() || names.back() != row.person.name) {
      names.push_back(row.person.name);
      ids.push_back(row.person.id);
      created.push_back(row.person.created);
    }
    if (!row.embedding) continue;
    owners.push_back(static_cast<std::int64_t>(names.size() - 1));
    values.insert(values.end(), row.embedding->values.begin(), row.embedding->values.end());
    sources.push_back(std::move(row.embedding->source));
    added.push_back(std::move(row.embedding->created));
  }
  const std::optional<ModelFingerprint>& model = contents.head().model;
  ZipWriter zip;
  const auto add = [&](const std::string& name, const auto&... array) {
    zip.add(name + ".npy", NpyArray::write(array...));
  };
  if (model) {
    add("model", std::vector{model->id, model->name});
    add("embeddings", values, owners.size(), static_cast<std::size_t>(model->dimensions));
  }
  add("person", owners);
  add("source", sources);
  add("added", added);
  add("names", names);
  add("ids", ids);
  add("created", created);
  return std::move(zip).finish();
}

GalleryDocument from_npz(std::string_view bytes) {
  const Arrays arrays(bytes);
  GalleryDocument document{{}, persons_of(arrays)};
  if (!arrays.has("embeddings")) {
    require_no_rows(arrays);
    return document;
  }
  const Rows rows = rows_of(arrays);
  document.model = model_of(arrays, rows.columns);
  const auto owners = arrays.get("person", [](const NpyArray& array) { return array.integers(); });
  const std::vector<std::string> sources = arrays.texts("source"), added = arrays.texts("added");
  require_count("person", owners.size(), rows.count);
  require_count("source", sources.size(), rows.count);
  require_count("added", added.size(), rows.count);
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (owners[i] < 0 || static_cast<std::size_t>(owners[i]) >= document.persons.size())
      fail("embedding " + std::to_string(i) + " is of person " + std::to_string(owners[i]) +
           ", and \"names\" has " + std::to_string(document.persons.size()) + ".");
    ExchangedPerson& exchanged = document.persons[static_cast<std::size_t>(owners[i])];
    const auto row = std::span(rows.values).subspan(i * rows.columns, rows.columns);
    exchanged.embeddings.push_back({embedding_of(row, sources[i], added[i], i), {}});
    ++exchanged.person.embeddings;
  }
  return document;
}

bool is_npz(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

}  // namespace sightline
