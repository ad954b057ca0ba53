// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer on a GPU, with frames in CUDA memory and on the host. Without a GPU, its driver or the
// runtime's provider these tests are skipped, and say what is missing.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <span>

#include <gmock/gmock.h>

#include "core/cuda.h"
#include "cuda_frames.h"
#include "engine/session.h"
#include "infer_fixture.h"
#include "preprocess/cuda/batch_preprocessor.h"
#include "preprocess/reference.h"
#include "sightline/preprocess.h"
#include "stage/crop_quality.h"
#include "stage/mapped_frame.h"

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudamemory.h>

namespace sightline {
namespace {

using testing::CudaPool;
using testing::Element;
using ::testing::HasSubstr;
using testing::InferTest;
using testing::Pipeline;
using testing::Ptr;

// How far a pixel value of 0…255 may be from the reference: as tests/preprocess/cuda_test.cc.
constexpr double kTolerance = 1.0 / 256;
// The CPU path's, as its own test has it.
constexpr double kCpuTolerance = 1.0 / 8;

constexpr int kTensorWidth = 32, kTensorHeight = 24;

class SightInferCuda : public InferTest, public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string missing = gpu_complaint(0);
    if (!missing.empty()) GTEST_SKIP() << "no GPU to test on: " << missing;
    write_identity("seen", kTensorWidth, kTensorHeight);
    onnx::Builder network("embed");
    network.input("image", ElementType::kFloat32, {-1, 3, 150, 150});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    folder_.write("embed.onnx", network.file());
  }

  // A network that says what it sees.
  void write_identity(const std::string& name, int width, int height) {
    onnx::Builder network(name);
    const Shape shape{-1, 3, height, width};
    network.input("image", ElementType::kFloat32, shape);
    network.output("seen", ElementType::kFloat32, shape);
    network.node("Relu", {"image"}, {"seen"});  // pixels are not negative
    folder_.write(name + ".onnx", network.file());
  }

  std::string keys(const std::string& device, const std::string& more = "") {
    return "[property]\nmodel-family = raw\nbatch-size = 16\ndevice = " + device + "\n" + more;
  }
  std::string seen(const std::string& device, const std::string& more = "") {
    const std::string name = "seen-" + device.substr(0, 3) + ".ini";
    return folder_.write(name, keys(device, "onnx-file = seen.onnx\n" + more)).string();
  }
  // An embedding of faces aligned by five landmarks, with the quality of each.
  std::string embed(const std::string& device) {
    return folder_
        .write("embed-" + device.substr(0, 3) + ".ini",
               "[property]\nonnx-file = embed.onnx\nmodel-family = embedding\n"
               "embedding-normalize = 0\nprocess-mode = secondary\nalignment = arcface-112\n"
               "batch-size = 64\nscaling-filter = area\nnet-scale-factor = 0.0039215697906911373\n"
               "offsets = 120;110;100\ndevice = " +
                   device + "\n")
        .string();
  }

  static Ptr<GstBuffer> noise(const GstVideoInfo& info, unsigned seed) {
    std::mt19937 random(seed);
    Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
    GstMapInfo map;
    gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
    std::generate(map.data, map.data + map.size, [&] { return static_cast<guint8>(random()); });
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
  }

  static std::string text_of(const GstCaps* caps) {
    gchar* text = gst_caps_to_string(caps);
    std::string result = text;
    g_free(text);
    return result;
  }
  static std::string host_caps(const CudaPool& pool) {
    GstCaps* caps = gst_caps_copy(pool.caps());
    gst_caps_set_features(caps, 0, nullptr);
    const std::string text = text_of(caps);
    gst_caps_unref(caps);
    return text;
  }

  static std::unique_ptr<Element> stage(const std::string& config, const std::string& caps,
                                        int max_in_flight = 1) {
    auto element = std::make_unique<Element>("sightinfer name=stage config-file=" + config +
                                             " max-in-flight=" + std::to_string(max_in_flight));
    element->set_caps(caps);
    return element;
  }

