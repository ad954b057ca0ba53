// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/view_collector.h"

#include <algorithm>

#include "app/face_flaw.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenViews = 300ms;  // a face takes about as long to turn or to smile

// Cosine from which on two views are one: with the default model, frames of a talking man that
// follow each other lie above 0.999, and half of those that are a second apart below 0.997.
constexpr float kSameView = 0.9985f;

// Views of one person in one place lie above 0.99 with the default model; the threshold of naming
// is for pictures of different places. So much below it, it is somebody else, or a view that
// teaches what is wrong.
constexpr float kSlack = 0.01f;

const char* advice(Flaw flaw) {
  switch (flaw) {
    case Flaw::kTooSmall:
      return "come closer: the face is too small";
    case Flaw::kTooDark:
      return "more light: the face is too dark";
    case Flaw::kBlurred:
      return "hold still: the face is blurred";
    case Flaw::kTurnedAway:
      return "look at the camera: the face is turned away";
  }
  return "";
}

}  // namespace

std::string ViewCollector::objection(std::span<const Face> faces) const {
  if (faces.empty()) return "no face is in view";
  if (faces.size() > 1)
    return std::to_string(faces.size()) + " faces are in view: only one, please";
  const Face& face = faces.front();
  if (face.embedding.empty()) return "the face could not be embedded";
  const std::optional<Flaw> flaw = flaw_of(face, quality_);
  return flaw ? advice(*flaw) : "";
}

std::string ViewCollector::offer(std::span<const Face> faces, Clock::time_point now) {
  if (std::string reason = objection(faces); !reason.empty()) return reason;
  const std::vector<float>& view = faces.front().embedding;
  if (!taken_.empty()) {
    if (cosine(view, taken_.front()) < kPairThreshold - kSlack)
      return "this looks like somebody else than before";
    const auto is_same = [&](const auto& taken) { return cosine(view, taken) >= kSameView; };
    if (now - last_ < kBetweenViews || std::ranges::any_of(taken_, is_same))
      return "turn the head a little";
  }
  taken_.push_back(view);
  last_ = now;
  return "";
}

}  // namespace sightline
