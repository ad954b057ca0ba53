// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "sightline/shape.h"
#include "stage/tensor_source.h"

namespace sightline::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBoxesOnly = " show-labels=false line-width=2";
constexpr const char* kCompositionFeature = "meta:GstVideoOverlayComposition";

using Pixel = std::pair<int, int>;  // x, y

// A picture as four components of 8 bits or more a pixel, unpacked by GStreamer.
class Unpacked {
 public:
  Unpacked(const GstVideoInfo& info, GstBuffer* buffer) : width_(info.width), height_(info.height) {
    const GstVideoFormatInfo* deep = gst_video_format_get_info(info.finfo->unpack_format);
    bytes_ = static_cast<std::size_t>(deep->pixel_stride[0]);
    pixels_.resize(static_cast<std::size_t>(width_ * height_) * bytes_);
    GstVideoFrame frame;
    EXPECT_TRUE(
        gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), buffer, GST_MAP_READ));
    for (int y = 0; y < height_; ++y)
      info.finfo->unpack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE,
                              pixels_.data() + static_cast<std::size_t>(y * width_) * bytes_,
                              frame.data, info.stride, 0, y, width_);
    gst_video_frame_unmap(&frame);
  }

  std::vector<guint8> at(int x, int y) const {
    const auto begin = pixels_.begin() + static_cast<std::ptrdiff_t>(
                                             static_cast<std::size_t>(y * width_ + x) * bytes_);
    return {begin, begin + static_cast<std::ptrdiff_t>(bytes_)};
  }

  // Where `this` and `other` differ. first: the first component only (of YUV: alpha and Y).
  std::set<Pixel> difference(const Unpacked& other, bool luma_only) const {
    std::set<Pixel> different;
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        auto a = at(x, y), b = other.at(x, y);
        if (luma_only) a.resize(bytes_ / 2), b.resize(bytes_ / 2);
        if (a != b) different.insert({x, y});
      }
    return different;
  }

 private:
  int width_, height_;
  std::size_t bytes_ = 0;
  std::vector<guint8> pixels_;
};

// Pixels of the outline of a box, `line` pixels wide, drawn inside it.
std::set<Pixel> outline(int left, int top, int width, int height, int line) {
  std::set<Pixel> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      if (x < line || y < line || x >= width - line || y >= height - line)
        pixels.insert({left + x, top + y});
  return pixels;
}

std::set<Pixel> inside(const std::set<Pixel>& pixels, int width, int height) {
  std::set<Pixel> result;
  for (const auto& [x, y] : pixels)
    if (x >= 0 && y >= 0 && x < width && y < height) result.insert({x, y});
  return result;
}

using Fill = std::function<void(const Ptr<GstBuffer>&)>;

struct Drawn {
  std::set<Pixel> pixels;  // that changed
  Ptr<GstBuffer> buffer;
};

// What the element, drawing on the pixels, changes on a dark frame with the results that `fill`
// adds.
Drawn draw(const std::string& format, int width, int height, const std::string& properties,
           const Fill& fill) {
  Element element("sightoverlay mode=blend" + properties);
  element.set_caps(video_caps(format, width, height));
  const GstVideoInfo info = video_info(format, width, height);
  Ptr<GstBuffer> buffer = make_buffer(info, 16);
  const Ptr<GstBuffer> before(gst_buffer_copy_deep(buffer.get()));
  fill(buffer);
  Ptr<GstBuffer> after = element.through(std::move(buffer));
  EXPECT_NE(after, nullptr) << element.error_text();
  if (after == nullptr) return {};
  auto pixels = Unpacked(info, after.get())
                    .difference(Unpacked(info, before.get()), GST_VIDEO_INFO_IS_YUV(&info));
  return {std::move(pixels), std::move(after)};
}

// The element before a sink that shows compositions.
void accept_compositions(Element& element) {
  gst_harness_add_propose_allocation_meta(element.get(),
                                          GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, nullptr);
}

std::string output_features(Element& element) {
  const Ptr<GstCaps> caps(gst_pad_get_current_caps(element.get()->sinkpad));
  if (caps == nullptr) return "none";
  gchar* text = gst_caps_features_to_string(gst_caps_get_features(caps.get(), 0));
  std::string result = text;
  g_free(text);
  return result;
}

struct Rectangle {
  int x, y;
  guint width, height;
  std::vector<guint32> pixels;
  guint seqnum;
};

std::vector<Rectangle> rectangles_of(GstBuffer* buffer) {
  std::vector<Rectangle> result;
  const GstVideoOverlayCompositionMeta* meta =
      gst_buffer_get_video_overlay_composition_meta(buffer);
  if (meta == nullptr) return result;
  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles(meta->overlay); ++i) {
    GstVideoOverlayRectangle* rectangle =
        gst_video_overlay_composition_get_rectangle(meta->overlay, i);
    Rectangle r{};
    gst_video_overlay_rectangle_get_render_rectangle(rectangle, &r.x, &r.y, &r.width, &r.height);
    GstBuffer* pixels = gst_video_overlay_rectangle_get_pixels_unscaled_raw(
        rectangle, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
    r.pixels.resize(std::size_t{r.width} * r.height);
    EXPECT_EQ(gst_buffer_extract(pixels, 0, r.pixels.data(), 4 * r.pixels.size()),
              4 * r.pixels.size());
    r.seqnum = gst_video_overlay_rectangle_get_seqnum(rectangle);
    result.push_back(std::move(r));
  }
  return result;
}

// The rectangles that a frame with the results of `fill` gets attached.
std::vector<Rectangle> attached(const std::string& properties, const Fill& fill) {
  Element element("sightoverlay mode=attach" + properties);
  element.set_caps(video_caps("NV12", 640, 480));
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
  fill(buffer);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  EXPECT_NE(out, nullptr) << element.error_text();
  return out != nullptr ? rectangles_of(out.get()) : std::vector<Rectangle>();
}

