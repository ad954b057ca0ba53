// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment.h"

namespace sightline {

namespace {

Person person_named(Gallery& gallery, const std::string& name) {
  const std::vector<Person> found = gallery.find_by_name(name);
  return found.empty() ? gallery.add_person(name) : found.front();
}

}  // namespace

long store_views(const std::filesystem::path& path, const std::string& name,
                 const std::vector<FaceView>& views, const ModelFingerprint& model) {
  const auto gallery = Gallery::open(path, Gallery::Mode::kCreate);
  gallery->begin();
  gallery->require_model(model);
  const Person person = person_named(*gallery, name);
  for (const FaceView& view : views)
    gallery->add_embedding(person.id, view.embedding, view.source, view.thumbnail);
  gallery->commit();
  return person.embeddings + static_cast<long>(views.size());
}

}  // namespace sightline
