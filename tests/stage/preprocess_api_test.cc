// SPDX-License-Identifier: LGPL-2.1-or-later
//
// include/sightline/preprocess.h as a C program uses it, against the reference in double precision.

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <sightline/preprocess.h>
#include <sightline/shape.h>

#include <gtest/gtest.h>

#include "../meta/gerror_matcher.h"
#include "critical.h"
#include "preprocess/reference.h"

namespace sightline {
namespace {

// As of preprocess(): tests/preprocess/preprocess_test.cc says where it comes from.
constexpr double kTolerance = 0.125;

struct Unref {
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(SightFrame* it) const { sight_frame_unref(it); }
  void operator()(SightPreprocessSpec* it) const { sight_preprocess_spec_unref(it); }
  void operator()(SightTensor* it) const { sight_tensor_unref(it); }
};
using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using FramePtr = std::unique_ptr<SightFrame, Unref>;
using SpecPtr = std::unique_ptr<SightPreprocessSpec, Unref>;
using TensorPtr = std::unique_ptr<SightTensor, Unref>;

GstVideoInfo info_of(GstVideoFormat format, guint width, guint height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, width, height);
  return info;
}

BufferPtr noise(const GstVideoInfo& info) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(0, 255);
  std::vector<guint8> bytes(info.size);
  for (guint8& value : bytes) value = static_cast<guint8>(byte(random));
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  gst_buffer_fill(buffer.get(), 0, bytes.data(), bytes.size());
  return buffer;
}

SpecPtr spec_of(const std::string& text) {
  GError* error = nullptr;
  SpecPtr spec(sight_preprocess_spec_new(text.c_str(), &error));
  EXPECT_EQ(error, nullptr) << error->message;
  return spec;
}

// What the reference makes of a buffer whose planes lie as `info` says.
std::vector<double> expected_of(GstBuffer* buffer, const GstVideoInfo& info, PixelFormat format,
                                const Region& region, const TensorSpec& spec) {
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_READ);
  FrameView view;
  view.format = format;
  view.size = {info.width, info.height};
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane)
    view.planes[plane] = {map.data + info.offset[plane], info.stride[plane]};
  // GStreamer's defaults: up to 576 lines BT.601 with chroma centred, YUV of limited range.
  const bool small = info.height <= 576;
  view.matrix = small ? ColorMatrix::kBt601 : ColorMatrix::kBt709;
  view.site = {!small, false};
  view.range = GST_VIDEO_INFO_IS_YUV(&info) ? ColorRange::kLimited : ColorRange::kFull;
  std::vector<double> values = reference::preprocess(view, region, spec);
  gst_buffer_unmap(buffer, &map);
  return values;
}

void expect_floats(const TensorPtr& tensor, const std::vector<double>& expected,
                   double tolerance = kTolerance) {
  ASSERT_NE(tensor, nullptr);
  gsize count = 0;
  const gfloat* values = sight_tensor_get_floats(tensor.get(), &count, nullptr);
  ASSERT_EQ(count, expected.size());
  for (gsize i = 0; i < count; ++i) ASSERT_NEAR(values[i], expected[i], tolerance) << i;
}

std::vector<gint64> shape_of(const TensorPtr& tensor) {
  guint count = 0;
  const gint64* shape = sight_tensor_get_shape(tensor.get(), &count);
  return {shape, shape + count};
}

TensorPtr make(const BufferPtr& buffer, const GstVideoInfo* info, const SightObject* object,
               const SpecPtr& spec) {
  GError* error = nullptr;
  TensorPtr tensor(sight_frame_to_tensor(buffer.get(), info, object, spec.get(), &error));
  EXPECT_EQ(error, nullptr) << error->message;
  return tensor;
}

class PreprocessApi : public testing::Test {
 protected:
  SightObject* object(const SightBox& box) {
    return sight_frame_add_object(frame_.get(), "face", 0, 1, &box, 0, nullptr);
  }

