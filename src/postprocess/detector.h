// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What every detector does alike: thresholds, suppression, labels. A family only says which rows
// score, where their boxes are, and which landmarks they have.

#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "postprocess/clustering.h"
#include "postprocess/oriented_box.h"
#include "postprocess/outputs.h"
#include "postprocess/postprocess.h"
#include "postprocess/screening.h"

namespace sightline {

class Detector : public Postprocessor {
 public:
  NetworkRole role() const final { return NetworkRole::kDetector; }
  Results decode(std::span<const Tensor> outputs) const override;
  std::optional<Rect> admitted(int class_id, const Rect& box, Size frame) const final;

 protected:
  // `classes`: how many the network tells apart, without a background. Reads the keys of detectors.
  // `usual` is what cluster-mode is where the configuration does not say.
  Detector(const ConfigFile& config, NetworkShape network, int classes,
           ClusterMode usual = ClusterMode::kNms);

  // For networks whose shapes do not tell: num-detected-classes, or how many labels there are.
  // Throws Error(kConfig) if neither is given.
  static int class_count(const ConfigFile& config);
  // For families that give masks: output-instance-mask, whether objects get them.
  static bool wants_masks(const ConfigFile& config);

  // For families that find boxes in another way than row by row, and override decode(): thresholds
  // (but the first), suppression and labels of candidates with their boxes. `complete` is called
  // with each survivor.
  using Complete = std::function<void(const Candidate&, Detection&)>;
  Results finish(std::vector<Candidate> candidates, const Complete& complete,
                 const Overlap& overlap = {}) const;

  // Adds a candidate (without its box) for each row that reaches threshold(class). Runs over all
  // rows of every frame, so it should touch scores only.
  virtual void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const;
  // In pixels of the network's input. May be anything: what is empty, not finite or absurd is
  // dropped.
  virtual Rect box(const FloatOutputs& outputs, int row) const;
  // Of a survivor, likewise; none if one of them is not finite.
  virtual std::vector<Point> landmarks(const FloatOutputs&, int /*row*/) const { return {}; }
  // The oriented box of a row; boxes are compared by theirs if there are any.
  virtual std::optional<OrientedBox> oriented_box(const FloatOutputs&, int /*row*/) const {
    return std::nullopt;
  }
  // What else there is of a survivor whose box, class and landmarks are set: a mask, how sure its
  // landmarks are. What is not finite is dropped.
  virtual void complete(const FloatOutputs&, int /*row*/, Detection&) const {}

  const NetworkShape& network() const { return network_; }
  int classes() const { return static_cast<int>(limits_.size()); }
  // The least confidence of a class; infinity for one that filter-out-class-ids names.
  float threshold(int class_id) const { return thresholds_[static_cast<std::size_t>(class_id)]; }
  std::span<const float> thresholds() const { return thresholds_; }  // one a class
  float least_threshold() const { return least_threshold_; }         // of any class
  std::span<const ClassLimits> limits() const { return limits_; }    // one a class

 private:
  void read_labels_of(const ConfigFile& config);
  void read_limits(const ConfigFile& config);
  void filter_out(const ConfigFile& config);

  NetworkShape network_;
  Clustering clustering_;
  std::vector<std::string> labels_;
  std::vector<ClassLimits> limits_;  // one a class
  std::vector<float> thresholds_;    // likewise
  float least_threshold_ = 0;
  bool cuts_to_roi_ = false;
};

// Calls hit(index, value) for values[first], values[first + stride], … that are at least `minimum`
// and finite. Almost none are, so that eight are looked at before there is a branch.
template <typename Hit>
void for_each_reaching(std::span<const float> values, std::size_t first, std::size_t stride,
                       float minimum, Hit&& hit) {
  constexpr std::size_t kBlock = 8;
  constexpr float kLargest = std::numeric_limits<float>::max();
  const std::size_t count = values.size() > first ? (values.size() - first - 1) / stride + 1 : 0;
  const float* const data = values.data() + first;
  const auto look_at = [&](std::size_t index) {
    const float value = data[index * stride];
    if (value >= minimum && value <= kLargest) hit(index, value);  // NaN fails
  };
  std::size_t index = 0;
  for (; index + kBlock <= count; index += kBlock) {
    bool any = false;
    for (std::size_t i = 0; i < kBlock; ++i) any |= data[(index + i) * stride] >= minimum;
    if (!any) continue;
    for (std::size_t i = 0; i < kBlock; ++i) look_at(index + i);
  }
  for (; index < count; ++index) look_at(index);
}

}  // namespace sightline
