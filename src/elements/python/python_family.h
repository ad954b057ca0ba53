// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A model family in Python: `model-family = python:module.function`.

#pragma once

#include <memory>
#include <string>

#include "postprocess/postprocess.h"

namespace sightline::python {

// Of "module.function" or "file.py:function", which is called with the outputs of each item
// (docs/python.md). Throws Error.
std::unique_ptr<Postprocessor> make_family(const std::string& name, const ConfigFile& config,
                                           const NetworkShape& network);

}  // namespace sightline::python