void set_identity(SightObject* object, const char* person, const char* name, float similarity) {
  const Ptr<SightIdentity> identity(sight_identity_new(person, name, similarity, nullptr, nullptr));
  ASSERT_TRUE(sight_object_set_identity(object, identity.get(), nullptr));
}

void set_shapes(const Ptr<GstBuffer>& buffer, const std::string& structure) {
  GstStructure* shapes = gst_structure_from_string(structure.c_str(), nullptr);
  ASSERT_NE(shapes, nullptr) << structure;
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, shapes);
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  ASSERT_TRUE(sight_frame_set_user_data(frame, "overlay", &value, nullptr));
  g_value_unset(&value);
}

class OverlayFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(OverlayFormat, ABoxIsAnOutlineAndNothingElseChanges) {
  const Drawn drawn = draw(GetParam(), 98, 70, kBoxesOnly, [](const auto& buffer) {
    add_object(buffer, {20, 31, 40, 21});
  });
  EXPECT_EQ(drawn.pixels, outline(20, 31, 40, 21, 2));
}

TEST_P(OverlayFormat, ABoxThatLeavesTheFrameIsClipped) {
  for (const SightBox& box : {SightBox{-10, -5, 40, 30}, SightBox{80, 50, 40, 40},
                              SightBox{-10, -10, 200, 200}, SightBox{30, -20, 9, 200}}) {
    const Drawn drawn =
        draw(GetParam(), 97, 69, kBoxesOnly, [&](const auto& buffer) { add_object(buffer, box); });
    const auto whole = outline(static_cast<int>(box.x), static_cast<int>(box.y),
                               static_cast<int>(box.width), static_cast<int>(box.height), 2);
    EXPECT_EQ(drawn.pixels, inside(whole, 97, 69));
  }
}

INSTANTIATE_TEST_SUITE_P(Main, OverlayFormat,
                         ::testing::Values("NV12", "NV21", "I420", "YV12", "YUY2", "UYVY", "RGB",
                                           "BGR", "BGRA", "RGBA", "BGRx", "ARGB", "GRAY8"),
                         [](const auto& test) { return std::string(test.param); });

// Packed by GStreamer, so that samples are such as the format can hold.
void fill_with_noise(const GstVideoInfo& info, GstBuffer* buffer) {
  const GstVideoFormatInfo* deep = gst_video_format_get_info(info.finfo->unpack_format);
  std::vector<guint8> line(static_cast<std::size_t>(deep->pixel_stride[0] * (info.width + 8)));
  std::minstd_rand random(1);
  GstVideoFrame frame;
  ASSERT_TRUE(
      gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), buffer, GST_MAP_READWRITE));
  for (int y = 0; y < info.height; ++y) {
    for (guint8& byte : line) byte = static_cast<guint8>(random() >> 8);
    info.finfo->pack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), 0, frame.data,
                          info.stride, info.chroma_site, y, info.width);
  }
  gst_video_frame_unmap(&frame);
}

// Whether GStreamer gives every line back as it was. Where it does not (NV61 and IYU1 of odd width,
// RGB8P), its blending changes pixels under no rectangle, which ours must not.
bool survives_packing(const GstVideoInfo& info, GstBuffer* buffer) {
  const GstVideoFormatInfo* deep = gst_video_format_get_info(info.finfo->unpack_format);
  std::vector<guint8> line(static_cast<std::size_t>(deep->pixel_stride[0] * (info.width + 8)));
  const Ptr<GstBuffer> copy(gst_buffer_copy_deep(buffer));
  GstVideoFrame frame;
  EXPECT_TRUE(
      gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), copy.get(), GST_MAP_READWRITE));
  for (int y = 0; y < info.height; ++y) {
    info.finfo->unpack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), frame.data,
                            info.stride, 0, y, info.width);
    info.finfo->pack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), 0, frame.data,
                          info.stride, info.chroma_site, y, info.width);
  }
  gst_video_frame_unmap(&frame);
  return bytes_of(copy.get()) == bytes_of(buffer);
}

// The reference is GStreamer's own blending of the very same rectangles, on the whole frame and
// without windows: all bytes must be equal, of every format that the caps promise.
TEST(Overlay, DrawingEqualsGStreamersBlendingInEveryFormat) {
  const Fill fill = [](const auto& buffer) {
    add_object(buffer, {21, 17, 101, 63}, "first", 1);
    const SightPoint points[] = {{-1, 3}, {33.4f, 44.6f}, {159, 119}};
    sight_object_set_landmarks(add_object(buffer, {90, 60, 66, 77}, "second", 2), points, 3,
                               nullptr);
    set_shapes(buffer, "polygon, points=<3,5,140,30,60,110>, color=(string)\"#4080c080\"");
  };
  Element attaching("sightoverlay mode=attach");
  attaching.set_caps(video_caps("RGB", 163, 121));
  Ptr<GstBuffer> carrier = make_buffer(video_info("RGB", 163, 121));
  fill(carrier);
  carrier = attaching.through(std::move(carrier));
  GstVideoOverlayComposition* composition =
      gst_buffer_get_video_overlay_composition_meta(carrier.get())->overlay;

  guint count = 0, compared = 0;
  const GstVideoFormat* formats = gst_video_formats_raw(&count);
  for (guint i = 0; i < count; ++i) {
    const std::string format = gst_video_format_to_string(formats[i]);
    GstVideoInfo info = video_info(format, 163, 121);
    Element drawing("sightoverlay mode=blend");
    drawing.set_caps(video_caps(format, 163, 121));
    Ptr<GstBuffer> buffer = make_buffer(info);
    fill_with_noise(info, buffer.get());
    const Ptr<GstBuffer> expected(gst_buffer_copy_deep(buffer.get()));
    const bool comparable = survives_packing(info, buffer.get());
    fill(buffer);
    const Ptr<GstBuffer> actual = drawing.through(std::move(buffer));
    ASSERT_NE(actual, nullptr) << format << ": " << drawing.error_text();

    GstVideoFrame frame;
    ASSERT_TRUE(gst_video_frame_map(&frame, &info, expected.get(), GST_MAP_READWRITE)) << format;
    ASSERT_TRUE(gst_video_overlay_composition_blend(composition, &frame)) << format;
    gst_video_frame_unmap(&frame);
    if (!comparable) continue;
    ++compared;
    EXPECT_TRUE(bytes_of(actual.get()) == bytes_of(expected.get())) << format;
  }
  EXPECT_GE(compared + 3, count);
}

