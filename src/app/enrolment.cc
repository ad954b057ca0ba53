// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment.h"

#include <algorithm>
#include <set>
#include <utility>

#include "app/known_faces.h"
#include "app/thumbnail.h"
#include "gallery/person_views.h"

namespace sightline {

namespace {

Person person_named(Gallery& gallery, const std::string& name) {
  const std::vector<Person> found = gallery.find_by_name(name);
  return found.empty() ? gallery.add_person(name) : found.front();
}

// What a person had before something was added.
class Before {
 public:
  explicit Before(std::vector<StoredEmbedding>&& embeddings) : embeddings_(std::move(embeddings)) {
    for (const StoredEmbedding& embedding : embeddings_)
      if (std::string hash = hash_in(embedding.source); !hash.empty())
        hashes_.insert(std::move(hash));
  }

  bool has(const FaceView& view) const {
    if (hashes_.contains(hash_in(view.source))) return true;
    const Embedding unit = to_unit_length(view.embedding);
    return std::ranges::any_of(embeddings_, [&](const StoredEmbedding& embedding) {
      return embedding.source == view.source && similarity(embedding.values, unit) > kSameView;
    });
  }

 private:
  // What rounding leaves of 1.
  static constexpr float kSameView = 1 - 1e-6f;

  std::vector<StoredEmbedding> embeddings_;
  std::set<std::string> hashes_;
};

}  // namespace

FaceView view_of(const Face& face, GstSample* picture, std::string source) {
  return {std::move(source), face.embedding, thumbnail(picture, face.box),
          face_crop(picture, face)};
}

std::vector<std::size_t> store_views(const std::string& location,
                                     const std::vector<PersonViews>& persons,
                                     const ModelFingerprint& model) {
  const auto gallery = Gallery::open(location, Gallery::Mode::kCreate);
  std::vector<std::size_t> known;
  std::size_t count = 0;
  gallery->begin();
  gallery->require_model(model);
  for (const PersonViews& views_of_person : persons) {
    const Person person = person_named(*gallery, views_of_person.name);
    const Before before(gallery->embeddings(person.id));
    for (const FaceView& view : views_of_person.views) {
      const std::size_t number = count++;
      if (before.has(view)) {
        known.push_back(number);
        continue;
      }
      const std::int64_t embedding =
          gallery->add_embedding(person.id, view.embedding, view.source, view.thumbnail);
      if (!view.crop.picture.empty()) gallery->set_crop(embedding, view.crop);
    }
  }
  gallery->commit();
  return known;
}

long pictures_of(const std::string& gallery, const std::string& name) {
  const auto found = Gallery::open(gallery, Gallery::Mode::kReadOnly)->find_by_name(name);
  return found.empty() ? 0 : found.front().embeddings;
}

}  // namespace sightline
