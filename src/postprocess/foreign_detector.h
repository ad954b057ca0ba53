// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A detector whose objects are found by code that is not ours: they are checked before anything is
// done with them, and are then treated like those of every detector.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "postprocess/detector.h"
#include "postprocess/parser_library.h"

namespace sightline {

inline constexpr std::size_t kMostForeignObjects = 1'000'000, kMostForeignLandmarks = 4096;
inline constexpr std::size_t kMostMaskPixels = std::size_t{1} << 26;

// `values` as text for a complaint, if one of them is not finite or is farther away than any place
// in a picture; else nothing.
std::optional<std::string> implausible(std::span<const float> values);

class ForeignDetector : public Detector {
 protected:
  ForeignDetector(const ConfigFile& config, const NetworkShape& network, ForeignParser parser);

  const ForeignParser& parser() const { return parser_; }
  // With its outputs, which Detector does not know of.
  const NetworkShape& network() const { return network_; }

  // Whether object number `index` reaches its class's threshold; nothing else of it matters if not.
  // Throws Error(kModel): the confidence is no number, or there is no such class.
  bool reaches_threshold(std::size_t index, float confidence, std::int64_t class_id) const;
  // Throws Error(kModel) if something of it is no place, size or number.
  void check(std::size_t index, const Detection& object) const;
  // float32 [height, width], copied. Throws Error(kModel).
  Mask read_mask(std::size_t index, const float* values, std::size_t width, std::size_t height,
                 const Rect& area) const;
  [[noreturn]] void fail(std::size_t index, const std::string& complaint) const;

  // What clustering leaves of objects that were checked.
  Results survivors(std::vector<Detection> objects) const;

 private:
  ForeignParser parser_;
  NetworkShape network_;
};

}  // namespace sightline
