// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/deepstream_layers.h"

#include <limits>
#include <map>
#include <optional>

#include "postprocess/outputs.h"

namespace sightline {

namespace {

std::optional<NvDsInferDataType> type_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kFloat16:
      return FLOAT;
    case ElementType::kInt8:
      return INT8;
    case ElementType::kInt32:
      return INT32;
    case ElementType::kInt64:
      return INT64;
    case ElementType::kUint8:
    case ElementType::kBool:
      return UINT8;
    default:
      return std::nullopt;
  }
}

void require_expressible(const ConfigFile& config, const NetworkShape& network) {
  for (const NetworkShape::Output& output : network.outputs) {
    const auto fail = [&](const std::string& complaint) {
      throw Error(ErrorCode::kModel,
                  config.name() + ": output \"" + output.name + "\" " + complaint);
    };
    if (!type_of(output.type))
      fail("is " + std::string(name_of(output.type)) +
           ", which parsers for DeepStream have no word for. Cast it in the network, or leave it "
           "out "
           "with output-blob-names");
    if (output.shape.size() > NVDSINFER_MAX_DIMS)
      fail("is " + to_string(output.shape) + ", and parsers for DeepStream take " +
           std::to_string(NVDSINFER_MAX_DIMS) + " dimensions at most");
  }
}

NvDsInferDims dims_of(const Tensor& tensor) {
  constexpr std::size_t kMost = std::numeric_limits<unsigned int>::max();
  const std::size_t count = tensor.count();
  if (count > kMost)
    throw Error(ErrorCode::kModel, "output \"" + tensor.name + "\" has " + std::to_string(count) +
                                       " elements, and parsers for DeepStream count to " +
                                       std::to_string(kMost));
  NvDsInferDims dims{};
  for (const std::int64_t dimension : tensor.shape)
    dims.d[dims.numDims++] = static_cast<unsigned int>(dimension);
  dims.numElements = static_cast<unsigned int>(count);
  return dims;
}

// Of a function, in whatever stages it is.
std::mutex& mutex_of(const void* function) {
  static std::mutex guard;
  static std::map<const void*, std::mutex> mutexes;
  const std::lock_guard lock(guard);
  return mutexes[function];
}

using AbiFunction = unsigned int (*)();

// A library that was built with other structs would read and write past the end of ours.
void require_our_header(const ParserLibrary& library, const ConfigValue& function) {
  const auto abi = reinterpret_cast<AbiFunction>(library.find("sightline_compat_deepstream_abi"));
  const std::string remedy =
      ". Build its sources again with the compiler flags of pkg-config sightline-parser-1.0 "
      "(docs/custom-parsers.md)";
  if (abi == nullptr)
    function.fail(library.name() + " was not built with Sightline's nvdsinfer.h" + remedy);
  if (const unsigned int version = abi(); version != SIGHTLINE_COMPAT_DEEPSTREAM_ABI)
    function.fail(library.name() + " was built with version " + std::to_string(version) +
                  " of Sightline's nvdsinfer.h, expected " +
                  std::to_string(SIGHTLINE_COMPAT_DEEPSTREAM_ABI) + remedy);
}

}  // namespace

DeepStreamLayers::DeepStreamLayers(std::span<const Tensor> outputs, const NetworkShape& network) {
  check_outputs(outputs, network);
  converted_.reserve(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& tensor = outputs[i];
    NvDsInferLayerInfo info{};
    info.dataType = *type_of(tensor.type);
    info.inferDims = dims_of(tensor);
    info.bindingIndex = static_cast<int>(i) + 1;
    info.layerName = network.outputs[i].name.c_str();
    const void* const values =
        tensor.type == ElementType::kFloat16
            ? static_cast<const void*>(converted_.emplace_back(from_half(tensor)).data())
            : tensor.on_host();
    info.buffer = const_cast<void*>(values);  // the interface has no const
    infos_.push_back(info);
  }
}

DeepStreamFunction::DeepStreamFunction(const ConfigFile& config, const NetworkShape& network,
                                       const ConfigValue& function)
    : DeepStreamFunction(config, network, function, ParserLibrary::load(config, function)) {}

DeepStreamFunction::DeepStreamFunction(const ConfigFile& config, const NetworkShape& network,
                                       const ConfigValue& function,
                                       std::shared_ptr<const ParserLibrary> library)
    : parser_(library, function.text()),
      address_(library->get(function)),
      network_info_{static_cast<unsigned int>(network.input.width),
                    static_cast<unsigned int>(network.input.height),
                    static_cast<unsigned int>(network.channels)},
      one_at_a_time_(mutex_of(address_)) {
  require_our_header(*library, function);
  require_expressible(config, network);
}

}  // namespace sightline
