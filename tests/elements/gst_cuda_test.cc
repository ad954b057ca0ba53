// SPDX-License-Identifier: LGPL-2.1-or-later
//
// stage/gst_cuda.cc declares what it uses of GStreamer's CUDA library itself; here its headers are
// there to compare with.

#include "stage/gst_cuda.h"

#include <cstddef>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

namespace sightline {
namespace {

static_assert(kMapCuda == GST_MAP_CUDA);
static_assert(std::string_view(kCudaMemory) == GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY);
static_assert(offsetof(GstCudaMemory, context) == sizeof(GstMemory));
static_assert(std::is_same_v<CUcontext, CUctx_st*> && std::is_same_v<CUdevice, int>);
static_assert(std::is_same_v<decltype(gst_cuda_load_library), gboolean()>);
static_assert(
    std::is_same_v<decltype(gst_cuda_context_new_wrapped), GstCudaContext*(CUcontext, CUdevice)>);
static_assert(std::is_same_v<decltype(gst_cuda_context_get_handle), gpointer(GstCudaContext*)>);
static_assert(std::is_same_v<decltype(gst_context_new_cuda_context), GstContext*(GstCudaContext*)>);
static_assert(std::is_same_v<decltype(gst_cuda_handle_context_query),
                             gboolean(GstElement*, GstQuery*, GstCudaContext*)>);
static_assert(offsetof(GstCudaContext, object) == 0);  // used as a GstObject

TEST(GstCuda, NamesAreThoseOfTheLibrary) {
  EXPECT_STREQ(GST_CUDA_MEMORY_TYPE_NAME, "gst.cuda.memory");
  EXPECT_STREQ(GST_CUDA_CONTEXT_TYPE, "gst.cuda.context");
  GParamSpec* const gpu = g_object_class_find_property(
      G_OBJECT_CLASS(g_type_class_ref(GST_TYPE_CUDA_CONTEXT)), "cuda-device-id");
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->value_type, G_TYPE_UINT);
}

TEST(GstCuda, CapsTellWhereFramesAre) {
  const auto tell = [](const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    const bool in_cuda_memory = are_in_cuda_memory(caps);
    gst_caps_unref(caps);
    return in_cuda_memory;
  };
  EXPECT_TRUE(tell("video/x-raw(memory:CUDAMemory),format=NV12"));
  EXPECT_TRUE(tell("video/x-raw(memory:CUDAMemory, meta:GstVideoOverlayComposition)"));
  EXPECT_FALSE(tell("video/x-raw,format=NV12"));
  EXPECT_FALSE(tell("video/x-raw(memory:GLMemory),format=RGBA"));
}

TEST(GstCuda, SystemMemoryIsNone) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 100, nullptr);
  EXPECT_FALSE(is_in_cuda_memory(buffer));
  EXPECT_THROW(gpu_of(buffer), Error);
  gst_buffer_unref(buffer);
  buffer = gst_buffer_new();
  EXPECT_FALSE(is_in_cuda_memory(buffer));
  gst_buffer_unref(buffer);
}

TEST(GstCuda, AContextOfAGpuThatIsNotThereIsAnErrorThatSaysSo) {
  try {
    GpuContext::open(1000);
    ADD_FAILURE() << "GPU 1000 is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDevice);
    EXPECT_THAT(error.what(), ::testing::AnyOf(::testing::HasSubstr("driver is not there"),
                                               ::testing::HasSubstr("no GPU 1000")));
  }
}

}  // namespace
}  // namespace sightline