  static std::vector<float> seen_by(Element& element, Ptr<GstBuffer> buffer) {
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    if (out == nullptr) {
      ADD_FAILURE() << element.error_text();
      return {};
    }
    return values(sight_frame_find_tensor(sight_buffer_get_frame(out.get()), "seen"));
  }

  // Objects all over the frame, and beyond its borders.
  static void add_objects(GstBuffer* buffer, int count, unsigned seed) {
    std::mt19937 random(seed);
    const auto uniform = [&](float low, float high) {
      return std::uniform_real_distribution<float>(low, high)(random);
    };
    SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
    sight_frame_set_size(frame, 320, 240, nullptr);
    sight_frame_set_stream(frame, "test", seed, nullptr);
    for (int i = 0; i < count; ++i) {
      const SightBox box{uniform(-20, 280), uniform(-20, 200), uniform(10, 120), uniform(10, 120)};
      SightObject* object = sight_frame_add_object(frame, "face", 0, 1, &box, 0, nullptr);
      const float x = box.x, y = box.y, w = box.width, h = box.height;
      const SightPoint five[] = {{x + 0.3f * w, y + 0.35f * h + uniform(-2, 2)},
                                 {x + 0.7f * w, y + 0.35f * h + uniform(-2, 2)},
                                 {x + 0.5f * w, y + 0.55f * h},
                                 {x + 0.35f * w, y + 0.75f * h + uniform(-2, 2)},
                                 {x + 0.65f * w, y + 0.75f * h + uniform(-2, 2)}};
      sight_object_set_landmarks(object, five, 5, nullptr);
    }
  }
};

void expect_near(const std::vector<float>& found, const std::vector<float>& expected,
                 double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
  EXPECT_LE(worst, tolerance) << what;
}

// A frame's pixels on the host as the reference sees them, in formats that the CPU path cannot.
FrameView reference_view(const GstVideoFrame& frame, PixelFormat format) {
  FrameView view;
  view.format = format;
  view.size = {frame.info.width, frame.info.height};
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame); ++p)
    view.planes[p] = {static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p)),
                      GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p)};
  const bool is_rgb = GST_VIDEO_INFO_IS_RGB(&frame.info);
  view.matrix = ColorMatrix::kBt601;  // GStreamer's guess for small frames
  view.range = is_rgb ? ColorRange::kFull : ColorRange::kLimited;
  view.site = {false, false};  // likewise
  return view;
}

TEST_F(SightInferCuda, EveryFormatGivesWhatTheReferenceAndTheCpuGive) {
  for (const PixelFormat format : cuda::pixel_formats()) {
    const std::string name(name_of(format));
    if (!CudaPool::may_hold(format)) {
      std::cout << "GStreamer has no " << name << " in CUDA memory\n";
      continue;
    }
    const CudaPool pool(name, 198, 142);
    ASSERT_TRUE(pool.is_there()) << name;
    for (const std::string filter : {"nearest", "bilinear", "area"}) {
      const std::string more = "scaling-filter = " + filter + "\n";
      const auto on_gpu = stage(seen("cuda:0", more), text_of(pool.caps()));
      const Ptr<GstBuffer> host = noise(pool.info(), 11);
      const auto found = seen_by(*on_gpu, Ptr<GstBuffer>(pool.copy_of(host.get())));

      GstVideoFrame frame;
      ASSERT_TRUE(gst_video_frame_map(&frame, &pool.info(), host.get(), GST_MAP_READ));
      TensorSpec spec;
      spec.size = {kTensorWidth, kTensorHeight};
      spec.filter = filter == "nearest"    ? Filter::kNearest
                    : filter == "bilinear" ? Filter::kBilinear
                                           : Filter::kArea;
      const FrameView view = reference_view(frame, format);
      const auto exact = reference::preprocess(
          view, Region::frame(view.size, spec.size, Placement::kStretch), spec);
      gst_video_frame_unmap(&frame);
      expect_near(found, {exact.begin(), exact.end()}, kTolerance, name + ", " + filter);
      if (format == PixelFormat::kP010) continue;
      const auto on_cpu = stage(seen("cpu", more), host_caps(pool));
      expect_near(found, seen_by(*on_cpu, noise(pool.info(), 11)), kTolerance + kCpuTolerance,
                  name + ", " + filter + ", beside the CPU");
    }
  }
}

