// SPDX-License-Identifier: LGPL-2.1-or-later

#include "cuda_copy.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <dlfcn.h>

namespace sightline::bench {

namespace {

using Dlsym = void* (*)(void*, const char*);

// The driver's own function; null if it has none of this name.
template <typename F>
F driver_function(const char* name) {
  static void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  return library == nullptr ? nullptr : reinterpret_cast<F>(real_symbol(library, name));
}

template <typename F, typename... Arguments>
bool ask(F function, Arguments... arguments) {
  return function != nullptr && function(arguments...) == CUDA_SUCCESS;
}

Where where(CUdeviceptr address) {
  static const auto attribute =
      driver_function<decltype(&cuPointerGetAttribute)>("cuPointerGetAttribute");
  unsigned type = 0;
  const bool known = ask(attribute, &type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
  return known && type == CU_MEMORYTYPE_DEVICE ? Where::kDevice : Where::kHost;
}

Where where(CUmemorytype type, CUdeviceptr unified) {
  if (type == CU_MEMORYTYPE_HOST) return Where::kHost;
  return type == CU_MEMORYTYPE_UNIFIED ? where(unified) : Where::kDevice;
}

std::vector<CUgraphNode> nodes_of(CUgraph graph) {
  static const auto get = driver_function<decltype(&cuGraphGetNodes)>("cuGraphGetNodes");
  std::size_t count = 0;
  if (!ask(get, graph, nullptr, &count)) return {};
  std::vector<CUgraphNode> nodes(count);
  if (!ask(get, graph, nodes.data(), &count)) return {};
  return nodes;
}

}  // namespace

void* real_symbol(void* library, const char* name) {
  static const Dlsym found = [] {
    for (const char* version : {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17"})
      if (void* const it = dlvsym(RTLD_NEXT, "dlsym", version)) return reinterpret_cast<Dlsym>(it);
    std::fputs("cuda_copies: this C library's dlsym is not known\n", stderr);
    std::abort();
  }();
  return found(library, name);
}

CudaCopy copy_of(CUdeviceptr to, CUdeviceptr from, std::uint64_t bytes) {
  return {where(to), where(from), bytes};
}

CudaCopy copy_of(const CUDA_MEMCPY2D& copy) {
  return {where(copy.dstMemoryType, copy.dstDevice), where(copy.srcMemoryType, copy.srcDevice),
          std::uint64_t{copy.WidthInBytes} * copy.Height};
}

CudaCopy copy_of(const CUDA_MEMCPY3D& copy) {
  return {where(copy.dstMemoryType, copy.dstDevice), where(copy.srcMemoryType, copy.srcDevice),
          std::uint64_t{copy.WidthInBytes} * copy.Height * copy.Depth};
}

std::vector<CudaCopy> copies_in(CUgraph graph) {
  static const auto type_of = driver_function<decltype(&cuGraphNodeGetType)>("cuGraphNodeGetType");
  static const auto parameters_of =
      driver_function<decltype(&cuGraphMemcpyNodeGetParams)>("cuGraphMemcpyNodeGetParams");
  static const auto graph_of =
      driver_function<decltype(&cuGraphChildGraphNodeGetGraph)>("cuGraphChildGraphNodeGetGraph");
  std::vector<CudaCopy> copies;
  for (const CUgraphNode node : nodes_of(graph)) {
    CUgraphNodeType type{};
    if (!ask(type_of, node, &type)) continue;
    CUDA_MEMCPY3D copy{};
    CUgraph child = nullptr;
    if (type == CU_GRAPH_NODE_TYPE_MEMCPY && ask(parameters_of, node, &copy)) {
      copies.push_back(copy_of(copy));
    } else if (type == CU_GRAPH_NODE_TYPE_GRAPH && ask(graph_of, node, &child)) {
      for (const CudaCopy& one : copies_in(child)) copies.push_back(one);
    }
  }
  return copies;
}

bool is_recorded(CUstream stream) {
  static const auto status_of =
      driver_function<decltype(&cuStreamIsCapturing)>("cuStreamIsCapturing");
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  return ask(status_of, stream, &status) && status != CU_STREAM_CAPTURE_STATUS_NONE;
}

}  // namespace sightline::bench
