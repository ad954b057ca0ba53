// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A batch's outputs become each request's own.

#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace sightline {

// An item's output that is smaller is copied out, so that one kept embedding does not pin a batch.
constexpr std::size_t kSmallOutput = 4096;

// What item `item` of `count` gets of `batch`, tensors of shape [count, dims…]. `block` keeps those
// alive that have no owner.
RunResult run_result(const std::vector<Tensor>& batch, std::size_t item, std::size_t count,
                     const std::shared_ptr<const std::byte>& block);

}  // namespace sightline