TEST_F(SightInferCuda, FramesOnTheHostGiveWhatTheyGiveInCudaMemory) {
  const CudaPool pool("NV12", 640, 480);
  const auto in_cuda_memory = stage(seen("cuda:0"), text_of(pool.caps()));
  const auto on_host = stage(seen("cuda:0"), host_caps(pool));
  for (unsigned i = 0; i < 5; ++i) {
    const Ptr<GstBuffer> host = noise(pool.info(), i);
    const auto expected = seen_by(*in_cuda_memory, Ptr<GstBuffer>(pool.copy_of(host.get())));
    EXPECT_EQ(seen_by(*on_host, noise(pool.info(), i)), expected);
  }
}

TEST_F(SightInferCuda, CropsOfSeveralStreamsInOneBatchGiveWhatTheyGiveOnTheCpu) {
  const CudaPool pool("NV12", 320, 240);
  const std::string more = "process-mode = secondary\n";
  std::vector<std::unique_ptr<Element>> streams;
  for (int i = 0; i < 4; ++i)
    streams.push_back(stage(seen("cuda:0", more), text_of(pool.caps()), 4));
  const auto on_cpu = stage(seen("cpu", more), host_caps(pool));
  constexpr unsigned kRounds = 8;
  for (unsigned round = 0; round < kRounds; ++round)
    for (unsigned s = 0; s < streams.size(); ++s) {
      Ptr<GstBuffer> buffer(pool.copy_of(noise(pool.info(), 10 * round + s).get()));
      add_objects(buffer.get(), static_cast<int>(s * 5), 10 * round + s);
      ASSERT_EQ(streams[s]->push(std::move(buffer)), GST_FLOW_OK);
    }
  for (unsigned round = 0; round < kRounds; ++round)
    for (unsigned s = 0; s < streams.size(); ++s) {
      const Ptr<GstBuffer> out = pull(*streams[s]);
      ASSERT_NE(out, nullptr);
      Ptr<GstBuffer> host = noise(pool.info(), 10 * round + s);
      add_objects(host.get(), static_cast<int>(s * 5), 10 * round + s);
      const Ptr<GstBuffer> expected = on_cpu->through(std::move(host));
      const SightFrame *found = sight_buffer_get_frame(out.get()),
                       *cpu = sight_buffer_get_frame(expected.get());
      ASSERT_EQ(sight_frame_get_n_objects(found), s * 5);
      for (guint i = 0; i < s * 5; ++i)
        expect_near(values(sight_object_find_tensor(sight_frame_get_object(found, i), "seen")),
                    values(sight_object_find_tensor(sight_frame_get_object(cpu, i), "seen")),
                    kTolerance + kCpuTolerance, "object " + std::to_string(i));
    }
  EXPECT_GT(figure<double>(streams[0]->element(), "batch-fill") * 16, 2);
}

