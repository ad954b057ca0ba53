// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results of a network → metadata of the frame, in frame coordinates.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gallery/gallery.h"
#include "postprocess/postprocess.h"
#include "preprocess/region.h"
#include "sightline/frame.h"
#include "stage/class_colors.h"
#include "stage/crop_quality.h"

namespace sightline {

// Who made the results.
struct StageName {
  std::string element;
  guint id = 0;
};

// What one run said of one region of a frame.
struct RegionResults {
  std::uint64_t object = 0;  // whose region it was; 0: the whole frame
  Affine2 to_frame;
  std::optional<CropQuality> quality;
  Results results;
  // Results taken over from an earlier frame of the object's track: that frame's number.
  std::optional<std::uint64_t> from_frame{};
  std::optional<Rect> part{};     // of the frame, if the region is not all of it
  std::vector<Tensor> outputs{};  // the network's, to be attached as they are
  std::vector<Tensor> inputs{};   // what it saw, likewise
};

// Adds `found` to `frame`, which must be unsealed: detections become objects (children of the
// region's object), landmarks, classifications and tensors go to the region's object, or to the
// frame. An object that was detected gets the network's outputs, too, with the row or anchor that
// it came from; they share their memory. Boxes that reach beyond the frame stay whole; what lies
// outside is dropped, as are boxes that `postprocessor` does not admit. An object that
// is no longer there is passed over. Throws Error(kReadOnly) if `frame` is sealed.
void attach(SightFrame* frame, const StageName& stage, const Postprocessor& postprocessor,
            const RegionResults& found, const ClassColors& colors = {});

// A frame for which a stage failed says so, as user data "sightline-error:<stage id>"; it never
// looks like "nothing found".
void set_failure(SightFrame* frame, const StageName& stage, const std::string& problem);
bool has_failed(const SightFrame* frame, guint stage_id);

// A frame that a stage passed on without looking says so, with the reason, as user data
// "sightline-skipped:<stage id>"; it never looks like "nothing found" either.
inline constexpr char kSkippedByInterval[] = "interval";  // not its turn
inline constexpr char kSkippedToSettle[] = "stabilize";   // one of the first of its stream
inline constexpr char kSkippedLate[] = "late";            // too late for its sink
void set_skipped(SightFrame* frame, guint stage_id, const char* reason);
bool was_skipped(const SightFrame* frame, guint stage_id);

// An object whose results a stage took over from an earlier frame of its track carries that frame's
// number in its stream, as user data "sightline-taken-over:<stage id>".
std::optional<std::uint64_t> taken_over_from(const SightObject* object, guint stage_id);

// The fingerprint of the model that made a stage's embeddings rides on the frame, as user data.
void set_fingerprint(SightFrame* frame, guint stage_id, const ModelFingerprint& fingerprint);
std::optional<ModelFingerprint> find_fingerprint(const SightFrame* frame, guint stage_id);

}  // namespace sightline
