// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/gst_cuda.h"

#include <utility>

#include <dlfcn.h>

#include "core/error.h"
#include "core/shared_values.h"
#ifdef SIGHTLINE_CUDA
#include "preprocess/cuda/batch_preprocessor.h"
#endif

namespace sightline {

namespace {

constexpr char kMemoryType[] = "gst.cuda.memory";
constexpr char kContextType[] = "gst.cuda.context";
constexpr char kGpuProperty[] = "cuda-device-id";  // of a GstCudaContext

// The beginning of GstCudaMemory.
struct CudaMemory {
  GstMemory memory;
  GstObject* context;  // a GstCudaContext
};

// What is used of libgstcuda.
struct Library {
  gboolean (*load_library)();
  GstObject* (*context_new_wrapped)(CUctx_st* context, int device);
  gpointer (*context_get_handle)(GstObject* context);
  GstContext* (*context_new_cuda_context)(GstObject* context);
  gboolean (*handle_context_query)(GstElement* element, GstQuery* query, GstObject* context);
  // From 1.24 on.
  gpointer (*memory_get_stream)(CudaMemory* memory) = nullptr;
  CUstream_st* (*stream_get_handle)(gpointer stream) = nullptr;

  Library() : library_(dlopen("libgstcuda-1.0.so.0", RTLD_LAZY | RTLD_LOCAL)) {
    if (library_ == nullptr)
      throw Error(ErrorCode::kDevice, std::string("GStreamer's CUDA library is not there: ") +
                                          dlerror() +
                                          ". Install GStreamer's plugins-bad, 1.22 or newer");
    need(load_library, "gst_cuda_load_library");
    need(context_new_wrapped, "gst_cuda_context_new_wrapped");
    need(context_get_handle, "gst_cuda_context_get_handle");
    need(context_new_cuda_context, "gst_context_new_cuda_context");
    need(handle_context_query, "gst_cuda_handle_context_query");
    find(memory_get_stream, "gst_cuda_memory_get_stream");
    find(stream_get_handle, "gst_cuda_stream_get_handle");
  }

 private:
  template <typename F>
  void find(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(library_, name));
  }
  template <typename F>
  void need(F& function, const char* name) {
    find(function, name);
    if (function == nullptr)
      throw Error(ErrorCode::kDevice, std::string("GStreamer's CUDA library lacks ") + name +
                                          ": GStreamer 1.22 or newer is needed");
  }

  void* library_;  // stays for the process: it registers types
};

// Tried again after a failure, so that each who asks is told why.
const Library& library() {
  static const Library the_library;
  return the_library;
}

CudaMemory* cuda_memory(GstBuffer* buffer) {
  if (gst_buffer_n_memory(buffer) == 0) return nullptr;
  GstMemory* const memory = gst_buffer_peek_memory(buffer, 0);
  return gst_memory_is_type(memory, kMemoryType) ? reinterpret_cast<CudaMemory*>(memory) : nullptr;
}

CudaMemory& must_be_cuda_memory(GstBuffer* buffer) {
  if (CudaMemory* const memory = cuda_memory(buffer)) return *memory;
  throw Error(ErrorCode::kInput, "a buffer is in system memory, its caps say memory:CUDAMemory");
}

}  // namespace

#ifdef SIGHTLINE_CUDA
std::string cuda_formats() {
  std::string list = "{ ";
  for (const PixelFormat format : cuda::pixel_formats())
    list += (list.size() > 2 ? ", " : "") + std::string(name_of(format));
  return list + " }";
}

void wait_for_writer(GstBuffer* buffer, const cuda::Stream& stream) {
  CudaMemory& memory = must_be_cuda_memory(buffer);
  const Library& gst = library();
  if (gst.memory_get_stream == nullptr || gst.stream_get_handle == nullptr) return;
  const gpointer written_in = gst.memory_get_stream(&memory);
  if (written_in == nullptr) return;
  // An event belongs to one context, so who decodes in another is waited for here.
  const cuda::DevicePtr& device = stream.device();
  if (gst.context_get_handle(memory.context) != device->context()) {
    cuda::wait_on_host(*device, gst.stream_get_handle(written_in));
    return;
  }
  cuda::Event written(device);
  written.record(gst.stream_get_handle(written_in));
  stream.wait_for(written);
}
#else
std::string cuda_formats() { return {}; }

void wait_for_writer(GstBuffer*, const cuda::Stream&) {}
#endif

bool are_in_cuda_memory(const GstCaps* caps) {
  return gst_caps_get_size(caps) > 0 &&
         gst_caps_features_contains(gst_caps_get_features(caps, 0), kCudaMemory);
}

bool is_in_cuda_memory(GstBuffer* buffer) { return cuda_memory(buffer) != nullptr; }

int gpu_of(GstBuffer* buffer) {
  guint gpu = 0;
  g_object_get(must_be_cuda_memory(buffer).context, kGpuProperty, &gpu, nullptr);
  return static_cast<int>(gpu);
}

std::shared_ptr<const GpuContext> GpuContext::open(int gpu) {
  static SharedValues<int, const GpuContext> open_ones;
  return open_ones.get(gpu, [gpu] {
    return std::shared_ptr<const GpuContext>(new GpuContext(cuda::Device::open(gpu)));
  });
}

GpuContext::GpuContext(cuda::DevicePtr device) : device_(std::move(device)) {
  const Library& gst = library();
  if (gst.load_library()) handle_ = gst.context_new_wrapped(device_->context(), device_->handle());
  if (handle_ == nullptr)
    throw Error(ErrorCode::kDevice, "GStreamer's CUDA library does not take the context of GPU " +
                                        std::to_string(device_->info().ordinal) +
                                        ": GST_DEBUG=cuda*:4 says more");
  // Bins, elements and buffers may have the context longer than anybody has this.
  g_object_set_data_full(G_OBJECT(handle_), "sightline-device", new cuda::DevicePtr(device_),
                         [](gpointer held) { delete static_cast<cuda::DevicePtr*>(held); });
}

GpuContext::~GpuContext() { gst_object_unref(handle_); }

void GpuContext::announce(GstElement* element) const {
  GstContext* const context = library().context_new_cuda_context(handle_);
  gst_element_set_context(element, context);
  gst_element_post_message(element, gst_message_new_have_context(GST_OBJECT(element), context));
}

bool GpuContext::answer(GstElement* element, GstQuery* query) const {
  const gchar* type = nullptr;
  if (GST_QUERY_TYPE(query) != GST_QUERY_CONTEXT || !gst_query_parse_context_type(query, &type) ||
      g_strcmp0(type, kContextType) != 0)
    return false;
  return library().handle_context_query(element, query, handle_);
}

}  // namespace sightline
