// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What numbers an option of the command line takes.

#pragma once

#include <limits>

#include <CLI/CLI.hpp>

namespace sightline {

// Numbers from `least` to `most`, both included. What is no finite number is in no range: CLI11's
// own checkers let "nan" pass, since it is neither too small nor too large.
CLI::Validator number_range(double least, double most = std::numeric_limits<double>::max());

}  // namespace sightline
