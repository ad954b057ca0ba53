// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Finds hits (screening.h) among the outputs of a batch: a thread a row, an item for each
// blockIdx.y.

#include <cuda_fp16.h>

#include "postprocess/cuda/screen.h"

namespace {

using sightline::cuda::kScreenThreads;
using sightline::cuda::Screen;
using sightline::cuda::ScreenNumbers;

__device__ float number(const ScreenNumbers& of, int item, int row, int id, int column) {
  const long long at =
      item * of.item + of.begin + row * of.row + id * of.per_class + column * of.column;
  return of.is_half ? __half2float(static_cast<const __half*>(of.data)[at])
                    : static_cast<const float*>(of.data)[at];
}

__device__ void add_hit(const Screen& screen, int item, int row, int id, float score, float gate) {
  const int place = atomicAdd(screen.counts + item, 1);
  if (place >= screen.capacity) return;
  int* to = screen.hits + (static_cast<long long>(item) * screen.capacity + place) * screen.words;
  *to++ = screen.first_row + row;
  *to++ = id;
  *to++ = __float_as_int(score);
  *to++ = __float_as_int(gate);
  for (int i = 0; i < screen.beside_count; ++i)
    for (int column = 0; column < screen.beside[i].columns; ++column)
      *to++ = __float_as_int(number(screen.beside[i], item, row, id, column));
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kScreenThreads)
    find_hits(const __grid_constant__ Screen screen) {
  const int row = blockIdx.x * kScreenThreads + threadIdx.x, item = blockIdx.y;
  if (row >= screen.rows) return;
  const float gate = screen.has_gate ? number(screen.gate, item, row, 0, 0) : 0;
  if (screen.has_gate && !(gate >= screen.gate_least)) return;  // NaN is out
  const auto reaches = [&](int id, float score) {
    const float value = screen.gate_times_score ? gate * score : score;
    return value >= screen.least[id];
  };
  if (!screen.best_only) {
    for (int id = 0; id < screen.classes; ++id) {
      const float score = number(screen.scores, item, row, id, 0);
      if (reaches(id, score)) add_hit(screen, item, row, id, score, gate);
    }
    return;
  }
  float best = -1;
  int best_class = -1;
  for (int id = 0; id < screen.classes; ++id) {
    const float score = number(screen.scores, item, row, id, 0);
    if (score > best) best = score, best_class = id;
  }
  if (best_class >= 0 && reaches(best_class, best))
    add_hit(screen, item, row, best_class, best, gate);
}