TEST_F(SightInferCuda, TheQualityOfCropsIsThatOfTheCpu) {
  const CudaPool pool("NV12", 320, 240);
  const auto on_gpu = stage(embed("cuda:0"), text_of(pool.caps()));
  const auto from_host = stage(embed("cuda:0"), host_caps(pool));
  const auto on_cpu = stage(embed("cpu"), host_caps(pool));
  constexpr int kFaces = 40;
  const auto frame = [&](bool in_cuda_memory) {
    Ptr<GstBuffer> host = noise(pool.info(), 5);
    // Smooth on the left, so that views differ in sharpness. Colours are so pale that none is cut
    // off at 0 or 255: the CPU judges the tensor, the GPU the frame's luma.
    GstMapInfo map;
    gst_buffer_map(host.get(), &map, GST_MAP_WRITE);
    for (int y = 0; y < 240; ++y)
      for (int x = 0; x < 320; ++x) {
        guint8& luma = map.data[y * 320 + x];
        luma = static_cast<guint8>(x < 160 ? 60 + x / 2 + luma % (1 + y / 4) : 70 + luma % 110);
      }
    for (gsize i = 320 * 240; i < map.size; ++i)
      map.data[i] = static_cast<guint8>(116 + map.data[i] % 24);
    gst_buffer_unmap(host.get(), &map);
    if (in_cuda_memory) host.reset(pool.copy_of(host.get()));
    add_objects(host.get(), kFaces, 3);
    return host;
  };
  const Ptr<GstBuffer> expected = on_cpu->through(frame(false));
  for (const bool in_cuda_memory : {true, false}) {
    const Ptr<GstBuffer> found =
        (in_cuda_memory ? on_gpu : from_host)->through(frame(in_cuda_memory));
    ASSERT_NE(found, nullptr);
    int sharp = 0;
    for (guint i = 0; i < kFaces; ++i) {
      const SightObject *a = sight_frame_get_object(sight_buffer_get_frame(found.get()), i),
                        *b = sight_frame_get_object(sight_buffer_get_frame(expected.get()), i);
      const auto is = find_quality(a), should = find_quality(b);
      ASSERT_TRUE(is && should) << i;
      EXPECT_FLOAT_EQ(is->residual, should->residual);
      EXPECT_FLOAT_EQ(is->magnification, should->magnification);
      EXPECT_NEAR(is->brightness, should->brightness, 0.2) << i;
      ASSERT_EQ(is->sharpness.has_value(), should->sharpness.has_value()) << i;
      if (!is->sharpness) continue;
      ++sharp;
      EXPECT_NEAR(*is->sharpness, *should->sharpness, 0.01 * *should->sharpness) << i;
      // The embedding is the mean of the crop's pixels; a mean of TF32 products is none.
      expect_near(values(sight_object_find_tensor(a, "embedding")),
                  values(sight_object_find_tensor(b, "embedding")), 1.0 / 255, std::to_string(i));
    }
    EXPECT_GT(sharp, kFaces / 2);
  }
}

// A large raw output is not copied to the host before somebody reads it, and outlives the element.
TEST_F(SightInferCuda, LargeTensorsStayOnTheGpuUntilTheyAreRead) {
  write_identity("large", 96, 80);
  const auto config = [&](const std::string& device) {
    return folder_
        .write("large-" + device.substr(0, 3) + ".ini", keys(device, "onnx-file = large.onnx\n"))
        .string();
  };
  const CudaPool pool("NV12", 320, 240);
  const auto on_cpu = stage(config("cpu"), host_caps(pool));
  std::vector<Ptr<SightTensor>> tensors;
  {
    const auto element = stage(config("cuda:0"), text_of(pool.caps()), 4);
    for (unsigned i = 0; i < 12; ++i)
      ASSERT_EQ(element->push(Ptr<GstBuffer>(pool.copy_of(noise(pool.info(), i).get()))),
                GST_FLOW_OK);
    for (unsigned i = 0; i < 12; ++i) {
      const Ptr<GstBuffer> out = pull(*element);
      SightTensor* tensor = const_cast<SightTensor*>(
          sight_frame_find_tensor(sight_buffer_get_frame(out.get()), "seen"));
      ASSERT_NE(tensor, nullptr);
      tensors.emplace_back(sight_tensor_ref(tensor));
    }
  }
  for (unsigned i = 0; i < 12; ++i) {
    SightTensor* tensor = tensors[i].get();
    EXPECT_EQ(sight_tensor_get_gpu(tensor), 0);
    gsize size = 0;
    EXPECT_NE(sight_tensor_get_device_data(tensor, &size), nullptr);
    EXPECT_EQ(size, 3u * 96 * 80 * sizeof(float));
    const Ptr<GstBuffer> expected = on_cpu->through(noise(pool.info(), i));
    expect_near(values(tensor),
                values(sight_frame_find_tensor(sight_buffer_get_frame(expected.get()), "seen")),
                kTolerance + kCpuTolerance, "frame " + std::to_string(i));
  }
}

