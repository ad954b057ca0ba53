// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Of a detector's outputs on a GPU, what its postprocessor needs comes to the host: hits
// (postprocess/screening.h) in place of some thousand rows.

#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "postprocess/postprocess.h"

namespace sightline {

class OutputScreen {
 public:
  // Null where the outputs come as they are: the network runs on the CPU, the family looks at
  // everything, or there is little to look at. Throws Error(kDevice).
  static std::shared_ptr<const OutputScreen> make(const Engine& engine,
                                                  const Postprocessor& postprocessor,
                                                  const NetworkShape& network);
  virtual ~OutputScreen() = default;

  // For the next request. There is room for some hits; where there were more, later ones get a
  // reader with more room, or, when that is hardly less than everything, none (null).
  virtual std::shared_ptr<DeviceReader> reader() const = 0;

  // The outputs that decode() wants, of what a reader found (RunResult::is_read). Throws
  // Error(kModel).
  virtual std::vector<Tensor> restore(const std::vector<Tensor>& found) const = 0;
};

// In builds with CUDA.
std::shared_ptr<const OutputScreen> make_cuda_output_screen(const Engine& engine,
                                                            const Postprocessor& postprocessor,
                                                            const NetworkShape& network);

}  // namespace sightline
