// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Networks as each model family expects them, in sizes that the fuzzer chooses.

#pragma once

#include <string>

#include "fuzz_bytes.h"
#include "postprocess/postprocess.h"

namespace sightline::fuzz {

// Throws std::out_of_range if nothing is known of the family.
NetworkShape shape_of(const std::string& family, Bytes& bytes);

}  // namespace sightline::fuzz
