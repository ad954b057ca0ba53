// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The tensor of a region as a mirror shows it, made of the region's own tensor instead of its
// pixels.

#pragma once

#include <cstddef>
#include <span>

#include "preprocess/preprocess.h"

namespace sightline {

// Whether that can be done: not where a mean image was subtracted, which is not mirrored.
bool can_mirror(const TensorSpec& spec);

// Writes the columns of one item in reverse order; both spans are of spec.bytes_per_item() bytes
// and do not overlap. Aligned to the element type.
void mirror_columns(const TensorSpec& spec, std::span<const std::byte> from,
                    std::span<std::byte> to);

}  // namespace sightline
