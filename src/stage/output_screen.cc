// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/output_screen.h"

namespace sightline {

std::shared_ptr<const OutputScreen> OutputScreen::make(
    [[maybe_unused]] const Engine& engine, [[maybe_unused]] const Postprocessor& postprocessor,
    [[maybe_unused]] const NetworkShape& network) {
#ifdef SIGHTLINE_CUDA
  if (engine.gpu() != nullptr && engine.reads_on_device())
    return make_cuda_output_screen(engine, postprocessor, network);
#endif
  return nullptr;
}

}  // namespace sightline
