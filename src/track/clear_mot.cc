// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <limits>

#include "track/scores.h"

namespace sightline {

namespace {

constexpr int kNobody = -1;
constexpr double kMostly = 0.8, kHardly = 0.2;  // parts of an object's frames, by MOTChallenge
constexpr double kStays = 1000;                 // outweighs every sum of similarities in a frame

// What is known of one true object.
struct Life {
  std::size_t frames = 0;
  std::size_t matched = 0;
  std::size_t runs = 0;      // uninterrupted spans in which it is matched
  int last_track = kNobody;  // the last time it was matched
  int now = kNobody;         // in the newest frame in which it appears
};

class ClearCounter {
 public:
  ClearCounter(const ComparedSequence& sequence, double threshold)
      : lives_(static_cast<std::size_t>(sequence.truth_identities)), threshold_(threshold) {}

  void add(const ComparedFrame& frame) {
    const std::vector<int> columns = assign(weights(frame));
    std::size_t matched = 0;
    std::vector<std::pair<int, int>> pairs;
    for (std::size_t t = 0; t < frame.truth.size(); ++t) {
      int track = kNobody;
      if (columns[t] != kUnassigned) {
        const auto column = static_cast<std::size_t>(columns[t]);
        track = frame.result[column];
        similarity_ += frame.similarity(t, column);
        pairs.emplace_back(frame.truth[t], track);
        ++matched;
      }
      observe(lives_[static_cast<std::size_t>(frame.truth[t])], track);
    }
    before_ = std::move(pairs);
    score_.matches += matched;
    score_.misses += frame.truth.size() - matched;
    score_.false_positives += frame.result.size() - matched;
  }

  ClearMot finish() {
    for (const Life& life : lives_) rate(life);
    const auto objects = static_cast<double>(score_.matches + score_.misses);
    const auto boxes = static_cast<double>(score_.matches + score_.false_positives);
    const auto matches = static_cast<double>(score_.matches);
    const auto wrong =
        static_cast<double>(score_.misses + score_.false_positives + score_.identity_switches);
    score_.mota = 1 - wrong / std::max(1.0, objects);
    score_.motp = similarity_ / std::max(1.0, matches);
    score_.recall = matches / std::max(1.0, objects);
    score_.precision = matches / std::max(1.0, boxes);
    return score_;
  }

 private:
  WeightMatrix weights(const ComparedFrame& frame) const {
    WeightMatrix result(frame.truth.size(), frame.result.size());
    for (std::size_t t = 0; t < frame.truth.size(); ++t)
      for (std::size_t r = 0; r < frame.result.size(); ++r) {
        const double similarity = frame.similarity(t, r);
        if (!(similarity >= threshold_ - std::numeric_limits<float>::epsilon()) || similarity <= 0)
          continue;
        const bool stays =
            std::ranges::find(before_, std::pair(frame.truth[t], frame.result[r])) != before_.end();
        result(t, r) = similarity + (stays ? kStays : 0);
      }
    return result;
  }

  void observe(Life& life, int track) {
    ++life.frames;
    if (track != kNobody) {
      ++life.matched;
      if (life.now == kNobody) ++life.runs;
      if (life.last_track != kNobody && life.last_track != track) ++score_.identity_switches;
      life.last_track = track;
    }
    life.now = track;
  }

  void rate(const Life& life) {
    if (life.frames == 0) return;
    const double part = static_cast<double>(life.matched) / static_cast<double>(life.frames);
    if (part >= kMostly)
      ++score_.mostly_tracked;
    else if (part >= kHardly)
      ++score_.partially_tracked;
    else
      ++score_.mostly_lost;
    if (life.runs > 1) score_.fragmentations += life.runs - 1;
  }

  std::vector<Life> lives_;
  std::vector<std::pair<int, int>> before_;  // (object, track) matched in the frame before
  double threshold_;
  double similarity_ = 0;
  ClearMot score_;
};

}  // namespace

ClearMot clear_mot(const ComparedSequence& sequence, double threshold) {
  ClearCounter counter(sequence, threshold);
  for (const ComparedFrame& frame : sequence.frames) counter.add(frame);
  return counter.finish();
}

}  // namespace sightline