  FramePtr frame_{sight_frame_new(64, 48)};
};

TEST_F(PreprocessApi, AWholeFrameOfEachKindEqualsTheReference) {
  const SpecPtr spec = spec_of("width=20; height=12");
  TensorSpec wanted;
  wanted.size = {20, 12};
  const Region whole{{64 / 20.0, 0, 0, 0, 48 / 12.0, 0}, {}};
  const std::pair<GstVideoFormat, PixelFormat> formats[] = {
      {GST_VIDEO_FORMAT_NV12, PixelFormat::kNv12},
      {GST_VIDEO_FORMAT_I420, PixelFormat::kI420},
      {GST_VIDEO_FORMAT_YUY2, PixelFormat::kYuy2},
      {GST_VIDEO_FORMAT_BGRx, PixelFormat::kBgrx},
      {GST_VIDEO_FORMAT_RGB, PixelFormat::kRgb}};
  for (const auto& [format, same] : formats) {
    SCOPED_TRACE(gst_video_format_to_string(format));
    const GstVideoInfo info = info_of(format, 64, 48);
    const BufferPtr buffer = noise(info);
    const TensorPtr tensor = make(buffer, &info, nullptr, spec);
    EXPECT_EQ(shape_of(tensor), (std::vector<gint64>{3, 12, 20}));
    expect_floats(tensor, expected_of(buffer.get(), info, same, whole, wanted));
  }
}

TEST_F(PreprocessApi, ABoxThatReachesBeyondTheFrameIsCroppedScaledAndPadded) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  TensorSpec wanted;
  wanted.size = {10, 10};
  wanted.channels = Channels::kBgr;
  wanted.layout = Layout::kNhwc;
  wanted.filter = Filter::kArea;
  wanted.mean = {127.5f, 120, 110};
  wanted.deviation = {128, 64, 32};
  wanted.pad_value = {127.5f, 120, 110};
  const SpecPtr spec = spec_of(
      "width=10; height=10; model-color-format=bgr; network-input-order=nhwc; scaling-filter=area;"
      "offsets=127.5,120,110; std=128;64;32; pad-value=127.5,120,110; crop=square; "
      "crop-margin=0.1");
  // 20 × 10 with a tenth on each side is 24 × 12; the square around it 24 × 24, about (60, 15).
  const Region region{{2.4, 0, 60 - 12, 0, 2.4, 15 - 12}, {}};
  const TensorPtr tensor = make(buffer, &info, object({50, 10, 20, 10}), spec);
  EXPECT_EQ(shape_of(tensor), (std::vector<gint64>{10, 10, 3}));
  expect_floats(tensor, expected_of(buffer.get(), info, PixelFormat::kNv12, region, wanted),
                kTolerance / 32);
}

TEST_F(PreprocessApi, AFaceIsTurnedUpright) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  // ArcFace's template as it was published, where pixel (0, 0) has its centre at (0, 0).
  constexpr std::array<std::array<double, 2>, 5> kPublished = {{{38.2946, 51.6963},
                                                                {73.5318, 51.5014},
                                                                {56.0252, 71.7366},
                                                                {41.5493, 92.3655},
                                                                {70.7299, 92.2041}}};
  const double angle = 0.4, scale = 0.3;
  const Affine2 to_frame{scale * std::cos(angle), -scale * std::sin(angle), 20,
                         scale * std::sin(angle), scale * std::cos(angle),  5};
  std::vector<SightPoint> landmarks;
  for (const auto& [x, y] : kPublished) {
    const Point p = to_frame({static_cast<float>(x + 0.5), static_cast<float>(y + 0.5)});
    landmarks.push_back({p.x, p.y});
  }
  SightObject* face = object({10, 10, 30, 30});
  ASSERT_TRUE(sight_object_set_landmarks(face, landmarks.data(), 5, nullptr));
  // As in the documentation.
  const SpecPtr spec = spec_of(
      "width=112; height=112; model-color-format=bgr; alignment=arcface-112; "
      "offsets=127.5,127.5,127.5; std=128,128,128");
  TensorSpec wanted;
  wanted.size = {112, 112};
  wanted.channels = Channels::kBgr;
  wanted.mean = {127.5f, 127.5f, 127.5f};
  wanted.deviation = {128, 128, 128};
  const std::vector<double> expected =
      expected_of(buffer.get(), info, PixelFormat::kNv12, Region{to_frame, {}}, wanted);
  const TensorPtr tensor = make(buffer, &info, face, spec);
  gsize count = 0;
  const gfloat* values = sight_tensor_get_floats(tensor.get(), &count, nullptr);
  ASSERT_EQ(count, expected.size());
  // The landmarks are rounded to float, 1e-6 of 64 pixels, which moves samples by 1e-5 pixels: of
  // noise, 0.01 of 255 levels. It also decides whether a sample at the very edge is outside.
  int outside = 0;
  for (gsize i = 0; i < count; ++i)
    outside += std::abs(values[i] - expected[i]) > (kTolerance + 0.02) / 128;
  EXPECT_LE(outside, 3);
}

