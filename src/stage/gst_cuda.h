// SPDX-License-Identifier: LGPL-2.1-or-later
//
// CUDA memory as GStreamer's elements pass it on, and the context that decoders, kernels and
// networks share.
//
// GStreamer's library for CUDA is opened when the first GPU is used and never linked to: it brings
// OpenGL and Wayland along, and is not installed everywhere. What is needed of it is the same in
// GStreamer 1.22 and later; tests compare with its headers where those are there.

#pragma once

#include <memory>
#include <string>

#include <gst/gst.h>

#include "core/cuda.h"

namespace sightline {

// The caps feature.
inline constexpr char kCudaMemory[] = "memory:CUDAMemory";

// "{ NV12, P010_10LE, … }": the formats that are read in CUDA memory, for caps; empty in builds
// without CUDA.
std::string cuda_formats();

bool are_in_cuda_memory(const GstCaps* caps);  // by their first structure
bool is_in_cuda_memory(GstBuffer* buffer);

// To map CUDA memory for work on the device: as GST_MAP_CUDA.
inline constexpr int kMapCuda = GST_MAP_FLAG_LAST << 1;

// Which GPU a buffer in CUDA memory is on.
int gpu_of(GstBuffer* buffer);

// Work that is put into `stream` from now on waits for what writes `buffer`. Where the memory has a
// stream (GStreamer 1.24 and later) it waits on the device; before, decoders wait themselves.
void wait_for_writer(GstBuffer* buffer, const cuda::Stream& stream);

// A GPU's primary context, in which kernels and networks work, as GStreamer's elements share
// contexts. Two contexts on one GPU would take turns.
class GpuContext {
 public:
  // One a GPU, while somebody has it. Throws Error(kDevice): no such GPU, or no libgstcuda.
  static std::shared_ptr<const GpuContext> open(int gpu);

  GpuContext(const GpuContext&) = delete;
  GpuContext& operator=(const GpuContext&) = delete;
  ~GpuContext();

  const cuda::DevicePtr& device() const { return device_; }
  GstObject* handle() const { return handle_; }  // the GstCudaContext

  // Tells the bins around `element`, which then hand the context to whoever asks for one.
  void announce(GstElement* element) const;
  // Answers a query for a CUDA context; false: it is another query, or for another GPU.
  bool answer(GstElement* element, GstQuery* query) const;

 private:
  explicit GpuContext(cuda::DevicePtr device);

  const cuda::DevicePtr device_;
  GstObject* handle_ = nullptr;
};

}  // namespace sightline
