// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Embeddings that are distributed as those of faces are.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// Any number of persons, whose embeddings are like those that models/face-embed.ini makes of the
// 644 pictures of 264 persons in which it finds one face (the project's data set of faces):
// unit vectors about a mean of length 0.985; persons spread about it, and pictures about a person,
// along principal axes whose spreads were measured and are in faces.cc; a person's pictures differ
// in how far they are off. Cosine similarities of two, in percent of the pairs:
//
//                          0.1 %    5 %    25 %    50 %    75 %    95 %   99.9 %
//   one person, measured   0.983   0.987  0.991   0.992   0.994   0.996   0.999
//   two persons, measured  0.950   0.960  0.966   0.971   0.975   0.980   0.987
//
// faces_test.cc holds these embeddings to it. The same seed gives the same ones. For one thread at
// a time.
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