TEST(Overlay, StridesAndOffsetsOfTheVideoMetaAreFollowed) {
  Element element(std::string("sightoverlay mode=blend") + kBoxesOnly);
  element.set_caps(video_caps("NV12", 64, 48));
  gint strides[] = {80, 96, 0, 0};
  gsize offsets[] = {100, 100 + 80 * 50, 0, 0};
  const gsize size = offsets[1] + 96 * 24 + 7;
  Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(buffer.get(), 0, 16, size);
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 64,
                                 48, 2, offsets, strides);
  add_object(buffer, {10, 8, 20, 12});
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr) << element.error_text();
  const auto bytes = bytes_of(out.get());
  std::set<Pixel> changed;
  for (gsize i = 0; i < offsets[1]; ++i)
    if (bytes[i] != 16)
      changed.insert({static_cast<int>((i - 100) % 80), static_cast<int>((i - 100) / 80)});
  EXPECT_EQ(changed, outline(10, 8, 20, 12, 2));
}

TEST(Overlay, NothingIsDrawnForBoxesWithoutArea) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const SightBox& box :
       {SightBox{20, 20, 0, 0}, SightBox{20, 20, 10, 0}, SightBox{20, 20, 0, 10},
        SightBox{20, 20, -5, 10}, SightBox{500, 500, 10, 10}, SightBox{-100, 0, 50, 50},
        SightBox{3e38f, 3e38f, 3e38f, 3e38f}, SightBox{-3e38f, 0, 10, 10}}) {
    const Drawn drawn =
        draw("RGB", 100, 80, "", [&](const auto& buffer) { add_object(buffer, box); });
    EXPECT_TRUE(drawn.pixels.empty()) << box.x << " " << box.width;
  }
  const Drawn huge = draw("RGB", 100, 80, kBoxesOnly, [&](const auto& buffer) {
    add_object(buffer, {-3e38f, 40, std::nextafter(inf, 0.0f), 3});
  });
  EXPECT_TRUE(huge.pixels.empty() || huge.pixels.contains({50, 40}));
}

// Run alone, with a FONTCONFIG_FILE that names no fonts.
TEST(OverlayWithoutFonts, BoxesAreDrawnLabelsLeftOutAndTheBusSaysSoOnce) {
  const auto frame = [](Element& element) {
    Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 320 * 240 * 4, nullptr));
    gst_buffer_memset(buffer.get(), 0, 0, 320 * 240 * 4);
    add_object(buffer, {40, 90, 80, 60}, "someone");
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    std::vector<guint8> bytes(320 * 240 * 4);
    gst_buffer_extract(out.get(), 0, bytes.data(), bytes.size());
    return bytes;
  };
  Element plain("sightoverlay mode=blend show-labels=false"), labelled("sightoverlay mode=blend");
  plain.set_caps(video_caps("RGBA", 320, 240));
  labelled.set_caps(video_caps("RGBA", 320, 240));
  EXPECT_EQ(frame(labelled), frame(plain));
  EXPECT_THAT(labelled.warning_text(), HasSubstr("no font is installed"));
  frame(labelled);
  EXPECT_EQ(labelled.warning_text(), "") << "once is enough";
  EXPECT_EQ(plain.warning_text(), "");
}

TEST(Overlay, AFrameWithoutResultsPassesUntouchedEvenWhenShared) {
  Element element("sightoverlay mode=blend");
  element.set_caps(video_caps("RGB", 32, 32));
  Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 32 * 32 * 3, nullptr));
  GstBuffer* const pushed = buffer.get();
  const Ptr<GstBuffer> other_owner(gst_buffer_ref(pushed));
  EXPECT_EQ(element.through(std::move(buffer)).get(), pushed);
}

TEST(Overlay, AnotherOwnersPixelsStayAsTheyAreAndResultsAreKept) {
  Element element("sightoverlay mode=blend");
  element.set_caps(video_caps("RGB", 64, 64));
  Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 64, 64), 16);
  add_object(buffer, {10, 30, 30, 30});
  const Ptr<GstBuffer> other_owner(gst_buffer_ref(buffer.get()));
  const auto before = bytes_of(other_owner.get());
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(bytes_of(other_owner.get()), before);
  EXPECT_NE(bytes_of(out.get()), before);
  ASSERT_NE(sight_buffer_get_frame(out.get()), nullptr);
  EXPECT_EQ(sight_frame_get_n_objects(sight_buffer_get_frame(out.get())), 1u);
}

