// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What an object of the C API is made of.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/edit_token.h"
#include "meta/error.h"
#include "meta/handles.h"
#include "meta/refcount.h"
#include "meta/text.h"
#include "meta/user_data.h"

struct _SightObject : sightline::RefCounted<_SightObject> {
  sightline::EditTokenPtr token;
  guint64 revision = 0;  // grows with each change, so that a mirror sees that it is out of date

  guint64 id = 0;
  guint64 parent = 0;
  gint class_id = -1;
  sightline::Text label;
  float confidence = 0;
  SightBox box{};
  std::vector<SightPoint> landmarks;
  std::vector<float> landmark_confidences;  // one a landmark, or none
  std::vector<SightPoint> corners;          // four, or none
  sightline::TensorHandle mask;
  SightBox mask_area{};  // of the frame
  std::optional<guint64> track;
  guint stage_id = 0;
  sightline::IdentityHandle identity;
  std::vector<sightline::ClassificationHandle> classifications;
  std::vector<sightline::TensorHandle> tensors;
  sightline::UserData user_data;
};

namespace sightline {

// A new object with an id of its own. Throws Error(kInput): a number that is not finite, a negative
// size, a label that is not UTF-8.
ObjectHandle make_object(EditTokenPtr token, const char* label, gint class_id, float confidence,
                         const SightBox& box, guint64 parent);

// Unique in the process.
guint64 new_object_id();
// Objects that are made from now on have larger ids: `id` came from elsewhere.
void make_no_ids_up_to(guint64 id);

// The same object, to be changed under another token.
ObjectHandle copy_object(const SightObject& object, EditTokenPtr token);

// Runs `body` if `object` may be changed.
template <typename Body>
gboolean change_object(SightObject* object, GError** error, Body body) {
  return catch_gerror(error, [&]() -> gboolean {
    object->token->require_open("object " + std::to_string(object->id));
    body();
    ++object->revision;
    return TRUE;
  });
}

// The newest tensor of that name, or NULL.
SightTensor* find_tensor(const std::vector<TensorHandle>& tensors, const char* name);

}  // namespace sightline
