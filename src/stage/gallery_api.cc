// SPDX-License-Identifier: LGPL-2.1-or-later
//
// include/sightline/gallery.h: asking a gallery from somebody's own code.

#include <atomic>
#include <memory>
#include <span>

#include "gallery/gallery.h"
#include "meta/error.h"
#include "meta/tensor.h"
#include "sightline/gallery.h"
#include "stage/identity.h"

struct _SightGallery {
  std::unique_ptr<sightline::Matcher> matcher;
  std::atomic<int> references{1};
};

G_DEFINE_BOXED_TYPE(SightGallery, sight_gallery, sight_gallery_ref, sight_gallery_unref)

namespace sightline {
namespace {

// Somebody's own tensor is an input here, whatever is wrong with it.
std::span<const float> embedding_of(const SightTensor* tensor) {
  try {
    return unwrap(tensor).floats();
  } catch (const Error& error) {
    throw Error(ErrorCode::kInput, error.what());
  }
}

}  // namespace
}  // namespace sightline

SightGallery* sight_gallery_open(const char* path, gfloat threshold, gfloat margin,
                                 GError** error) {
  using namespace sightline;
  g_return_val_if_fail(path != nullptr, nullptr);
  return catch_gerror(error, [&] {
    auto gallery = std::make_unique<SightGallery>();
    DecisionRule rule;
    if (threshold != -1) rule.threshold = threshold;
    rule.margin = margin;
    gallery->matcher = Matcher::open(path, rule);
    return gallery.release();
  });
}

SightGallery* sight_gallery_ref(SightGallery* gallery) {
  g_return_val_if_fail(gallery != nullptr, nullptr);
  gallery->references.fetch_add(1, std::memory_order_relaxed);
  return gallery;
}

void sight_gallery_unref(SightGallery* gallery) {
  g_return_if_fail(gallery != nullptr);
  if (gallery->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete gallery;
}

guint sight_gallery_get_n_persons(SightGallery* gallery) {
  g_return_val_if_fail(gallery != nullptr, 0);
  return static_cast<guint>(gallery->matcher->person_count());
}

SightIdentity* sight_gallery_identify(SightGallery* gallery, SightTensor* embedding,
                                      GError** error) {
  using namespace sightline;
  g_return_val_if_fail(gallery != nullptr && embedding != nullptr, nullptr);
  return catch_gerror(
      error, [&] { return make_identity(gallery->matcher->decide(embedding_of(embedding))); });
}
