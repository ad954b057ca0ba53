// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Embeddings that are distributed as those of faces are.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// Cosine similarities of two pictures of those 264 persons: this part of the pairs of one person,
// and of two persons, is below.
struct MeasuredSimilarity {
  double part, same, different;
};
inline constexpr std::array<MeasuredSimilarity, 7> kMeasured{{{0.001, 0.983, 0.950},
                                                              {0.05, 0.9868, 0.9596},
                                                              {0.25, 0.9905, 0.9663},
                                                              {0.5, 0.9922, 0.9707},
                                                              {0.75, 0.9939, 0.9749},
                                                              {0.95, 0.9961, 0.9801},
                                                              {0.999, 0.999, 0.987}}};

// Any number of persons, whose embeddings are like those that models/face-embed.ini makes of the
// 644 pictures of 264 persons in which it finds one face (the project's data set of faces):
// unit vectors about a mean of length 0.985; persons spread about it, and pictures about a person,
// along principal axes whose spreads were measured and are in faces.cc; a person's pictures differ
// in how far they are off. Similarities are distributed as kMeasured; faces_test.cc holds these
// embeddings to it. The same seed gives the same ones. For one thread at a time.
class RandomFaces {
 public:
  RandomFaces(int dimensions, unsigned seed);

  // Another picture of the person with each call; `person` may be any number.
  std::vector<float> embedding_of(std::uint64_t person);
  void embedding_of(std::uint64_t person, std::span<float> into);

 private:
  double normal(std::uint64_t& state) const;

  unsigned seed_;
  std::uint64_t pictures_ = 0;
  std::vector<double> of_persons_, of_pictures_;  // spreads along the axes
  std::vector<std::vector<double>> mirrors_;      // which turn the axes somewhere
};

}  // namespace sightline