TEST(Overlay, IsAttachedAndPixelsStayWhereDownstreamShowsCompositions) {
  Element element("sightoverlay");
  accept_compositions(element);
  element.set_caps(video_caps("NV12", 640, 480));
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480), 16);
  add_object(buffer, {100, 100, 50, 60});
  const auto before = bytes_of(buffer.get());
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  EXPECT_THAT(output_features(element), HasSubstr(kCompositionFeature));
  EXPECT_EQ(bytes_of(out.get()), before);
  const auto rectangles = rectangles_of(out.get());
  ASSERT_EQ(rectangles.size(), 6u);  // four sides, the label and its number
  EXPECT_EQ(std::tie(rectangles[0].x, rectangles[0].y, rectangles[0].width, rectangles[0].height),
            std::make_tuple(100, 100, 50u, 2u));
}

TEST(Overlay, IsDrawnWhereDownstreamTakesAnyCapsButShowsNoCompositions) {
  Element element("sightoverlay");
  element.set_caps(video_caps("NV12", 640, 480));
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480), 16);
  add_object(buffer, {100, 100, 50, 60});
  const auto before = bytes_of(buffer.get());
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(output_features(element), "memory:SystemMemory");
  EXPECT_EQ(gst_buffer_get_video_overlay_composition_meta(out.get()), nullptr);
  EXPECT_NE(bytes_of(out.get()), before);
}

TEST(Overlay, IsDrawnWhereDownstreamTakesPlainCapsOnly) {
  Element element("sightoverlay");
  accept_compositions(element);
  gst_harness_set_sink_caps_str(element.get(), "video/x-raw");
  element.set_caps(video_caps("I420", 64, 48));
  Ptr<GstBuffer> buffer = make_buffer(video_info("I420", 64, 48), 16);
  add_object(buffer, {10, 10, 30, 30});
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(gst_buffer_get_video_overlay_composition_meta(out.get()), nullptr);
}

TEST(Overlay, AttachesInMemoryThatItCannotMap) {
  Element element("sightoverlay");
  accept_compositions(element);
  element.set_caps("video/x-raw(memory:Elsewhere),format=NV12,width=640,height=480,framerate=30/1");
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
  add_object(buffer, {100, 100, 50, 60});
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr) << element.error_text();
  EXPECT_EQ(rectangles_of(out.get()).size(), 6u);
  EXPECT_THAT(output_features(element), HasSubstr("memory:Elsewhere"));
}

TEST(Overlay, JoinsACompositionThatIsThereAlready) {
  Element element("sightoverlay ! sightoverlay show-labels=false");
  accept_compositions(element);
  element.set_caps(video_caps("NV12", 640, 480));
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
  add_object(buffer, {100, 100, 50, 60});
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(rectangles_of(out.get()).size(), 6u + 4u);
}

TEST(Overlay, AnUnchangedLabelIsNotRenderedAgain) {
  Element element("sightoverlay mode=attach");
  element.set_caps(video_caps("NV12", 640, 480));
  std::vector<std::vector<Rectangle>> frames;
  for (const float confidence : {0.5f, 0.5f, 0.61f}) {
    Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
    add_object(buffer, {100, 100, 50, 60}, "thing", 0, confidence);
    frames.push_back(rectangles_of(element.through(std::move(buffer)).get()));
    ASSERT_EQ(frames.back().size(), 6u);
  }
  EXPECT_EQ(frames[0][4].seqnum, frames[1][4].seqnum);  // the name
  EXPECT_EQ(frames[0][5].seqnum, frames[1][5].seqnum);  // its number
  EXPECT_EQ(frames[0][4].seqnum, frames[2][4].seqnum);
  EXPECT_NE(frames[0][5].pixels, frames[2][5].pixels);
}

TEST(Overlay, LabelsOfEveryScriptAreRendered) {
  std::map<std::vector<guint32>, std::string> seen;
  for (const char* name : {"Ada", "Ада", "Ζωή", "علي", "שרה", "李雷", "さくら", "지민", "अदा",
                           "สมชาย", "Ada\nLovelace", "🙂", "a\xff\xfe b"}) {
    const auto rectangles = attached(" show-boxes=false", [&](const auto& buffer) {
      set_identity(add_object(buffer, {100, 100, 50, 60}), "p1", name, 0.82f);
    });
    ASSERT_EQ(rectangles.size(), 2u) << name;
    const Rectangle& label = rectangles[0];
    EXPECT_GE(label.width, 8u) << name;
    EXPECT_EQ(label.height, rectangles[1].height) << name;
    EXPECT_EQ(label.y + static_cast<int>(label.height), 100) << name;
    // The colour of the box, that of the text, and shades between them.
    EXPECT_GT(std::set<guint32>(label.pixels.begin(), label.pixels.end()).size(), 3u) << name;
    EXPECT_TRUE(seen.emplace(label.pixels, name).second) << name << " looks like another name";
  }
}

TEST(Overlay, ALabelSaysWhoItIs) {
  const auto name_of = [](const char* label, const char* person, const char* name) {
    return attached(" show-boxes=false color-by=class", [&](const auto& buffer) {
      SightObject* object = add_object(buffer, {100, 100, 50, 60}, label);
      if (name != nullptr) set_identity(object, person, name, 0.5f);
    });
  };
  const auto ada = name_of("face", "p1", "Ada"), ada_as_label = name_of("Ada", nullptr, nullptr);
  ASSERT_EQ(ada.size(), 2u);
  EXPECT_EQ(ada[0].pixels, ada_as_label[0].pixels);
  EXPECT_EQ(ada[1].pixels, ada_as_label[1].pixels);
  const auto unknown = name_of("face", nullptr, "Ada"), face = name_of("face", nullptr, nullptr);
  ASSERT_EQ(unknown.size(), 1u);  // no similarity: it would be that to somebody else
  EXPECT_EQ(unknown[0].pixels, name_of("unknown", nullptr, nullptr)[0].pixels);
  EXPECT_NE(face[0].pixels, unknown[0].pixels);
}