TEST_F(PreprocessApi, AnOrientedBoxIsTurnedLevel) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  TensorSpec wanted;
  wanted.size = {24, 12};
  const std::string text = "width=24; height=12; crop=oriented; crop-margin=0.1";
  // 20 × 10 about (30, 22), with a tenth on each side, turned.
  const double c = std::cos(0.5), s = std::sin(0.5);
  const Affine2 to_frame{c, -s, 30 - 12 * c + 6 * s, s, c, 22 - 12 * s - 6 * c};
  std::vector<SightPoint> corners;
  for (const auto& [x, y] : {std::pair{2., 1.}, {22., 1.}, {22., 11.}, {2., 11.}})
    corners.push_back({static_cast<float>(to_frame.xx * x + to_frame.xy * y + to_frame.x0),
                       static_cast<float>(to_frame.yx * x + to_frame.yy * y + to_frame.y0)});
  SightObject* line = object({15, 10, 30, 24});
  ASSERT_TRUE(sight_object_set_corners(line, corners.data(), nullptr));
  // Corners are rounded to float, 4e-6 of 64 pixels, which moves samples of noise by 0.01 levels.
  expect_floats(make(buffer, &info, line, spec_of(text)),
                expected_of(buffer.get(), info, PixelFormat::kNv12, Region{to_frame, {}}, wanted),
                kTolerance + 0.02);
  // Of an object that has none: its box.
  const Region level{{1, 0, 30 - 12, 0, 1, 22 - 6}, {}};
  expect_floats(make(buffer, &info, object({20, 17, 20, 10}), spec_of(text)),
                expected_of(buffer.get(), info, PixelFormat::kNv12, level, wanted), kTolerance);
}

TEST_F(PreprocessApi, FivePointsMayBeWrittenOut) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGB, 64, 48);
  const BufferPtr buffer = noise(info);
  SightObject* face = object({0, 0, 64, 48});
  const SightPoint points[] = {
      {10.5f, 10.5f}, {20.5f, 10.5f}, {15.5f, 15.5f}, {11.5f, 20.5f}, {19.5f, 20.5f}};
  ASSERT_TRUE(sight_object_set_landmarks(face, points, 5, nullptr));
  const SpecPtr spec = spec_of(
      "width=30; height=30; alignment=10,10;20,10;15,15;11,20;19,20; scaling-filter=nearest");
  TensorSpec wanted;
  wanted.size = {30, 30};
  expect_floats(make(buffer, &info, face, spec),
                expected_of(buffer.get(), info, PixelFormat::kRgb, Region{{}, {}}, wanted));
}

