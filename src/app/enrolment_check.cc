// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment_check.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <numeric>

#include "app/face_flaw.h"

namespace sightline {

namespace {

// printf() into a string of up to 255 bytes.
template <typename... Values>
std::string formatted(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// A limit as it is compared with.
Refusal quality_refusal(Flaw flaw, const Face& face, const QualityRule& rule) {
  const CropQuality& found = *face.quality;
  const auto number = [](float value) { return static_cast<double>(value); };
  switch (flaw) {
    case Flaw::kTooSmall:
      return {"too-small",
              formatted("the face is too small: %.0f × %.0f pixels, about %.0f are needed. Take a "
                        "larger picture.",
                        number(face.box.width), number(face.box.height),
                        number(std::max(face.box.width, face.box.height) * found.magnification /
                               rule.max_magnification))};
    case Flaw::kTooDark:
      return {"too-dark", formatted("the face is too dark: its mean pixel value is %.0f, %.0f is "
                                    "needed. Take a picture with more light.",
                                    number(found.brightness), number(rule.min_brightness))};
    case Flaw::kBlurred:
      return {"blurred",
              formatted("the face is blurred: sharpness %.3f, %.3f is needed. Take a "
                        "sharper picture.",
                        number(found.sharpness.value_or(0)), number(rule.min_sharpness))};
    case Flaw::kTurnedAway:
      break;
  }
  return {"turned-away",
          formatted("the face is turned away: its landmarks are %.1f pixels off, at most %.1f are "
                    "allowed. Take a picture that looks at the camera.",
                    number(found.residual), number(rule.max_residual))};
}

// The best similarity of a view to any other of these; -1 if there is none.
float best_fit(std::span<const Embedding> views, std::size_t view,
               std::span<const std::size_t> others) {
  float best = -1;
  for (const std::size_t other : others)
    if (other != view) best = std::max(best, similarity(views[view], views[other]));
  return best;
}

// The mean one; likewise.
float mean_fit(std::span<const Embedding> views, std::size_t view,
               std::span<const std::size_t> others) {
  float sum = 0, count = 0;
  for (const std::size_t other : others) {
    if (other == view) continue;
    sum += similarity(views[view], views[other]);
    ++count;
  }
  return count > 0 ? sum / count : -1;
}

// A person's views, and new ones that are to be judged.
class Judgement {
 public:
  Judgement(const std::string& person, std::span<const Embedding> views, const KnownFaces& known,
            const EnrolmentRule& rule, Origin origin)
      : person_(person), known_(known), rule_(rule), origin_(origin), all_(known.views_of(person)) {
    settled_.resize(all_.size());
    std::iota(settled_.begin(), settled_.end(), 0);
    all_.insert(all_.end(), views.begin(), views.end());
    everything_.resize(all_.size());
    std::iota(everything_.begin(), everything_.end(), 0);
    left_over_ = misfits(all_, rule.least_fit(), settled_.size());
    std::ranges::set_difference(everything_, left_over_, std::back_inserter(group_));
  }

  std::vector<std::optional<Refusal>> objections() {
    std::vector<std::optional<Refusal>> objections;
    for (std::size_t view = settled_.size(); view < all_.size(); ++view) {
      auto objection = resemblance(view);
      if (!objection && is_left_over(view)) objection = misfit(view);
      objections.push_back(std::move(objection));
    }
    return objections;
  }

 private:
  bool is_left_over(std::size_t view) const { return std::ranges::binary_search(left_over_, view); }

  std::optional<Refusal> resemblance(std::size_t view) {
    const auto other = known_.nearest_other(person_, all_[view]);
    // From the threshold of naming on a face that resembles one of so many is somebody's of them.
    if (!other || other->similarity <= gallery_threshold(known_.size())) return std::nullopt;
    // What fits the person's own pictures better is the person's, however alike two are.
    if (other->similarity <= best_fit(all_, view, own_side(view, other->person)))
      return std::nullopt;
    return Refusal{"somebody-else",
                   "this looks like " + other->person +
                       formatted(" (similarity %.4f)", static_cast<double>(other->similarity)) +
                       ", who is in the gallery already. Enrol it under that name, or say --force "
                       "if they are two persons."};
  }

  std::span<const std::size_t> own_side(std::size_t view, const std::string& other) {
    if (origin_ == Origin::kVideo || is_left_over(view)) return settled_;
    const auto [found, is_new] = stands_apart_.try_emplace(other, false);
    if (is_new) found->second = lead_over(other) >= rule_.lead;
    return found->second ? std::span<const std::size_t>(group_) : settled_;
  }

  // By how much the new pictures that fit together are nearer to their own group than to somebody:
  // by the nearest, which says most about faces that differ, and by the mean, for which it does not
  // matter how many pictures either side has. The lesser counts.
  float lead_over(const std::string& other) const {
    std::vector<Embedding> views = known_.views_of(other);
    std::vector<std::size_t> theirs(views.size());
    std::iota(theirs.begin(), theirs.end(), 0);
    views.emplace_back();
    float by_best = 0, by_mean = 0, count = 0;
    for (const std::size_t view : group_) {
      if (view < settled_.size()) continue;
      views.back() = all_[view];
      by_best += best_fit(all_, view, group_) - best_fit(views, theirs.size(), theirs);
      by_mean += mean_fit(all_, view, group_) - mean_fit(views, theirs.size(), theirs);
      ++count;
    }
    return std::min(by_best, by_mean) / count;
  }

  Refusal misfit(std::size_t view) const {
    return {"does-not-fit",
            formatted("this does not look like the other pictures (similarity at most "
                      "%.4f, %.4f is needed). Is it somebody else?",
                      static_cast<double>(best_fit(all_, view, everything_)),
                      static_cast<double>(rule_.least_fit()))};
  }

  const std::string& person_;
  const KnownFaces& known_;
  const EnrolmentRule& rule_;
  const Origin origin_;
  std::vector<Embedding> all_;  // the person's, then the new ones
  // Indices into it: what was there, what is there now, what of that fits together or does not.
  std::vector<std::size_t> settled_, everything_, group_, left_over_;
  std::map<std::string, bool> stands_apart_;  // from whom the new pictures do
};

}  // namespace

std::optional<Refusal> picture_objection(const PictureFaces& picture, const EnrolmentRule& rule) {
  if (!picture.error.empty()) return Refusal{"unreadable", picture.error, false};
  if (picture.faces.empty())
    return Refusal{"no-face",
                   "no face was found. Take a picture that shows the face larger or clearer.",
                   false};
  const Face& face = face_to_enrol(picture);
  if (face.embedding.empty() || !picture.model)
    return Refusal{"not-embedded",
                   "a face was found, but could not be embedded. Take another picture.", false};
  if (picture.faces.size() > 1)
    return Refusal{"several-faces",
                   std::to_string(picture.faces.size()) +
                       " faces were found. Crop the picture to the one that is to be enrolled."};
  const auto flaw = flaw_of(face, rule.quality);
  if (!flaw) return std::nullopt;
  return quality_refusal(*flaw, face, rule.quality);
}

const Face& face_to_enrol(const PictureFaces& picture) {
  return *std::ranges::max_element(
      picture.faces, {}, [](const Face& face) { return face.box.width * face.box.height; });
}

std::vector<std::optional<Refusal>> person_objections(const std::string& person,
                                                      std::span<const Embedding> views,
                                                      const KnownFaces& known,
                                                      const EnrolmentRule& rule, Origin origin) {
  return Judgement(person, views, known, rule, origin).objections();
}

std::optional<Refusal> objection_to_any(const std::string& person, std::span<const FaceView> views,
                                        const KnownFaces& known, const EnrolmentRule& rule) {
  std::vector<Embedding> units;
  for (const FaceView& view : views) units.push_back(view.embedding);
  for (std::optional<Refusal>& objection :
       person_objections(person, units, known, rule, Origin::kVideo))
    if (objection) return std::move(objection);
  return std::nullopt;
}

}  // namespace sightline