TEST(Overlay, SwitchesSwitchThingsOff) {
  const Fill fill = [](const auto& buffer) {
    const SightPoint points[] = {{110, 120}, {130, 120}};
    SightObject* object = add_object(buffer, {100, 100, 50, 60});
    sight_object_set_landmarks(object, points, 2, nullptr);
    set_shapes(buffer, "line, points=<300,300,310,300>");
  };
  EXPECT_EQ(attached("", fill).size(), 4u + 2u + 2u + 1u);
  EXPECT_EQ(attached(" show-boxes=false", fill).size(), 2u + 2u + 1u);
  EXPECT_EQ(attached(" show-labels=false", fill).size(), 4u + 2u + 1u);
  EXPECT_EQ(attached(" show-confidence=false", fill).size(), 4u + 2u + 1u + 1u);
  EXPECT_EQ(attached(" show-landmarks=false", fill).size(), 4u + 2u + 1u);
  EXPECT_EQ(attached(" show-shapes=false", fill).size(), 4u + 2u + 2u);
}

// --- What detectors say of an object's shape.

constexpr const char* kNoBoxes = " show-boxes=false show-labels=false line-width=2";

template <typename T>
Ptr<SightTensor> tensor(SightElementType type, const std::vector<gint64>& shape,
                        const std::vector<T>& values, const char* name) {
  GBytes* bytes = g_bytes_new(values.data(), values.size() * sizeof(T));
  Ptr<SightTensor> result(
      sight_tensor_new(name, type, shape.data(), static_cast<guint>(shape.size()), bytes, nullptr));
  g_bytes_unref(bytes);
  return result;
}

void set_mask(SightObject* object, const std::vector<gint64>& shape,
              const std::vector<float>& values, const SightBox& area) {
  const auto mask = tensor(SIGHT_ELEMENT_FLOAT32, shape, values, "mask");
  ASSERT_TRUE(sight_object_set_mask(object, mask.get(), &area, nullptr));
}

void set_colors(SightObject* object, const char* colors) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, gst_structure_from_string(colors, nullptr));
  sight_object_set_user_data(object, "overlay-colors", &value, nullptr);
  g_value_unset(&value);
}

std::set<Pixel> filled(int left, int top, int width, int height) {
  return outline(left, top, width, height, std::max(width, height));
}

TEST(Overlay, AMaskIsLaidOverWhatIsMoreLikelyThanNotTheObjects) {
  const Fill fill = [](const auto& buffer) {
    // Two cells: halfway between their centres it is as likely as not.
    set_mask(add_object(buffer, {10, 8, 40, 20}), {1, 2}, {1, 0}, {10, 8, 40, 20});
  };
  for (const char* format : {"RGB", "NV12", "I420"})
    EXPECT_EQ(draw(format, 80, 60, kNoBoxes, fill).pixels, filled(10, 8, 20, 20)) << format;
  EXPECT_TRUE(
      draw("RGB", 80, 60, std::string(kNoBoxes) + " show-masks=false", fill).pixels.empty());
}

TEST(Overlay, AMaskIsTranslucentAndInItsObjectsColour) {
  Element element("sightoverlay mode=blend show-boxes=false show-labels=false");
  element.set_caps(video_caps("RGB", 80, 60));
  Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 80, 60), 200);
  SightObject* object = add_object(buffer, {10, 8, 40, 20});
  set_mask(object, {1, 1}, {1}, {10, 8, 40, 20});
  set_colors(object, "overlay-colors, border=(string)\"#ff0000\"");
  g_object_set(element.element(), "color-by", 0, nullptr);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  const GstVideoInfo info = video_info("RGB", 80, 60);
  const auto pixel = Unpacked(info, out.get()).at(20, 15);  // alpha, red, green, blue
  EXPECT_GT(pixel[1], 200);
  EXPECT_NEAR(pixel[2], 200 * (1 - 112 / 255.0), 2);
  EXPECT_NEAR(pixel[3], 200 * (1 - 112 / 255.0), 2);
}

TEST(Overlay, MasksLeaveTheFrameOrAreNone) {
  const auto pixels = [](const SightBox& area, const std::vector<float>& values) {
    return draw("RGB", 80, 60, kNoBoxes,
                [&](const auto& buffer) {
                  set_mask(add_object(buffer, {10, 8, 40, 20}), {1, 1}, values, area);
                })
        .pixels;
  };
  EXPECT_EQ(pixels({-10, -10, 30, 30}, {1}), filled(0, 0, 20, 20));
  EXPECT_EQ(pixels({70, 50, 1e6f, 1e6f}, {1}), filled(70, 50, 10, 10));
  EXPECT_TRUE(pixels({200, 200, 10, 10}, {1}).empty());
  EXPECT_TRUE(pixels({10, 10, 10, 10}, {0.4f}).empty());
  EXPECT_TRUE(pixels({10, 10, 10, 10}, {std::nanf("")}).empty());
}

TEST(Overlay, AnOrientedBoxIsDrawnTurned) {
  const auto pixels = [](const std::string& properties) {
    return draw("RGB", 80, 60, properties,
                [](const auto& buffer) {
                  const SightPoint corners[] = {{40, 10}, {60, 30}, {40, 50}, {20, 30}};
                  sight_object_set_corners(add_object(buffer, {20, 10, 40, 40}), corners, nullptr);
                })
        .pixels;
  };
  const auto drawn = pixels(kBoxesOnly);
  for (const Pixel& on_edge : {Pixel{50, 20}, {50, 40}, {30, 40}, {30, 20}})
    EXPECT_TRUE(drawn.contains(on_edge)) << on_edge.first << ", " << on_edge.second;
  for (const Pixel& of_upright : {Pixel{21, 11}, {58, 11}, {58, 48}, {40, 30}})
    EXPECT_FALSE(drawn.contains(of_upright)) << of_upright.first << ", " << of_upright.second;
  EXPECT_TRUE(pixels(kNoBoxes).empty());
}