TEST_F(PreprocessApi, ElementsMayBeBytes) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGB, 64, 48);
  const BufferPtr buffer = noise(info);
  const TensorPtr tensor =
      make(buffer, &info, nullptr,
           spec_of("width=64; height=48; element-type=uint8; network-input-order=nhwc"));
  EXPECT_EQ(sight_tensor_get_element_type(tensor.get()), SIGHT_ELEMENT_UINT8);
  gsize size = 0;
  const auto* pixels =
      static_cast<const guint8*>(sight_tensor_get_data(tensor.get(), &size, nullptr));
  ASSERT_EQ(size, 64u * 48 * 3);
  std::vector<guint8> in(info.size);
  gst_buffer_extract(buffer.get(), 0, in.data(), in.size());
  for (gsize y = 0; y < 48; ++y)
    EXPECT_EQ(std::memcmp(pixels + y * 64 * 3, in.data() + y * static_cast<gsize>(info.stride[0]),
                          64 * 3),
              0);
}

TEST_F(PreprocessApi, WithoutAnInfoTheBufferTellsHowItsPlanesLie) {
  GstVideoInfo info = info_of(GST_VIDEO_FORMAT_I420, 64, 48);
  GstVideoAlignment padding;
  gst_video_alignment_reset(&padding);
  padding.padding_right = 24;
  padding.padding_bottom = 6;
  ASSERT_TRUE(gst_video_info_align(&info, &padding));
  const BufferPtr buffer = noise(info);
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 64,
                                 48, GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
  TensorSpec wanted;
  wanted.size = {32, 24};
  const Region whole{{2, 0, 0, 0, 2, 0}, {}};
  const std::vector<double> expected =
      expected_of(buffer.get(), info, PixelFormat::kI420, whole, wanted);
  const SpecPtr spec = spec_of("width=32; height=24");
  expect_floats(make(buffer, nullptr, nullptr, spec), expected);
  // The buffer knows better than the caps.
  const GstVideoInfo tight = info_of(GST_VIDEO_FORMAT_I420, 64, 48);
  expect_floats(make(buffer, &tight, nullptr, spec), expected);
}

TEST_F(PreprocessApi, WithoutAnInfoColoursAreThoseThatGStreamerGuesses) {
  const SpecPtr spec = spec_of("width=8; height=8");
  TensorSpec wanted;
  wanted.size = {8, 8};
  for (const guint lines : {576u, 578u, 720u}) {
    SCOPED_TRACE(lines);
    const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 32, lines);
    const BufferPtr buffer = noise(info);
    const Region whole{{4, 0, 0, 0, lines / 8.0, 0}, {}};
    const std::vector<double> expected =
        expected_of(buffer.get(), info, PixelFormat::kNv12, whole, wanted);
    expect_floats(make(buffer, &info, nullptr, spec), expected);
    GstVideoInfo silent = info;  // as of caps whose colorimetry leaves the matrix open
    silent.colorimetry.matrix = GST_VIDEO_COLOR_MATRIX_UNKNOWN;
    silent.chroma_site = GST_VIDEO_CHROMA_SITE_UNKNOWN;
    expect_floats(make(buffer, &silent, nullptr, spec), expected);
    gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 32,
                              lines);
    expect_floats(make(buffer, nullptr, nullptr, spec), expected);
  }
}

TEST_F(PreprocessApi, ASpecificationComesFromAConfigurationFileToo) {
  GError* error = nullptr;
  const SpecPtr spec(
      sight_preprocess_spec_new_from_config(MODELS "/face-detect.ini", 32, 24, &error));
  ASSERT_EQ(error, nullptr) << error->message;
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGB, 64, 48);
  EXPECT_EQ(shape_of(make(noise(info), &info, nullptr, spec)), (std::vector<gint64>{3, 24, 32}));

  const auto refused = [](SightError code, const char* words, const char* file, guint width) {
    expect_error(code, words, [&](GError** problem) {
      return sight_preprocess_spec_new_from_config(file, width, 24, problem);
    });
  };
  refused(SIGHT_ERROR_NOT_FOUND, "/nowhere.ini", "/nowhere.ini", 32);
  refused(SIGHT_ERROR_CONFIG, "20000x24", MODELS "/face-detect.ini", 20000);
  refused(SIGHT_ERROR_CONFIG, "width and height", MODELS "/face-detect.ini", 0);
}

