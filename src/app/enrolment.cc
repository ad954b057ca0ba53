// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment.h"

#include <utility>

#include "app/thumbnail.h"

namespace sightline {

namespace {

Person person_named(Gallery& gallery, const std::string& name) {
  const std::vector<Person> found = gallery.find_by_name(name);
  return found.empty() ? gallery.add_person(name) : found.front();
}

// How many the person had before.
long add(Gallery& gallery, const std::string& name, const std::vector<FaceView>& views) {
  const Person person = person_named(gallery, name);
  for (const FaceView& view : views) {
    const std::int64_t embedding =
        gallery.add_embedding(person.id, view.embedding, view.source, view.thumbnail);
    if (!view.crop.picture.empty()) gallery.set_crop(embedding, view.crop);
  }
  return person.embeddings;
}

}  // namespace

FaceView view_of(const Face& face, GstSample* picture, std::string source) {
  return {std::move(source), face.embedding, thumbnail(picture, face.box),
          face_crop(picture, face)};
}

long store_views(const std::string& location, const std::string& name,
                 const std::vector<FaceView>& views, const ModelFingerprint& model) {
  const auto gallery = Gallery::open(location, Gallery::Mode::kCreate);
  gallery->begin();
  gallery->require_model(model);
  const long before = add(*gallery, name, views);
  gallery->commit();
  return before + static_cast<long>(views.size());
}

void store_views(const std::string& location, const std::vector<PersonViews>& persons,
                 const ModelFingerprint& model) {
  const auto gallery = Gallery::open(location, Gallery::Mode::kCreate);
  gallery->begin();
  gallery->require_model(model);
  for (const PersonViews& person : persons) add(*gallery, person.name, person.views);
  gallery->commit();
}

}  // namespace sightline
