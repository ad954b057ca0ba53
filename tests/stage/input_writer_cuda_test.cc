// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What writes a network's input on a GPU judges views as the CPU does, whatever it judged before.
// Without a GPU these tests are skipped, and say what is missing.

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/device_writer.h"
#include "stage/input_writer.h"

namespace sightline {
namespace {

constexpr int kWidth = 320, kHeight = 240;
constexpr Size kTensor{96, 96};

// Rows of a sine wave, the shorter the further to the right: views differ in how sharp they are.
std::shared_ptr<GstBuffer> chirp() {
  GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, kWidth * kHeight, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      map.data[y * kWidth + x] = static_cast<guint8>(120 + 100 * std::sin(x * x / 500.0));
  gst_buffer_unmap(buffer, &map);
  return {buffer, gst_buffer_unref};
}

GstVideoInfo gray() {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, kWidth, kHeight);
  return info;
}

Region view(int index) {
  const float x = 10.f + 28.f * static_cast<float>(index % 8);
  return Region::box({x, 40, 80, 80}, kTensor);
}

class InputWriterCuda : public testing::Test {
 protected:
  void SetUp() override {
    try {
      gpu_ = cuda::Device::open(0);
    } catch (const Error& error) {
      GTEST_SKIP() << "no GPU to test on: " << error.what();
    }
    spec_.size = kTensor;
    spec_.filter = Filter::kArea;
    writer_ = InputWriter::make(spec_, gpu_);
    on_cpu_ = InputWriter::make(spec_, nullptr);
    stream_ = std::make_unique<cuda::Stream>(gpu_);
  }

  // What a batch of such views finds of each, as an engine would have it.
  std::vector<CropQuality> batch(const std::vector<int>& views) {
    std::vector<CropQuality> found(views.size());
    const cuda::DeviceMemory tensors(gpu_, views.size() * spec_.bytes_per_item());
    std::vector<Request> requests(views.size());
    std::vector<DeviceItem*> items;
    for (std::size_t i = 0; i < views.size(); ++i) {
      writer_->fill(requests[i], frame_, view(views[i]), &found[i], nullptr);
      items.push_back(requests[i].item.get());
    }
    requests.front().writer->write(items, tensors.address(), tensors.bytes(), *stream_);
    stream_->wait_on_host();
    for (DeviceItem* const item : items) item->finished();
    return found;
  }

  void expect_as_on_the_cpu(const std::optional<float>& found, int index, const char* when) {
    const auto expected = on_cpu_->sharpness(*frame_, view(index));
    ASSERT_TRUE(expected && found) << "view " << index << ", " << when;
    EXPECT_NEAR(*found, *expected, 0.01 * *expected) << "view " << index << ", " << when;
  }

  cuda::DevicePtr gpu_;
  TensorSpec spec_;
  const std::shared_ptr<GstBuffer> buffer_ = chirp();
  const std::shared_ptr<const MappedFrame> frame_ =
      std::make_shared<const MappedFrame>(buffer_.get(), gray());
  std::unique_ptr<const InputWriter> writer_, on_cpu_;
  std::unique_ptr<cuda::Stream> stream_;
};

TEST_F(InputWriterCuda, OneViewIsJudgedByItselfAfterABatchOfOthers) {
  expect_as_on_the_cpu(writer_->sharpness(*frame_, view(0)), 0, "before any batch");
  batch({7, 6, 5, 4, 3});
  for (int index = 0; index < 8; ++index)
    expect_as_on_the_cpu(writer_->sharpness(*frame_, view(index)), index, "after a batch of 5");
}

TEST_F(InputWriterCuda, BatchesOfAllSizesFindWhatTheCpuFindsOfEach) {
  for (const std::vector<int>& views : {std::vector{2, 6, 1}, std::vector{5},
                                        std::vector{0, 1, 2, 3, 4, 5, 6, 7}, std::vector{7, 0}}) {
    const std::vector<CropQuality> found = batch(views);
    const std::string when = "in a batch of " + std::to_string(views.size());
    for (std::size_t i = 0; i < views.size(); ++i) {
      expect_as_on_the_cpu(found[i].sharpness, views[i], when.c_str());
      std::vector<std::byte> item(spec_.bytes_per_item());
      Request request;
      CropQuality expected;
      on_cpu_->fill(request, frame_, view(views[i]), &expected, nullptr);
      request.write(item);
      EXPECT_NEAR(found[i].brightness, expected.brightness, 0.2)
          << "view " << views[i] << ", " << when;
    }
  }
}

}  // namespace
}  // namespace sightline