constexpr SightPoint kPose[] = {{100, 20}, {105, 15},  {95, 15},  {112, 18},  {88, 18},  {130, 50},
                                {70, 50},  {160, 80},  {40, 80},  {180, 120}, {20, 120}, {120, 110},
                                {80, 110}, {125, 150}, {75, 150}, {125, 190}, {75, 190}};

TEST(Overlay, LimbsOfAPoseAreDrawnWhereBothEndsAreSure) {
  const auto pixels = [](const std::string& properties, float wrist, guint points = 17,
                         bool confidences = true) {
    return draw("RGB", 200, 200, properties,
                [&](const auto& buffer) {
                  std::vector<float> sure(points, 1);
                  if (points > 9) sure[9] = wrist;
                  SightObject* person = add_object(buffer, {10, 8, 180, 180});
                  sight_object_set_landmarks(person, kPose, points, nullptr);
                  if (confidences)
                    sight_object_set_landmark_confidences(person, sure.data(), points, nullptr);
                })
        .pixels;
  };
  const Pixel forearm{170, 100}, shoulders{100, 50}, wrist{180, 120};  // 7–9, 5–6, 9
  EXPECT_TRUE(pixels(kNoBoxes, 1).contains(forearm));
  EXPECT_TRUE(pixels(kNoBoxes, 1).contains(shoulders));
  EXPECT_TRUE(pixels(kNoBoxes, 1).contains(wrist));
  const auto unsure = pixels(kNoBoxes, 0.4f);
  EXPECT_FALSE(unsure.contains(forearm));
  EXPECT_FALSE(unsure.contains(wrist));
  EXPECT_TRUE(unsure.contains(shoulders));
  EXPECT_FALSE(pixels(std::string(kNoBoxes) + " show-skeletons=false", 1).contains(shoulders));
  EXPECT_FALSE(pixels(kNoBoxes, 1, 16).contains(shoulders));
  EXPECT_FALSE(pixels(kNoBoxes, 1, 17, false).contains(shoulders));
}

// The left half of a map is of class 2, the right of none. It shows the frame without its first 20
// columns, and its lower half is padding.
TEST(Overlay, AMapOfClassesIsLaidOverTheFrameIfAsked) {
  const auto pixels = [](const std::string& properties, bool with_region = true) {
    return draw("RGB", 100, 80, kNoBoxes + properties,
                [&](const auto& buffer) {
                  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
                  sight_frame_set_size(frame, 100, 80, nullptr);
                  const auto map = tensor(SIGHT_ELEMENT_INT32, {2, 2},
                                          std::vector<gint32>{2, -1, 2, -1}, "segmentation");
                  sight_frame_add_tensor(frame, map.get(), nullptr);
                  const Region shown{{40, 0, 20, 0, 80, 0}, Rect{0, 0, 2, 1}};
                  if (with_region)
                    set_regions(frame, nullptr, sight_tensor_get_stage_id(map.get()),
                                "segmentation", {&shown, 1}, {2, 2});
                })
        .pixels;
  };
  EXPECT_TRUE(pixels("").empty());
  EXPECT_EQ(pixels(" show-segmentation=true"), filled(20, 0, 40, 80));
  EXPECT_TRUE(pixels(" show-segmentation=true", false).empty());
}

TEST(Overlay, ALabelNamesItsTrackIfAsked) {
  const auto width = [](const std::string& properties, bool tracked) {
    const auto rectangles =
        attached(" show-boxes=false show-confidence=false" + properties, [&](const auto& buffer) {
          SightObject* object = add_object(buffer, {10, 60, 50, 60}, "face", 0);
          if (tracked) sight_object_set_track(object, 12345, nullptr);
        });
    return rectangles.at(0).width;
  };
  EXPECT_EQ(width("", true), width("", false));
  EXPECT_EQ(width(" show-tracks=true", false), width("", false));
  EXPECT_GT(width(" show-tracks=true", true), width("", true));
}

TEST(Overlay, ALabelSaysWhatLaterStagesSaidIfAsked) {
  const auto width = [](const std::string& properties, const std::vector<const char*>& labels) {
    const auto rectangles =
        attached(" show-boxes=false show-confidence=false" + properties, [&](const auto& buffer) {
          SightObject* object = add_object(buffer, {10, 60, 50, 60}, "car", 0);
          for (const char* label : labels) {
            const Ptr<SightClassification> classification(
                sight_classification_new("color", label, 0, 0.9f, "color", 2));
            sight_object_add_classification(object, classification.get(), nullptr);
          }
        });
    return rectangles.at(0).width;
  };
  const std::string asked = " show-classifications=true";
  EXPECT_EQ(width("", {"black"}), width("", {}));
  EXPECT_EQ(width(asked, {}), width("", {}));
  EXPECT_GT(width(asked, {"black"}), width("", {}));
  EXPECT_GT(width(asked, {"black", "van"}), width(asked, {"black"}));
}

