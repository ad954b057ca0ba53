// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Screening, row by row and class by class: what any other way has to find.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "postprocess/screening.h"

namespace sightline::reference {

inline float number_at(const Tensor& tensor, std::size_t index) {
  if (tensor.type == ElementType::kFloat32) return tensor.floats()[index];
  std::uint16_t half = 0;
  std::memcpy(&half, tensor.data + sizeof half * index, sizeof half);
  return half_to_float(half);
}

// Hits of one item's outputs, by row and class.
inline std::vector<std::vector<std::int32_t>> hits(const Screening& screening,
                                                   std::span<const Tensor> outputs) {
  std::vector<std::vector<std::int32_t>> all;
  const auto number = [&](const Strided& place, std::size_t row, std::size_t id, std::size_t i) {
    return number_at(outputs[place.output], place.at(row, id, i));
  };
  std::size_t first_row = 0;
  for (const ScreenPart& part : screening) {
    for (std::size_t row = 0; row < part.rows; ++row) {
      const float gate = part.gate ? number(part.gate->numbers, row, 0, 0) : 0;
      if (part.gate && !(gate >= part.gate->least)) continue;
      float best = -1;
      std::size_t best_class = part.least.size();
      for (std::size_t id = 0; id < part.least.size(); ++id)
        if (const float score = number(part.scores, row, id, 0); score > best)
          best = score, best_class = id;
      for (std::size_t id = 0; id < part.least.size(); ++id) {
        if (part.best_only && id != best_class) continue;
        const float score = number(part.scores, row, id, 0);
        const float value = part.gate && part.gate->times_score ? gate * score : score;
        if (!(value >= part.least[id])) continue;
        std::vector<std::int32_t>& hit = all.emplace_back();
        hit = {static_cast<std::int32_t>(first_row + row), static_cast<std::int32_t>(id),
               std::bit_cast<std::int32_t>(score), std::bit_cast<std::int32_t>(gate)};
        for (const Strided& beside : part.beside)
          for (std::size_t i = 0; i < beside.columns; ++i)
            hit.push_back(std::bit_cast<std::int32_t>(number(beside, row, id, i)));
        hit.resize(words_a_hit(screening));
      }
    }
    first_row += part.rows;
  }
  return all;
}

}  // namespace sightline::reference
