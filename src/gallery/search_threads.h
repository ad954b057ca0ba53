// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The threads that share a search of a large gallery.

#pragma once

#include <cstddef>
#include <functional>

namespace sightline {

// How many threads, the caller's included, work on one search: one for each core.
std::size_t search_threads();

// Calls work(0) … work(parts - 1), each once, and returns when all have returned. The process has
// one set of threads, which sleep between searches; while it is at work for somebody, others' work
// is done by the callers alone, so that there are never more threads than cores. `work` must not
// throw.
void share_search(std::size_t parts, const std::function<void(std::size_t)>& work);

}  // namespace sightline
