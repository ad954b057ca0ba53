// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batch_choice.h"

namespace sightline {

namespace {

constexpr double kNoticeably = 1.02;

}  // namespace

BatchChoice choose_batch(const Session& session, int workers, int limit, const Watch& now) {
  if (limit < 2) return {};
  BatchChoice choice;
  for (int batch = 2; batch <= limit; batch *= 2) {
    const std::vector<double> rates =
        items_per_second({{&session, workers, choice.size}, {&session, workers, batch}}, now);
    choice.why = "measured: " + rounded(rates[0]) + " items/s by " + std::to_string(choice.size) +
                 ", " + rounded(rates[1]) + " by " + std::to_string(batch);
    if (rates[1] < rates[0] * kNoticeably) break;
    choice.size = batch;
  }
  session.release_memory();
  return choice;
}

}  // namespace sightline
