// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/cuda_canvas.h"

#ifdef SIGHTLINE_CUDA

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "core/cuda.h"
#include "core/error.h"
#include "elements/overlay/tiles.h"
#include "stage/gst_cuda.h"
#include "stage/mapped_frame.h"

// What nvcc made of draw.cu.
extern "C" {
extern const unsigned char sightline_draw_kernels[];
extern const unsigned char sightline_draw_kernels_end[];
}

namespace sightline {

namespace {

using cuda::DrawnFormat;
using cuda::DrawnSprite;

DrawnFormat drawn_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::kNv12:
      return DrawnFormat::kNv12;
    case PixelFormat::kRgba:
      return DrawnFormat::kRgba;
    case PixelFormat::kBgra:
      return DrawnFormat::kBgra;
    default:
      throw Error(ErrorCode::kInput, "cannot draw on format " + std::string(name_of(format)) +
                                         " in CUDA memory, expected one of " +
                                         cuda_drawing_formats() +
                                         ". Put cudaconvert before sightoverlay.");
  }
}

// Arrays of what is drawn, which go to the device together.
class Lists {
 public:
  explicit Lists(cuda::DevicePtr device) : device_(std::move(device)) {}

  void begin() { used_ = 0; }
  // Where the elements will be on the device, once upload() is done.
  template <typename T>
  const T* add(std::span<const T> elements) {
    const std::size_t at = used_;
    std::memcpy(host_.data() + at, elements.data(), elements.size_bytes());
    used_ += room_for<T>(elements.size());
    return reinterpret_cast<const T*>(there_.address() + at);
  }
  template <typename T>
  static std::size_t room_for(std::size_t count) {
    return (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  }
  // Grows, never shrinks. The stream is idle.
  void reserve(std::size_t bytes) {
    if (bytes <= host_.bytes()) return;
    host_ = cuda::PinnedMemory(device_, 2 * bytes);
    there_ = cuda::DeviceMemory(device_, 2 * bytes);
  }
  void upload(const cuda::Stream& stream) const {
    stream.upload(there_.address(), host_.data(), used_);
  }

 private:
  static constexpr std::size_t kAlignment = 16;

  const cuda::DevicePtr device_;
  std::size_t used_ = 0;
  cuda::PinnedMemory host_;
  cuda::DeviceMemory there_;
};

class GpuCanvas final : public CudaCanvas {
 public:
  explicit GpuCanvas(int gpu)
      : context_(GpuContext::open(gpu)),
        device_(context_->device()),
        stream_(device_),
        kernels_(device_, std::span(sightline_draw_kernels, sightline_draw_kernels_end)),
        draw_tiles_(kernels_.function("draw_tiles")),
        lists_(device_) {}

  int gpu() const override { return device_->info().ordinal; }

  void draw(const Sprites& sprites, const GstVideoInfo& info, GstBuffer* buffer) override {
    const MappedFrame frame(buffer, info, MapFor::kDeviceWrite);
    const FrameView& view = frame.view();
    cuda::Drawing drawing{};
    drawing.format = drawn_format(view.format);
    drawing.width = view.size.width;
    drawing.height = view.size.height;
    for (std::size_t p = 0; p < 2; ++p) {
      drawing.planes[p] = const_cast<unsigned char*>(view.planes[p].data);
      drawing.strides[p] = view.planes[p].stride;
    }
    try {
      launch(drawing, sprites, buffer);
    } catch (...) {
      stream_.wait_on_host();  // before the frame is unmapped
      throw;
    }
    stream_.wait_on_host();
  }

 private:
  void launch(cuda::Drawing& drawing, const Sprites& sprites, GstBuffer* buffer) {
    const Tiles tiles = tiles_of(sprites, {drawing.width, drawing.height});
    std::vector<DrawnSprite> drawn;
    for (const PlacedSprite& placed : sprites) drawn.push_back(drawn_sprite(placed));
    lists_.begin();
    lists_.reserve(Lists::room_for<DrawnSprite>(drawn.size()) +
                   Lists::room_for<cuda::DrawnTile>(tiles.tiles.size()) +
                   Lists::room_for<int>(tiles.order.size()));
    drawing.sprites = lists_.add(std::span<const DrawnSprite>(drawn));
    drawing.tiles = lists_.add(std::span<const cuda::DrawnTile>(tiles.tiles));
    drawing.order = lists_.add(std::span<const int>(tiles.order));
    lists_.upload(stream_);
    wait_for_writer(buffer, stream_);
    constexpr unsigned kBlocks = cuda::kDrawnTile / cuda::kDrawnBlock;
    const std::array<void*, 1> arguments = {&drawing};
    cuda::launch(draw_tiles_, {static_cast<unsigned>(tiles.tiles.size()), 1, 1},
                 {kBlocks, kBlocks, 1}, arguments, stream_);
  }

  DrawnSprite drawn_sprite(const PlacedSprite& placed) const {
    Sprite& sprite = *placed.sprite;
    DrawnSprite drawn{nullptr, 0, placed.x, placed.y, sprite.size().width, sprite.size().height};
    if (sprite.color()) {
      drawn.argb = *sprite.color();
      return drawn;
    }
    if (sprite.on_device() == nullptr) {
      const auto pixels = std::make_shared<cuda::DeviceMemory>(device_, sprite.bytes());
      sprite.read([&](const guint8* host) {
        stream_.upload(pixels->address(), host, sprite.bytes());
        stream_.wait_on_host();  // it is read once; from then on it lies there
      });
      sprite.keep_on_device(pixels);
    }
    drawn.pixels = reinterpret_cast<const unsigned*>(sprite.on_device()->address());
    return drawn;
  }

  const std::shared_ptr<const GpuContext> context_;
  const cuda::DevicePtr device_;
  const cuda::Stream stream_;
  const cuda::Module kernels_;
  CUfunc_st* const draw_tiles_;
  Lists lists_;
};

}  // namespace

std::unique_ptr<CudaCanvas> CudaCanvas::open(int gpu) { return std::make_unique<GpuCanvas>(gpu); }

const char* cuda_drawing_formats() { return "{ NV12, RGBA, BGRA }"; }

}  // namespace sightline

#else

namespace sightline {

std::unique_ptr<CudaCanvas> CudaCanvas::open(int) { return nullptr; }

const char* cuda_drawing_formats() { return ""; }

}  // namespace sightline

#endif
