// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment_check.h"

#include <algorithm>
#include <cstdio>

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

// The best similarity of a view to any other of the first `count`; -1 if there is none.
float best_fit(std::span<const Embedding> views, std::size_t view, std::size_t count) {
  float best = -1;
  for (std::size_t other = 0; other < count; ++other)
    if (other != view) best = std::max(best, similarity(views[view], views[other]));
  return best;
}

std::optional<Refusal> resemblance(const std::string& person, const Embedding& view, float own,
                                   const KnownFaces& known, const EnrolmentRule& rule) {
  const auto other = known.nearest_other(person, view);
  // From the threshold of naming on a face that resembles one of so many is somebody's of them.
  // What fits the person's settled pictures better is the person's, however alike two are.
  const float limit = std::max(own, gallery_threshold(known.size()));
  if (!other || other->similarity <= limit) return std::nullopt;
  return Refusal{"somebody-else",
                 "this looks like " + other->person +
                     formatted(" (similarity %.4f)", static_cast<double>(other->similarity)) +
                     ", who is in the gallery already. Enrol it under that name, or say --force if "
                     "they are two persons."};
}

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
                                                      const EnrolmentRule& rule) {
  std::vector<Embedding> all = known.views_of(person);
  const std::size_t settled = all.size();
  all.insert(all.end(), views.begin(), views.end());
  const std::vector<std::size_t> left_over = misfits(all, rule.least_fit(), settled);
  std::vector<std::optional<Refusal>> objections;
  for (std::size_t view = settled; view < all.size(); ++view) {
    auto objection = resemblance(person, all[view], best_fit(all, view, settled), known, rule);
    if (!objection && std::ranges::binary_search(left_over, view))
      objection =
          Refusal{"does-not-fit",
                  formatted("this does not look like the other pictures (similarity at most "
                            "%.4f, %.4f is needed). Is it somebody else?",
                            static_cast<double>(best_fit(all, view, all.size())),
                            static_cast<double>(rule.least_fit()))};
    objections.push_back(std::move(objection));
  }
  return objections;
}

std::optional<Refusal> objection_to_any(const std::string& person, std::span<const FaceView> views,
                                        const KnownFaces& known, const EnrolmentRule& rule) {
  std::vector<Embedding> units;
  for (const FaceView& view : views) units.push_back(view.embedding);
  for (std::optional<Refusal>& objection : person_objections(person, units, known, rule))
    if (objection) return std::move(objection);
  return std::nullopt;
}

}  // namespace sightline