// A table of boxes whose numbers are the picture's pixels: with hits alone, with more of them than
// there is room for, and with all that it has.
TEST_F(SightInferCuda, ADetectorOfWhichOnlyHitsComeFindsWhatTheWholeOutputsGive) {
  constexpr std::int64_t kRows = 1200, kColumns = 8;
  onnx::Builder network("table");
  network.input("image", ElementType::kFloat32, {-1, 1, kRows, kColumns});
  network.output("table", ElementType::kFloat32, {-1, kRows, kColumns});
  const std::int64_t shape[] = {-1, kRows, kColumns};
  network.constant("shape", {3}, std::span<const std::int64_t>(shape));
  network.node("Reshape", {"image", "shape"}, {"table"});
  folder_.write("table.onnx", network.file());
  const auto config = [&](const std::string& threshold, bool whole) {
    return folder_
        .write("table-" + threshold + (whole ? "-whole" : "") + ".ini",
               "[property]\nonnx-file = table.onnx\nmodel-family = yolov8\ndevice = cuda:0\n"
               "batch-size = 8\ncluster-mode = none\nnet-scale-factor = 0.0039215697906911373\n" +
                   std::string(whole ? "output-tensor-meta = 1\n" : "") +
                   "[class-attrs-all]\npre-cluster-threshold = " + threshold + "\n")
        .string();
  };
  const CudaPool pool("NV12", 320, 240);
  // At first there is room for 292, then for twice as many, or none are picked out. There are about
  // 110, 370 and nearly all.
  for (const std::string threshold : {"0.92", "0.8", "0.1"}) {
    const auto hits = stage(config(threshold, false), text_of(pool.caps()));
    const auto whole = stage(config(threshold, true), text_of(pool.caps()));
    for (unsigned i = 0; i < 6; ++i) {
      const Ptr<GstBuffer> host = noise(pool.info(), i);
      const Ptr<GstBuffer> a = hits->through(Ptr<GstBuffer>(pool.copy_of(host.get()))),
                           b = whole->through(Ptr<GstBuffer>(pool.copy_of(host.get())));
      ASSERT_TRUE(a && b) << threshold << hits->error_text() << whole->error_text();
      const SightFrame *found = sight_buffer_get_frame(a.get()),
                       *expected = sight_buffer_get_frame(b.get());
      const guint count = sight_frame_get_n_objects(expected);
      EXPECT_GT(count, 0u) << threshold;
      ASSERT_EQ(sight_frame_get_n_objects(found), count) << threshold << ", frame " << i;
      for (guint k = 0; k < count; ++k) {
        const SightObject *one = sight_frame_get_object(found, k),
                          *other = sight_frame_get_object(expected, k);
        SightBox x, y;
        sight_object_get_box(one, &x);
        sight_object_get_box(other, &y);
        const std::string where =
            threshold + ", frame " + std::to_string(i) + ", object " + std::to_string(k);
        EXPECT_TRUE(x.x == y.x && x.y == y.y && x.width == y.width && x.height == y.height)
            << where;
        EXPECT_EQ(sight_object_get_confidence(one), sight_object_get_confidence(other)) << where;
        EXPECT_EQ(sight_object_get_class_id(one), sight_object_get_class_id(other)) << where;
      }
    }
  }
}

