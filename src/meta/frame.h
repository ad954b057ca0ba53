// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a frame of the C API is made of.

#pragma once

#include <map>
#include <set>
#include <vector>

#include "meta/edit_token.h"
#include "meta/handles.h"
#include "meta/object.h"
#include "meta/refcount.h"
#include "meta/text.h"
#include "meta/user_data.h"

namespace sightline {

// An object that another system knows too, by a region of interest on the same buffer.
struct Mirror {
  guint64 object = 0;
  gint region = 0;       // GstVideoRegionOfInterestMeta.id
  guint64 revision = 0;  // of the object as it was last written
};

// What the GstAnalyticsRelationMeta on the same buffer says of the objects.
struct RelationMirror {
  bool wanted = false;                   // whether each object is to be there
  gsize written = 0;                     // how many entries are ours
  std::map<guint64, guint64> revisions;  // of each object there, as it was written
};

// Which of the frame's tensors the GstTensorMeta on the same buffer has.
struct TensorMirror {
  bool wanted = false;                   // whether all are to be there
  std::set<const SightTensor*> known{};  // of the frame, which holds them
};

}  // namespace sightline

struct _SightFrame : sightline::RefCounted<_SightFrame> {
  sightline::EditTokenPtr token = std::make_shared<sightline::EditToken>();

  guint width = 0;
  guint height = 0;
  sightline::Text stream;
  guint64 number = 0;
  std::vector<sightline::ObjectHandle> objects;
  std::vector<sightline::TensorHandle> tensors;
  std::vector<sightline::ClassificationHandle> classifications;
  sightline::UserData user_data;
  std::vector<sightline::Mirror> mirrors;
  bool mirrored = false;  // whether each object is to have a region
  sightline::RelationMirror relations;
  sightline::TensorMirror tensor_mirror;
};

namespace sightline {

// An unsealed frame with a list of the same objects.
FrameHandle copy_frame(const SightFrame& frame);

// A sealed frame of the same objects under the same ids, where a picture of `from` has been scaled
// to fill one of `to` (width and height in pixels).
struct PictureSize {
  guint width;
  guint height;
};
FrameHandle scale_frame(const SightFrame& frame, PictureSize from, PictureSize to);

// Adds what `from` says to `frame`, which may be changed: its stream and number, its objects under
// their own ids (or new ones, if `frame` has objects with these), its tensors, classifications and
// analytics. The size of `frame` stays, unless it was not known. Throws Error(kReadOnly).
void add_frame(SightFrame& frame, const SightFrame& from);

}  // namespace sightline