TEST(Overlay, ColoursFollowWhatTheyAreAskedToFollow) {
  // The colour of the top side of each of three boxes: two persons of one class, one of another.
  const auto colours = [](const std::string& by) {
    const auto rectangles = attached(" show-labels=false color-by=" + by, [](const auto& buffer) {
      SightObject* a = add_object(buffer, {10, 10, 50, 60}, "face", 0);
      set_identity(a, "p1", "Ada", 0.9f);
      sight_object_set_track(a, 7, nullptr);
      SightObject* b = add_object(buffer, {110, 10, 50, 60}, "face", 0);
      set_identity(b, nullptr, nullptr, 0.1f);
      sight_object_set_track(b, 8, nullptr);
      SightObject* c = add_object(buffer, {210, 10, 50, 60}, "hand", 1);
      set_identity(c, "p1", "Ada", 0.9f);
      sight_object_set_track(c, 7, nullptr);
    });
    return std::vector<guint32>{rectangles.at(0).pixels[0], rectangles.at(4).pixels[0],
                                rectangles.at(8).pixels[0]};
  };
  const auto by_class = colours("class"), by_identity = colours("identity"),
             by_track = colours("track");
  EXPECT_EQ(by_class[0], by_class[1]);
  EXPECT_NE(by_class[0], by_class[2]);
  for (const auto& by : {by_identity, by_track}) {
    EXPECT_EQ(by[0], by[2]);
    EXPECT_NE(by[0], by[1]);
  }
  EXPECT_EQ(by_identity[1], 0xffc0c0c0u);  // unknown: grey
}

// What a stage's border-color and bg-color leave on an object.
TEST(Overlay, AnObjectMayHaveColoursOfItsOwn) {
  const auto drawn_with = [](const char* colors,
                             const std::string& properties = " color-by=class") {
    return draw("RGB", 64, 64, " show-labels=false line-width=2" + properties,
                [&](const Ptr<GstBuffer>& buffer) {
                  SightObject* object = testing::add_object(buffer, {10, 10, 40, 40});
                  if (colors != nullptr) set_colors(object, colors);
                });
  };
  const auto pixel = [](const Drawn& drawn, int x, int y) {
    const std::vector<guint8> bytes = testing::bytes_of(drawn.buffer.get());
    const auto at = static_cast<std::size_t>(3 * (64 * y + x));
    return std::vector<int>(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(at) + 3);
  };
  const std::vector<int> red = {255, 0, 0}, blue = {0, 0, 255};
  const Drawn bordered = drawn_with("overlay-colors, border=(string)\"#ff0000ff\"");
  EXPECT_EQ(pixel(bordered, 11, 30), red);
  EXPECT_EQ(bordered.pixels, outline(10, 10, 40, 40, 2));
  EXPECT_NE(pixel(drawn_with(nullptr), 11, 30), red);
  EXPECT_NE(
      pixel(drawn_with("overlay-colors, border=(string)\"#ff0000ff\"", " color-by=track"), 11, 30),
      red);
  const Drawn filled =
      drawn_with("overlay-colors, border=(string)\"#ff0000ff\", background=(string)\"#0000ffff\"");
  EXPECT_EQ(pixel(filled, 30, 30), blue);
  EXPECT_EQ(pixel(filled, 11, 30), red);
  EXPECT_EQ(drawn_with("overlay-colors, border=(string)\"no colour\"").pixels,
            drawn_with(nullptr).pixels);
}

TEST(Overlay, TextGrowsWithTheFrameAndFollowsTheFont) {
  const auto height = [](int lines, const std::string& properties) {
    Element element("sightoverlay mode=attach show-boxes=false" + properties);
    element.set_caps(video_caps("I420", 320, lines));
    Ptr<GstBuffer> buffer = make_buffer(video_info("I420", 320, lines));
    add_object(buffer, {0, 100, 50, 60});
    return rectangles_of(element.through(std::move(buffer)).get()).at(0).height;
  };
  const double small = height(540, ""), large = height(2160, "");
  EXPECT_NEAR(large / small, 4, 0.4);  // hinting rounds metrics to whole pixels
  EXPECT_NEAR(height(1080, " font=\"Sans 52\"") / small, 4, 0.4);
}

TEST(Overlay, ALabelNeverLeavesTheFrame) {
  const std::string novel(100000, 'x');
  for (const SightBox& box : {SightBox{600, 0, 60, 60}, SightBox{-30, 470, 60, 60},
                              SightBox{638, 300, 10, 10}, SightBox{-5, -5, 900, 900}}) {
    const auto rectangles = attached(
        " show-boxes=false", [&](const auto& buffer) { add_object(buffer, box, novel.c_str()); });
    ASSERT_EQ(rectangles.size(), 2u);
    for (const Rectangle& r : rectangles) {
      EXPECT_GE(r.x, 0);
      EXPECT_GE(r.y, 0);
      EXPECT_LE(r.x + static_cast<int>(r.width), 640);
      EXPECT_LE(r.y + static_cast<int>(r.height), 480);
    }
  }
}

TEST(Overlay, LinesAndPolygonsFromUserData) {
  // A horizontal line of width 4 around y = 20 covers rows 18 to 21; its round ends two pixels
  // more.
  const Drawn line = draw("RGB", 200, 100, "", [](const auto& buffer) {
    set_shapes(buffer, "line, points=<10,20,150,20>, width=4, color=(string)\"#ff8000\"");
  });
  for (int x = 10; x < 150; ++x)
    for (int y = 14; y < 26; ++y)
      EXPECT_EQ(line.pixels.contains({x, y}), y >= 18 && y < 22) << x << "," << y;
  const auto bytes = bytes_of(line.buffer.get());
  const std::size_t middle = (20 * 200 + 80) * 3;  // 200 · 3 is a multiple of 4: no padding
  EXPECT_EQ(std::vector<guint8>(bytes.begin() + middle, bytes.begin() + middle + 3),
            (std::vector<guint8>{255, 128, 0}));

  const std::string corners =
      "points=<(double)0.1,(double)0.2,(double)0.9,(double)0.2,"
      "(double)0.5,(double)0.8>, units=(string)relative, width=3";
  const auto polygon = draw("NV12", 200, 100, "",
                            [&](const auto& buffer) { set_shapes(buffer, "polygon, " + corners); });
  const auto open = draw("NV12", 200, 100, "",
                         [&](const auto& buffer) { set_shapes(buffer, "line, " + corners); });
  EXPECT_TRUE(polygon.pixels.contains({60, 50}));  // half way from the last corner to the first
  EXPECT_FALSE(open.pixels.contains({60, 50}));
  EXPECT_TRUE(open.pixels.contains({140, 50}));
  EXPECT_FALSE(polygon.pixels.contains({100, 50}));  // not filled
}

