// SPDX-License-Identifier: LGPL-2.1-or-later

#include "cuda_frames.h"

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>

namespace sightline::testing {

CudaPool::CudaPool(const std::string& format, int width, int height, unsigned most)
    : context_(GpuContext::open(0)) {
  gst_cuda_memory_init_once();
  gst_video_info_set_format(&info_, gst_video_format_from_string(format.c_str()),
                            static_cast<guint>(width), static_cast<guint>(height));
  GST_VIDEO_INFO_FPS_N(&info_) = 25;
  GST_VIDEO_INFO_FPS_D(&info_) = 1;
  caps_ = gst_video_info_to_caps(&info_);
  gst_caps_set_features(caps_, 0, gst_caps_features_new(kCudaMemory, nullptr));
  pool_ = gst_cuda_buffer_pool_new(GST_CUDA_CONTEXT(context_->handle()));
  GstStructure* config = gst_buffer_pool_get_config(pool_);
  gst_buffer_pool_config_set_params(config, caps_, static_cast<guint>(info_.size), 0, most);
  if (gst_buffer_pool_set_config(pool_, config) && gst_buffer_pool_set_active(pool_, TRUE)) return;
  gst_clear_object(&pool_);
}

bool CudaPool::may_hold(PixelFormat format) {
  guint major = 0, minor = 0, micro = 0, nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  const bool has_planar_rgb = major > 1 || minor >= 24;
  switch (format) {
    case PixelFormat::kGray8:
      return false;
    case PixelFormat::kRgbp:
    case PixelFormat::kGbr:
      return has_planar_rgb;
    default:
      return true;
  }
}

CudaPool::~CudaPool() {
  if (pool_ != nullptr) gst_buffer_pool_set_active(pool_, FALSE);
  gst_clear_object(&pool_);
  gst_clear_caps(&caps_);
}

GstBuffer* CudaPool::take() const {
  GstBufferPoolAcquireParams params{};
  params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  GstBuffer* buffer = nullptr;
  return gst_buffer_pool_acquire_buffer(pool_, &buffer, &params) == GST_FLOW_OK ? buffer : nullptr;
}

GstBuffer* CudaPool::copy_of(GstBuffer* host) const {
  GstBuffer* const buffer = take();
  if (buffer == nullptr) return nullptr;
  GstVideoFrame from, to;
  gst_video_frame_map(&from, &info_, host, GST_MAP_READ);
  gst_video_frame_map(&to, &info_, buffer, GST_MAP_WRITE);
  gst_video_frame_copy(&to, &from);
  gst_video_frame_unmap(&to);
  gst_video_frame_unmap(&from);
  return buffer;
}

bool CudaPool::is_unmapped(GstBuffer* buffer) const {
  GstVideoFrame frame;
  const auto flags = static_cast<GstMapFlags>(GST_MAP_WRITE | kMapCuda);
  if (!gst_video_frame_map(&frame, &info_, buffer, flags)) return false;
  gst_video_frame_unmap(&frame);
  return true;
}

}  // namespace sightline::testing
