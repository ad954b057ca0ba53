// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the host tells the kernel: plain numbers, the same for both compilers. As screening.h has
// them.

#pragma once

namespace sightline::cuda {

struct ScreenNumbers {
  const void* data;  // of the first item
  int is_half;       // float16, else float32
  long long item;    // elements from one item to the next, and so on
  long long begin, row, per_class, column;
  int columns;
};

inline constexpr int kMostNumbersBeside = 3;

// A part of the screening, of all items.
struct Screen {
  int rows, classes;
  int first_row;  // of all parts
  ScreenNumbers scores;
  const float* least;  // one a class
  int best_only;
  int has_gate, gate_times_score;
  float gate_least;
  ScreenNumbers gate;
  int beside_count;
  ScreenNumbers beside[kMostNumbersBeside];
  int words;     // of a hit
  int capacity;  // hits of an item that there is room for
  int* counts;   // one an item: of all hits, those that had no room too
  int* hits;
};

inline constexpr int kScreenThreads = 128;

}  // namespace sightline::cuda
