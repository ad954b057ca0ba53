// SPDX-License-Identifier: LGPL-2.1-or-later

#include "faces.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace sightline {
namespace {

constexpr double kMeanLength = 0.985;
// How much a picture's distance from its person varies: log-normal.
constexpr double kUnevenness = 0.2;

// Standard deviations along principal axes of 128, in thousandths, with straight lines between.
using Knots = std::array<std::pair<int, double>, 10>;
constexpr Knots kOfPersons{{{0, 49},
                            {4, 32},
                            {10, 23},
                            {20, 18.3},
                            {30, 13.8},
                            {40, 10.5},
                            {50, 7.2},
                            {60, 4.2},
                            {72, 0},
                            {127, 0}}};
constexpr Knots kOfPictures{{{0, 12.8},
                             {10, 12.5},
                             {20, 12.2},
                             {40, 10.5},
                             {50, 9.3},
                             {60, 8},
                             {74, 3.5},
                             {78, 0},
                             {100, 0},
                             {127, 0}}};

std::vector<double> spreads(const Knots& knots, int dimensions) {
  std::vector<double> all;
  for (int i = 0; i < dimensions; ++i) {
    const double axis = 127.0 * i / std::max(dimensions - 1, 1);
    std::size_t next = 1;
    while (next + 1 < knots.size() && knots[next].first < axis) ++next;
    const auto& [begin, from] = knots[next - 1];
    const auto& [end, to] = knots[next];
    all.push_back(1e-3 * (from + (to - from) * (axis - begin) / (end - begin)));
  }
  return all;
}

// SplitMix64: a hash of a counter, so that any person can be drawn first.
std::uint64_t next_number(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t mixed = state;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return mixed ^ mixed >> 31;
}

double uniform(std::uint64_t& state) {
  return (static_cast<double>(next_number(state) >> 11) + 0.5) * 0x1p-53;
}

}  // namespace

RandomFaces::RandomFaces(int dimensions, unsigned seed)
    : seed_(seed),
      of_persons_(spreads(kOfPersons, dimensions)),
      of_pictures_(spreads(kOfPictures, dimensions)) {
  constexpr std::size_t kMirrors = 8;
  std::uint64_t state = seed;
  for (std::size_t i = 0; i < kMirrors; ++i) {
    std::vector<double> mirror;
    double squared = 0;
    for (int d = 0; d < dimensions; ++d) {
      mirror.push_back(normal(state));
      squared += mirror.back() * mirror.back();
    }
    for (double& value : mirror) value /= std::sqrt(squared);
    mirrors_.push_back(std::move(mirror));
  }
}

double RandomFaces::normal(std::uint64_t& state) const {
  const double radius = std::sqrt(-2 * std::log(uniform(state)));
  return radius * std::cos(2 * M_PI * uniform(state));
}

void RandomFaces::embedding_of(std::uint64_t person, std::span<float> into) {
  std::uint64_t of_person = (person + 1) * 0xd1342543de82ef95u + seed_;
  std::uint64_t of_picture = ++pictures_ * 0xaf251af3b0f025b5u + seed_;
  const double distance = std::exp(kUnevenness * normal(of_picture) - kUnevenness * kUnevenness);
  std::vector<double> values(into.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (of_persons_[i] > 0) values[i] += of_persons_[i] * normal(of_person);
    if (of_pictures_[i] > 0) values[i] += distance * of_pictures_[i] * normal(of_picture);
  }
  values.back() += kMeanLength;
  double squared = 0;
  for (const std::vector<double>& mirror : mirrors_) {
    double twice = 0;
    for (std::size_t i = 0; i < values.size(); ++i) twice += 2 * mirror[i] * values[i];
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= twice * mirror[i];
  }
  for (const double value : values) squared += value * value;
  for (std::size_t i = 0; i < values.size(); ++i)
    into[i] = static_cast<float>(values[i] / std::sqrt(squared));
}

std::vector<float> RandomFaces::embedding_of(std::uint64_t person) {
  std::vector<float> values(of_persons_.size());
  embedding_of(person, values);
  return values;
}

}  // namespace sightline