TEST(Overlay, ManyShapesAndTheirLabels) {
  const auto rectangles = attached("", [](const auto& buffer) {
    set_shapes(buffer,
               "shapes, items=<(GstStructure)\"line\\,\\ points\\=<1,1,9,9>\\,\\ label\\=gate\\;\","
               "(GstStructure)\"polygon\\,\\ points\\=<101,101,109,109,109,101>\\;\">");
  });
  EXPECT_EQ(rectangles.size(), 3u);
}

TEST(Overlay, ADiagonalAcrossTheFrameTouchesFewTiles) {
  const auto rectangles = attached("", [](const auto& buffer) {
    set_shapes(buffer, "line, points=<-500,-500,5000,5000>, width=4");
  });
  std::size_t area = 0;
  for (const Rectangle& r : rectangles) area += r.pixels.size();
  EXPECT_GT(area, 0u);
  EXPECT_LT(area, 640u * 480 / 3);
}

TEST(Overlay, AWrongShapeIsAWarningThatSaysWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"circle, r=3", "expected a GstStructure \"line\", \"polygon\""},
      {"line", "points: expected an array"},
      {"line, points=<1,2,3>", "points: expected an array"},
      {"line, points=<1,2,(string)a,4>", "item 2"},
      {"line, points=<1,2,3,(double)1e300>", "item 3"},
      {"line, points=<1,2,3,4>, units=(string)furlongs", "units"},
      {"line, points=<1,2,3,4>, color=(string)red", "color"},
      {"line, points=<1,2,3,4>, width=0", "width"},
      {"line, points=<1,2,3,4>, width=(double)1e9", "width"},
      {"line, points=<1,2,3,4>, label=5", "label"},
      {"shapes, items=<1,2>", "items: item 0"},
      {"shapes", "items"},
  };
  for (const auto& [structure, complaint] : wrong) {
    Element element("sightoverlay mode=blend");
    element.set_caps(video_caps("RGB", 64, 64));
    for (int i = 0; i < 2; ++i) {
      Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 64, 64));
      set_shapes(buffer, structure);
      EXPECT_EQ(element.push(std::move(buffer)), GST_FLOW_OK);
    }
    EXPECT_THAT(element.warning_text(), HasSubstr(complaint)) << structure;
    EXPECT_EQ(element.warning_text(), "") << "once is enough";
  }
}

TEST(Overlay, CapsMayChangeInMidStream) {
  Element element(std::string("sightoverlay mode=blend") + kBoxesOnly);
  for (const auto& [format, width, height] :
       {std::tuple("NV12", 320, 240), std::tuple("RGB", 64, 48), std::tuple("I420", 1280, 720)}) {
    element.set_caps(video_caps(format, width, height));
    const GstVideoInfo info = video_info(format, width, height);
    Ptr<GstBuffer> buffer = make_buffer(info, 16);
    const Ptr<GstBuffer> before(gst_buffer_copy_deep(buffer.get()));
    add_object(buffer, {10, 12, 40, 30});
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    ASSERT_NE(out, nullptr) << element.error_text();
    EXPECT_EQ(Unpacked(info, out.get())
                  .difference(Unpacked(info, before.get()), GST_VIDEO_INFO_IS_YUV(&info)),
              outline(10, 12, 40, 30, 2));
  }
}

TEST(Overlay, ABufferSmallerThanItsCapsIsAnErrorThatSaysSo) {
  Element element("sightoverlay mode=blend");
  element.set_caps(video_caps("RGB", 640, 480));
  Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 64, 48));
  add_object(buffer, {10, 12, 40, 30});
  EXPECT_EQ(element.push(std::move(buffer)), GST_FLOW_ERROR);
  EXPECT_THAT(element.error_text(), HasSubstr("9216 bytes cannot be mapped as RGB 640x480"));
}

TEST(Overlay, ThousandsOfObjectsAndOnePixelFrames) {
  const Drawn many = draw("NV12", 640, 480, "", [](const auto& buffer) {
    for (int i = 0; i < 5000; ++i)
      add_object(buffer, {static_cast<float>(i % 640), static_cast<float>(i % 480), 9, 9}, "x", i);
  });
  EXPECT_GT(many.pixels.size(), 5000u);
  const Drawn one =
      draw("I420", 1, 1, " font=\"Sans 9999\" line-width=256", [](const auto& buffer) {
        add_object(buffer, {0, 0, 1, 1});
      });
  EXPECT_EQ(one.pixels.size(), 1u);
}

TEST(Overlay, PropertiesMayChangeWhilePlaying) {
  Element element("sightoverlay mode=attach");
  element.set_caps(video_caps("NV12", 640, 480));
  GstElement* overlay = gst_harness_find_element(element.get(), "sightoverlay");
  for (const bool labels : {true, false, true}) {
    g_object_set(overlay, "show-labels", labels, "line-width", labels ? 5 : 2, nullptr);
    Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
    add_object(buffer, {100, 100, 50, 60});
    const auto rectangles = rectangles_of(element.through(std::move(buffer)).get());
    EXPECT_EQ(rectangles.size(), labels ? 6u : 4u);
    EXPECT_EQ(rectangles[0].height, labels ? 5u : 2u);
  }
  gst_object_unref(overlay);
}

}  // namespace
}  // namespace sightline::testing
