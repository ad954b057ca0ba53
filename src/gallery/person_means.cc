// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/person_means.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gallery/dot_products.h"

namespace sightline {
namespace {

using Views = std::span<const std::span<const float>>;

constexpr float kFarther = 2.5f;       // than the nearer half: does not fit
constexpr float kSamePicture = 1e-6f;  // distance up to which two are of the same picture
// So many embeddings are tried as the centre; of more, that suffices to find one that is inside.
constexpr std::size_t kMostCentres = 64;

// 1 − cosine of each.
std::vector<float> distances_from(std::span<const float> view, Views views) {
  std::vector<float> distances;
  for (const std::span<const float> other : views)
    distances.push_back(1 - dot_product(other, view));
  return distances;
}

// Within which the nearer half of the others lies. The same picture twice is no evidence.
float radius_of_half(std::vector<float> distances) {
  std::erase_if(distances, [](float distance) { return distance <= kSamePicture; });
  if (distances.empty()) return 0;
  const auto last = distances.begin() + static_cast<std::ptrdiff_t>((distances.size() - 1) / 2);
  std::nth_element(distances.begin(), last, distances.end());
  return *last;
}

// Where a view may be the centre.
struct Place {
  std::vector<float> distances;
  float radius = 0;

  // Distances up to `limit`, beyond which it does not matter how far something is.
  double spread(float limit) const {
    double sum = 0;
    for (const float distance : distances) sum += static_cast<double>(std::min(distance, limit));
    return sum;
  }
};

Place place_of(std::size_t view, Views views) {
  Place place;
  place.distances = distances_from(views[view], views);
  place.radius = radius_of_half(place.distances);
  return place;
}

// Of those that are as good by the nearer half the one that is nearest to all that fit.
Place centre_of(Views views) {
  constexpr float kAsGood = 1.1f;
  std::vector<Place> places;
  const std::size_t step = (views.size() + kMostCentres - 1) / kMostCentres;
  for (std::size_t view = 0; view < views.size(); view += step)
    places.push_back(place_of(view, views));
  const float least = std::ranges::min_element(places, {}, &Place::radius)->radius;
  std::erase_if(places, [&](const Place& place) { return place.radius > kAsGood * least; });
  return *std::ranges::min_element(
      places, {}, [&](const Place& place) { return place.spread(kFarther * least); });
}

std::vector<std::size_t> fitting(Views views) {
  std::vector<std::size_t> all(views.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (views.size() < 3) return all;
  const Place centre = centre_of(views);
  const float limit = std::max(kFarther * centre.radius, kSamePicture);
  std::erase_if(all, [&](std::size_t i) { return centre.distances[i] > limit; });
  return all;
}

}  // namespace

std::vector<float> mean_of_fitting(Views views) {
  std::vector<double> sum(views[0].size());
  for (const std::size_t i : fitting(views))
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(views[i][k]);
  const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  std::vector<float> mean(views[0].begin(), views[0].end());  // where all cancel out
  if (length > 1e-6)
    std::ranges::transform(sum, mean.begin(),
                           [&](double value) { return static_cast<float>(value / length); });
  return mean;
}

// A person's number is the row's id and its owner.
void update_means(const EmbeddingIndex& embeddings, std::vector<std::uint32_t> persons,
                  EmbeddingIndex& means) {
  std::sort(persons.begin(), persons.end());
  persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
  means.remove({persons.begin(), persons.end()});
  std::vector<std::span<const float>> views;
  for (const std::uint32_t person : persons) {
    views.clear();
    embeddings.for_each_row_of(person,
                               [&](std::uint32_t row) { views.push_back(embeddings.values(row)); });
    std::reverse(views.begin(), views.end());  // in the order in which they were added
    if (views.empty()) continue;
    means.add({static_cast<std::int64_t>(person), person, mean_of_fitting(views)});
  }
  if (means.is_sparse()) means = means.compacted();
}

EmbeddingIndex means_of(const EmbeddingIndex& embeddings) {
  EmbeddingIndex means(embeddings.dimensions());
  std::vector<std::uint32_t> persons(embeddings.owners());
  std::iota(persons.begin(), persons.end(), std::uint32_t{0});
  update_means(embeddings, std::move(persons), means);
  return means;
}

}  // namespace sightline