TEST_F(PreprocessApi, AWrongSpecificationIsNamedByItsKey) {
  const auto refused = [](const char* text, const char* words) {
    SCOPED_TRACE(text);
    expect_error(SIGHT_ERROR_CONFIG, words,
                 [&](GError** error) { return sight_preprocess_spec_new(text, error); });
  };
  refused("", "width and height");
  refused("width=10", "width and height");
  refused("width=10; height=0", "height");
  refused("width=10; height=20000", "height");
  refused("width=10; height=ten", "ten");
  refused("width=10; height=10; colour=green", "colour");
  refused("width=10; height=10; element-type=int64", "element-type");
  refused("width=10; height=10; alignment=none", "Known: dlib-150");
  refused("width=10; height=10; crop=aligned", "alignment");
  refused("width=10; height=10; offsets=1,2", "offsets");
  refused("width=10; height=10; std=0", "std");
  refused("width=10; width=11; height=10", "width");
  EXPECT_EQ(sight_preprocess_spec_new("nonsense", nullptr), nullptr);
}

TEST_F(PreprocessApi, AFrameThatCannotBeLookedAtSaysWhy) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  const SpecPtr plain = spec_of("width=8; height=8"),
                aligned = spec_of("width=8; height=8; alignment=dlib-150");
  const auto refused = [](const char* words, const BufferPtr& frame, const GstVideoInfo* format,
                          const SightObject* object, const SpecPtr& spec) {
    SCOPED_TRACE(words);
    expect_error(SIGHT_ERROR_INPUT, words, [&](GError** error) {
      return sight_frame_to_tensor(frame.get(), format, object, spec.get(), error);
    });
    EXPECT_EQ(sight_frame_to_tensor(frame.get(), format, object, spec.get(), nullptr), nullptr);
  };
  refused("no GstVideoMeta", buffer, nullptr, nullptr, plain);
  refused("needs an object", buffer, &info, nullptr, aligned);
  SightObject* face = object({1, 1, 20, 20});
  refused("no landmarks", buffer, &info, face, aligned);
  const std::vector<SightPoint> one_place(68, {3, 3});
  sight_object_set_landmarks(face, one_place.data(), 68, nullptr);
  refused("landmarks", buffer, &info, face, aligned);
  refused("box is empty", buffer, &info, object({5, 5, 0, 10}), plain);
  const GstVideoInfo large = info_of(GST_VIDEO_FORMAT_NV12, 640, 480);
  refused("640x480", buffer, &large, nullptr, plain);
  const GstVideoInfo other = info_of(GST_VIDEO_FORMAT_P010_10LE, 64, 48);
  refused("P010_10LE", noise(other), &other, nullptr, plain);
}

TEST_F(PreprocessApi, ObjectsInOneTensorAreTheirCropsOneAfterAnother) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  SightObject* objects[] = {object({5, 6, 20, 30}), object({40, 2, 30, 12}), object({0, 0, 9, 9})};
  for (const char* order : {"nchw", "nhwc"}) {
    SCOPED_TRACE(order);
    const SpecPtr spec = spec_of(std::string("width=10; height=12; network-input-order=") + order);
    GError* error = nullptr;
    const TensorPtr all(
        sight_objects_to_tensor(buffer.get(), &info, objects, 3, spec.get(), &error));
    ASSERT_EQ(error, nullptr) << error->message;
    std::vector<gint64> shape = shape_of(make(buffer, &info, objects[0], spec));
    shape.insert(shape.begin(), 3);
    EXPECT_EQ(shape_of(all), shape);
    std::vector<double> one_by_one;
    for (const SightObject* each : objects) {
      gsize count = 0;
      const TensorPtr one = make(buffer, &info, each, spec);
      const gfloat* values = sight_tensor_get_floats(one.get(), &count, nullptr);
      one_by_one.insert(one_by_one.end(), values, values + count);
    }
    expect_floats(all, one_by_one, 0);
  }
}