TEST_F(SightInferCuda, AFrameInCudaMemoryBecomesATensorThere) {
  const CudaPool pool("NV12", 320, 240);
  GError* error = nullptr;
  SightPreprocessSpec* spec = sight_preprocess_spec_new("width=64; height=48", &error);
  ASSERT_NE(spec, nullptr) << error->message;
  const Ptr<GstBuffer> host = noise(pool.info(), 4);
  const Ptr<GstBuffer> there(pool.copy_of(host.get()));
  const Ptr<SightTensor> expected(
      sight_frame_to_tensor(host.get(), &pool.info(), nullptr, spec, &error));
  ASSERT_NE(expected, nullptr) << error->message;
  const Ptr<SightTensor> found(
      sight_frame_to_tensor(there.get(), &pool.info(), nullptr, spec, &error));
  ASSERT_NE(found, nullptr) << error->message;
  EXPECT_EQ(sight_tensor_get_gpu(expected.get()), -1);
  EXPECT_EQ(sight_tensor_get_gpu(found.get()), 0);
  expect_near(values(found.get()), values(expected.get()), kTolerance + kCpuTolerance, "tensor");
  EXPECT_TRUE(pool.is_unmapped(there.get()));
  sight_preprocess_spec_unref(spec);
}

TEST_F(SightInferCuda, BuffersAreUnmappedAndGoBackToTheirPool) {
  constexpr unsigned kBuffers = 8;
  const CudaPool pool("NV12", 320, 240, kBuffers);
  const Ptr<GstBuffer> host = noise(pool.info(), 1);
  const auto element = stage(seen("cuda:0"), text_of(pool.caps()), 4);
  for (int i = 0; i < 200; ++i) {
    Ptr<GstBuffer> buffer(pool.copy_of(host.get()));
    ASSERT_NE(buffer, nullptr) << "frame " << i << ": the pool has run dry";
    ASSERT_EQ(element->push(std::move(buffer)), GST_FLOW_OK);
    if (i < 4) continue;  // some stay inside
    const Ptr<GstBuffer> out = pull(*element);
    ASSERT_NE(out, nullptr);
    EXPECT_TRUE(pool.is_unmapped(out.get())) << i;
  }
}

TEST_F(SightInferCuda, FlushesLetGoOfAllFrames) {
  constexpr unsigned kBuffers = 8;
  const CudaPool pool("NV12", 320, 240, kBuffers);
  const Ptr<GstBuffer> host = noise(pool.info(), 1);
  const auto element = stage(seen("cuda:0"), text_of(pool.caps()), 4);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 4; ++i) element->push(Ptr<GstBuffer>(pool.copy_of(host.get())));
    gst_harness_push_event(element->get(), gst_event_new_flush_start());
    gst_harness_push_event(element->get(), gst_event_new_flush_stop(TRUE));
    while (GstBuffer* left = gst_harness_try_pull(element->get())) gst_buffer_unref(left);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(element->get(), gst_event_new_segment(&segment));
    std::vector<Ptr<GstBuffer>> all;
    EXPECT_TRUE(testing::eventually([&] {
      while (GstBuffer* buffer = pool.take()) all.emplace_back(buffer);
      return all.size() == kBuffers;
    })) << "round "
        << round << ": " << all.size() << " of " << kBuffers << " came back";
  }
}

