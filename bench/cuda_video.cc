// SPDX-License-Identifier: LGPL-2.1-or-later

#include "cuda_video.h"

#include <cmath>
#include <stdexcept>

#include <sightline/frame.h>

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudamemory.h>

namespace sightline::bench {

namespace {

constexpr int kLandmarks = 68;

std::string caps() {
  return "video/x-raw(memory:CUDAMemory),format=NV12,width=" + std::to_string(kVideoSize.width) +
         ",height=" + std::to_string(kVideoSize.height);
}

GstVideoInfo video_info() {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, static_cast<guint>(kVideoSize.width),
                            static_cast<guint>(kVideoSize.height));
  return info;
}

GstBufferPool* make_pool(const GpuContext& context, guint frames) {
  gst_cuda_memory_init_once();
  GstBufferPool* pool = gst_cuda_buffer_pool_new(GST_CUDA_CONTEXT(context.handle()));
  GstCaps* text = gst_caps_from_string(caps().c_str());
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, text, static_cast<guint>(video_info().size), frames, 0);
  gst_caps_unref(text);
  if (!gst_buffer_pool_set_config(pool, config) || !gst_buffer_pool_set_active(pool, TRUE)) {
    gst_object_unref(pool);
    throw std::runtime_error("no pool of CUDA memory");
  }
  return pool;
}

void copy(GstBuffer* from, GstBuffer* to) {
  const GstVideoInfo info = video_info();
  GstVideoFrame source, target;
  if (!gst_video_frame_map(&source, &info, from, GST_MAP_READ) ||
      !gst_video_frame_map(&target, &info, to, GST_MAP_WRITE))
    throw std::runtime_error("a frame cannot be mapped");
  gst_video_frame_copy(&target, &source);
  gst_video_frame_unmap(&target);
  gst_video_frame_unmap(&source);
  GstMapInfo there;  // now the pixels go to the GPU
  if (!gst_buffer_map(to, &there, static_cast<GstMapFlags>(GST_MAP_READ | GST_MAP_CUDA)))
    throw std::runtime_error("a frame cannot be copied to the GPU");
  gst_buffer_unmap(to, &there);
}

void add_faces(GstBuffer* buffer, int count) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  sight_frame_set_size(frame, static_cast<guint>(kVideoSize.width),
                       static_cast<guint>(kVideoSize.height), nullptr);
  for (int i = 0; i < count; ++i) {
    const float x = 60 + static_cast<float>(i % 8) * 220, y = 60 + static_cast<float>(i / 8) * 120;
    const SightBox box{x, y, 110, 110};
    SightObject* face = sight_frame_add_object(frame, "face", 0, 0.9f, &box, 0, nullptr);
    SightPoint points[kLandmarks];
    for (int p = 0; p < kLandmarks; ++p) {
      const double angle = 0.37 * p;
      points[p] = {x + 55 + 40 * static_cast<float>(std::cos(angle)) * (1 - 0.01f * p),
                   y + 55 + 45 * static_cast<float>(std::sin(angle)) * (1 - 0.01f * p)};
    }
    sight_object_set_landmarks(face, points, kLandmarks, nullptr);
  }
  sight_frame_seal(frame);
}

}  // namespace

CudaVideo::CudaVideo(int gpu, int faces) : context_(GpuContext::open(gpu)) {
  const MemoryVideo video;
  constexpr int kFrames = 24;
  pool_ = make_pool(*context_, kFrames);
  for (int i = 0; i < kFrames; ++i) {
    GstBuffer* buffer = nullptr;
    if (gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr) != GST_FLOW_OK)
      throw std::runtime_error("the pool has no CUDA memory left");
    frames_.emplace_back(buffer);
    copy(video.frame(static_cast<std::uint64_t>(i)), buffer);
    add_faces(buffer, faces);
  }
}

CudaVideo::~CudaVideo() {
  frames_.clear();
  gst_buffer_pool_set_active(pool_, FALSE);
  gst_object_unref(pool_);
}

Frames CudaVideo::frames() const {
  return {caps(), [this](std::uint64_t number) {
            return frames_[static_cast<std::size_t>(number % frames_.size())].get();
          }};
}

}  // namespace sightline::bench