TEST_F(PreprocessApi, NoObjectsMakeATensorOfNone) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const TensorPtr none(sight_objects_to_tensor(noise(info).get(), &info, nullptr, 0,
                                               spec_of("width=10; height=12").get(), nullptr));
  ASSERT_NE(none, nullptr);
  EXPECT_EQ(shape_of(none), (std::vector<gint64>{0, 3, 12, 10}));
}

TEST_F(PreprocessApi, TheObjectThatCannotBeCroppedIsNamed) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, 64, 48);
  const BufferPtr buffer = noise(info);
  SightObject* objects[] = {object({5, 6, 20, 30}), object({40, 2, 0, 12}), nullptr};
  const auto refused = [&](const char* words, guint count, const char* text) {
    const SpecPtr spec = spec_of(text);
    expect_error(SIGHT_ERROR_INPUT, words, [&](GError** error) {
      return sight_objects_to_tensor(buffer.get(), &info, objects, count, spec.get(), error);
    });
  };
  refused("objects[1]'s box is empty", 2, "width=8; height=8");
  refused("objects[0] has no landmarks", 1, "width=8; height=8; alignment=arcface-112");
  objects[1] = objects[0];
  refused("objects[2] is NULL", 3, "width=8; height=8");
}

TEST_F(PreprocessApi, EachOwnerLetsGoOnItsOwn) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGB, 8, 8);
  BufferPtr buffer = noise(info);
  std::vector<guint8> first(1);
  gst_buffer_extract(buffer.get(), 0, first.data(), 1);
  SpecPtr spec = spec_of("width=8; height=8");
  SpecPtr second(sight_preprocess_spec_ref(spec.get()));
  auto* boxed =
      static_cast<SightPreprocessSpec*>(g_boxed_copy(SIGHT_TYPE_PREPROCESS_SPEC, spec.get()));
  EXPECT_EQ(boxed, spec.get());
  spec.reset();
  g_boxed_free(SIGHT_TYPE_PREPROCESS_SPEC, boxed);
  const TensorPtr tensor = make(buffer, &info, nullptr, second);
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), 1);
  EXPECT_TRUE(gst_buffer_is_all_memory_writable(buffer.get()));
  second.reset();
  buffer.reset();
  gsize count = 0;
  EXPECT_EQ(sight_tensor_get_floats(tensor.get(), &count, nullptr)[0],
            first[0]);  // outlives them all
  EXPECT_EQ(count, 8u * 8 * 3);
}

TEST_F(PreprocessApi, NothingWhereSomethingMustBeIsACritical) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGB, 8, 8);
  const BufferPtr buffer = noise(info);
  const SpecPtr spec = spec_of("width=8; height=8");
  constexpr const char* kBoth = "GST_IS_BUFFER(buffer) && spec != nullptr";
  expect_critical(kBoth, [&] {
    EXPECT_EQ(sight_frame_to_tensor(nullptr, &info, nullptr, spec.get(), nullptr), nullptr);
  });
  expect_critical(kBoth, [&] {
    EXPECT_EQ(sight_frame_to_tensor(buffer.get(), &info, nullptr, nullptr, nullptr), nullptr);
  });
  expect_critical("text != nullptr",
                  [] { EXPECT_EQ(sight_preprocess_spec_new(nullptr, nullptr), nullptr); });
  expect_critical("config_file != nullptr", [] {
    EXPECT_EQ(sight_preprocess_spec_new_from_config(nullptr, 8, 8, nullptr), nullptr);
  });
  expect_critical("spec != nullptr",
                  [] { EXPECT_EQ(sight_preprocess_spec_ref(nullptr), nullptr); });
  expect_critical("spec != nullptr", [] { sight_preprocess_spec_unref(nullptr); });
}

}  // namespace
}  // namespace sightline