TEST_F(SightInferCuda, AHundredRestartsLoseNothing) {
  constexpr unsigned kBuffers = 6;
  const CudaPool pool("NV12", 320, 240, kBuffers);
  const Ptr<GstBuffer> host = noise(pool.info(), 1);
  const std::string config = seen("cuda:0");
  const auto keeps_the_engine = stage(config, text_of(pool.caps()));
  for (int round = 0; round < 100; ++round) {
    const auto element = stage(config, text_of(pool.caps()), 1 + round % 4);
    for (int i = 0; i < 4; ++i)
      ASSERT_EQ(element->push(Ptr<GstBuffer>(pool.copy_of(host.get()))), GST_FLOW_OK);
    if (round % 2 == 0) {
      gst_harness_push_event(element->get(), gst_event_new_eos());
      for (int i = 0; i < 4; ++i) ASSERT_NE(pull(*element), nullptr);
    }
  }
  std::vector<Ptr<GstBuffer>> all;
  while (GstBuffer* buffer = pool.take()) all.emplace_back(buffer);
  EXPECT_EQ(all.size(), kBuffers);
}

TEST_F(SightInferCuda, ABufferThatIsNotWhereItsCapsSayIsAnError) {
  const CudaPool pool("NV12", 320, 240);
  const auto element = stage(seen("cuda:0"), text_of(pool.caps()));
  EXPECT_EQ(element->push(noise(pool.info(), 1)), GST_FLOW_ERROR);
  EXPECT_THAT(element->error_text(), HasSubstr("system memory although its caps say"));
}

TEST_F(SightInferCuda, TheNetworkOnTheCpuSaysWhatToDoWithFramesInCudaMemory) {
  const CudaPool pool("NV12", 320, 240);
  const auto element = stage(seen("cpu"), text_of(pool.caps()));
  element->push(Ptr<GstBuffer>(pool.copy_of(noise(pool.info(), 1).get())));
  std::string said;
  EXPECT_TRUE(testing::eventually([&] { return !(said = element->error_text()).empty(); }));
  EXPECT_THAT(said, HasSubstr("cudadownload"));
}

// --- in pipelines with GStreamer's own elements ---

// What the pipeline's decoders and converters work in.
gpointer context_of(GstBuffer* buffer) {
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  return gst_is_cuda_memory(memory)
             ? gst_cuda_context_get_handle(GST_CUDA_MEMORY_CAST(memory)->context)
             : nullptr;
}

class SightInferCudaPipeline : public SightInferCuda {
 protected:
  void SetUp() override {
    SightInferCuda::SetUp();
    if (IsSkipped()) return;
    static std::once_flag loaded;
    std::call_once(loaded, [] {
      for (const char* name : {"x264", "videoparsersbad", "nvcodec"}) {
        GstPlugin* plugin = gst_plugin_load_file(
            (std::string(GSTREAMER_PLUGINS "/libgst") + name + ".so").c_str(), nullptr);
        if (plugin != nullptr) gst_object_unref(plugin);  // has() says what is missing
      }
    });
  }

  static bool has(const char* element) {
    GstElementFactory* factory = gst_element_factory_find(element);
    if (factory != nullptr) gst_object_unref(factory);
    return factory != nullptr;
  }
};

TEST_F(SightInferCudaPipeline, ElementsBeforeItWorkInTheContextOfTheNetwork) {
  if (!has("cudaupload")) GTEST_SKIP() << "this GStreamer has no cudaupload here";
  Pipeline pipeline(
      "videotestsrc num-buffers=20 ! video/x-raw,format=NV12,width=320,height=240 ! cudaupload ! "
      "video/x-raw(memory:CUDAMemory) ! sightinfer config-file=" +
      seen("cuda:0") + " ! fakesink name=sink");
  int frames = 0;
  const auto device = cuda::Device::open(0);
  const auto sink = pipeline.element("sink");
  GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
  {
    testing::PadWatch watch(pad, [&](GstBuffer* buffer, GstEvent*) {
      if (buffer == nullptr) return GST_FLOW_OK;
      ++frames;
      EXPECT_EQ(context_of(buffer), device->context());
      EXPECT_NE(sight_frame_find_tensor(sight_buffer_get_frame(buffer), "seen"), nullptr);
      return GST_FLOW_OK;
    });
    pipeline.set(GST_STATE_PLAYING);
    EXPECT_TRUE(pipeline.ends());
    pipeline.set(GST_STATE_NULL);
  }
  gst_object_unref(pad);
  EXPECT_EQ(frames, 20);
}

