// SPDX-License-Identifier: LGPL-2.1-or-later
//
// As much of NVIDIA's driver as bench/cuda_copies.cc asks: addresses above kDevice are the
// device's, a graph has the nodes that the test gives it, and nothing is copied.

#include "fake_driver.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <cuda.h>
#undef cuGraphInstantiate
#undef cuGetProcAddress

using sightline::testing::FakeGraph;
using sightline::testing::FakeNode;

namespace {

FakeGraph* graph_of(CUgraph graph) { return reinterpret_cast<FakeGraph*>(graph); }
const FakeNode* node_of(CUgraphNode node) { return reinterpret_cast<const FakeNode*>(node); }

}  // namespace

extern "C" {

CUresult cuPointerGetAttribute(void* to, CUpointer_attribute, CUdeviceptr address) {
  if (address < sightline::testing::kKnown) return CUDA_ERROR_INVALID_VALUE;
  *static_cast<unsigned*>(to) =
      address >= sightline::testing::kDevice ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
  return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  *status = stream == sightline::testing::recording_stream() ? CU_STREAM_CAPTURE_STATUS_ACTIVE
                                                             : CU_STREAM_CAPTURE_STATUS_NONE;
  return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  std::vector<FakeNode>& all = graph_of(graph)->nodes;
  if (nodes != nullptr)
    for (std::size_t i = 0; i < std::min(*count, all.size()); ++i)
      nodes[i] = reinterpret_cast<CUgraphNode>(&all[i]);
  *count = all.size();
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  *type = node_of(node)->child != nullptr ? CU_GRAPH_NODE_TYPE_GRAPH
          : node_of(node)->bytes > 0      ? CU_GRAPH_NODE_TYPE_MEMCPY
                                          : CU_GRAPH_NODE_TYPE_KERNEL;
  return CUDA_SUCCESS;
}

CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D* copy) {
  *copy = {};
  copy->dstMemoryType = copy->srcMemoryType = CU_MEMORYTYPE_UNIFIED;
  copy->dstDevice = node_of(node)->to;
  copy->srcDevice = node_of(node)->from;
  copy->WidthInBytes = node_of(node)->bytes;
  copy->Height = copy->Depth = 1;
  return CUDA_SUCCESS;
}

CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* child) {
  *child = reinterpret_cast<CUgraph>(node_of(node)->child);
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiate(CUgraphExec* made, CUgraph graph, CUgraphNode*, char*, size_t) {
  *made = reinterpret_cast<CUgraphExec>(graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* made, CUgraph graph, unsigned long long) {
  *made = reinterpret_cast<CUgraphExec>(graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphExecDestroy(CUgraphExec) { return CUDA_SUCCESS; }
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, CUstream) { return CUDA_SUCCESS; }
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, size_t) { return CUDA_SUCCESS; }
CUresult cuMemcpyAsync(CUdeviceptr, CUdeviceptr, size_t, CUstream) { return CUDA_SUCCESS; }

// From CUDA 12 on, the plain name is the newer function's.
CUresult cuGetProcAddress(const char* name, void** function, int version, cuuint64_t) {
  const bool newer = std::strcmp(name, "cuGraphInstantiate") == 0 && version >= 12000;
  *function =
      newer ? reinterpret_cast<void*>(&cuGraphInstantiateWithFlags)
      : std::strcmp(name, "cuGraphInstantiate") == 0 ? reinterpret_cast<void*>(&cuGraphInstantiate)
      : std::strcmp(name, "cuMemcpyDtoHAsync") == 0 ? reinterpret_cast<void*>(&cuMemcpyDtoHAsync_v2)
                                                    : nullptr;
  return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}
}
