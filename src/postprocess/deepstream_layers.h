// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network's outputs as parsers for DeepStream take them, and what such parsers have in common.

#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "postprocess/parser_library.h"
#include "postprocess/postprocess.h"
#include "sightline/compat/deepstream/nvdsinfer_custom_impl.h"

namespace sightline {

// The outputs of one item, on the host: float16 as float, everything else as it is. Must not
// outlive the tensors.
class DeepStreamLayers {
 public:
  // Throws Error(kModel) if an output is of another type or shape than the network says.
  DeepStreamLayers(std::span<const Tensor> outputs, const NetworkShape& network);

  const std::vector<NvDsInferLayerInfo>& infos() const { return infos_; }

 private:
  std::vector<NvDsInferLayerInfo> infos_;
  std::vector<std::vector<float>> converted_;
};

// One of the functions, found in its library.
class DeepStreamFunction {
 public:
  // Throws Error(kConfig): the library, the function, or what the library was built with; or
  // Error(kModel): an output that such a function cannot be handed.
  DeepStreamFunction(const ConfigFile& config, const NetworkShape& network,
                     const ConfigValue& function);

  const ForeignParser& parser() const { return parser_; }
  NvDsInferNetworkInfo network_info() const { return network_info_; }

  // Calls function(arguments…). Throws Error(kModel) if it throws or says that it failed. Such
  // functions keep things in static variables, so one call of each is made at a time.
  template <typename Type, typename... Arguments>
  void call(Arguments&&... arguments) const {
    const std::lock_guard lock(one_at_a_time_);
    const bool done = parser_.guard(
        [&] { return reinterpret_cast<Type>(address_)(std::forward<Arguments>(arguments)...); });
    if (!done) parser_.fail("returned false: it could not read the outputs");
  }

 private:
  DeepStreamFunction(const ConfigFile& config, const NetworkShape& network,
                     const ConfigValue& function, std::shared_ptr<const ParserLibrary> library);

  ForeignParser parser_;
  void* address_;
  NvDsInferNetworkInfo network_info_;
  std::mutex& one_at_a_time_;
};

}  // namespace sightline