// The context outlives the element that made it: the pipeline hands it out again, and buffers need
// it.
TEST_F(SightInferCudaPipeline, RestartsAndBuffersThatStayFindTheContextAlive) {
  if (!has("cudaupload")) GTEST_SKIP() << "this GStreamer has no cudaupload here";
  std::vector<Ptr<GstBuffer>> kept;
  {
    Pipeline pipeline(
        "videotestsrc num-buffers=5 pattern=white ! "
        "video/x-raw,format=NV12,width=320,height=240 ! cudaupload ! "
        "video/x-raw(memory:CUDAMemory) ! sightinfer config-file=" +
        seen("cuda:0") + " ! fakesink name=sink");
    const auto sink = pipeline.element("sink");
    GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
    for (int round = 0; round < 20; ++round) {
      testing::PadWatch watch(pad, [&](GstBuffer* buffer, GstEvent*) {
        if (buffer != nullptr) kept.emplace_back(gst_buffer_ref(buffer));
        return GST_FLOW_OK;
      });
      pipeline.set(GST_STATE_PLAYING);
      ASSERT_TRUE(pipeline.ends()) << "round " << round;
      pipeline.set(GST_STATE_NULL);
    }
    gst_object_unref(pad);
  }
  ASSERT_EQ(kept.size(), 100u);
  for (const Ptr<GstBuffer>& buffer : kept) {
    const GstVideoInfo info = testing::video_info("NV12", 320, 240);
    GstVideoFrame frame;
    ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_READ));
    EXPECT_EQ(static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0))[0], 235);
    gst_video_frame_unmap(&frame);
  }
}

// Decoded on the GPU, straight into the network; the same stream decoded by the same decoder,
// downloaded, on the CPU.
TEST_F(SightInferCudaPipeline, DecodedVideoGivesWhatTheCpuGives) {
  if (!has("x264enc") || !has("h264parse") || !has("nvh264dec"))
    GTEST_SKIP() << "x264enc, h264parse or nvh264dec is not there";
  const auto means = [&](const std::string& between, const std::string& device) {
    Pipeline pipeline(
        "videotestsrc num-buffers=30 pattern=ball ! "
        "video/x-raw,format=NV12,width=640,height=480,framerate=25/1 ! "
        "x264enc speed-preset=ultrafast ! h264parse ! "
        "nvh264dec ! " +
        between + " ! sightinfer config-file=" + seen(device) + " ! fakesink name=sink");
    std::vector<std::vector<float>> found;
    const auto sink = pipeline.element("sink");
    GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
    {
      testing::PadWatch watch(pad, [&](GstBuffer* buffer, GstEvent*) {
        if (buffer != nullptr) {
          found.push_back(values(sight_frame_find_tensor(sight_buffer_get_frame(buffer), "seen")));
          EXPECT_EQ(is_in_cuda_memory(buffer), device == "cuda:0");
        }
        return GST_FLOW_OK;
      });
      pipeline.set(GST_STATE_PLAYING);
      EXPECT_TRUE(pipeline.ends());
      pipeline.set(GST_STATE_NULL);
    }
    gst_object_unref(pad);
    return found;
  };
  const auto on_gpu = means("video/x-raw(memory:CUDAMemory)", "cuda:0");
  const auto on_cpu = means("video/x-raw", "cpu");
  ASSERT_EQ(on_gpu.size(), 30u);
  ASSERT_EQ(on_cpu.size(), 30u);
  for (std::size_t i = 0; i < on_gpu.size(); ++i)
    expect_near(on_gpu[i], on_cpu[i], kTolerance + kCpuTolerance, "frame " + std::to_string(i));
}

}  // namespace
}  // namespace sightline
