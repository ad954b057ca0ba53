// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What results do between other people's elements. A bright rectangle is drawn where an object is;
// behind the element, the reader looks for the rectangle in the pixels and compares.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "meta/handles.h"
#include "meta/roi_mirror.h"

namespace {

using sightline::FrameHandle;

constexpr int kWidth = 160, kHeight = 120, kFrames = 4;
constexpr SightBox kBox = {32, 24, 48, 40};
constexpr char kCaps[] = "video/x-raw,format=I420,width=160,height=120,framerate=30/1";

struct UnrefGst {
  void operator()(gpointer object) const { gst_object_unref(object); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using ElementPtr = std::unique_ptr<GstElement, UnrefGst>;
using SamplePtr = std::unique_ptr<GstSample, UnrefGst>;

// Black, with kBox in white.
BufferPtr draw_picture(int number) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, kWidth, kHeight);
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  GstVideoFrame picture;
  EXPECT_TRUE(gst_video_frame_map(&picture, &info, buffer.get(), GST_MAP_WRITE));
  for (int plane = 0; plane < 3; ++plane) {
    auto* bytes = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&picture, plane));
    const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(&picture, plane);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&picture, plane); ++y)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&picture, plane); ++x) {
        const bool inside =
            x >= kBox.x && x < kBox.x + kBox.width && y >= kBox.y && y < kBox.y + kBox.height;
        bytes[y * stride + x] = plane > 0 ? 128 : inside ? 235 : 16;
      }
  }
  gst_video_frame_unmap(&picture);
  GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(number, GST_SECOND, 30);
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 30;
  return buffer;
}

// The box around the bright pixels: luma, or red, over half.
std::optional<SightBox> find_rectangle(GstSample* sample) {
  GstVideoInfo info;
  GstVideoFrame picture;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&picture, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    return std::nullopt;
  const auto* bytes = static_cast<const guint8*>(GST_VIDEO_FRAME_COMP_DATA(&picture, 0));
  const int stride = GST_VIDEO_FRAME_COMP_STRIDE(&picture, 0);
  const int step = GST_VIDEO_FRAME_COMP_PSTRIDE(&picture, 0);
  int left = info.width, right = -1, top = info.height, bottom = -1;
  for (int y = 0; y < info.height; ++y)
    for (int x = 0; x < info.width; ++x)
      if (bytes[y * stride + x * step] > 128) {
        left = std::min(left, x), right = std::max(right, x);
        top = std::min(top, y), bottom = std::max(bottom, y);
      }
  gst_video_frame_unmap(&picture);
  if (right < 0) return std::nullopt;
  return SightBox{static_cast<float>(left), static_cast<float>(top),
                  static_cast<float>(right + 1 - left), static_cast<float>(bottom + 1 - top)};
}

// Puts the object of the rectangle on `buffer`; returns its id.
guint64 write_results(const BufferPtr& buffer, int number) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_TRUE(sight_frame_set_size(frame, kWidth, kHeight, nullptr));
  EXPECT_TRUE(sight_frame_set_stream(frame, "test", number, nullptr));
  SightObject* object = sight_frame_add_object(frame, "bright", 0, 1, &kBox, 0, nullptr);
  const SightPoint corners[] = {{kBox.x, kBox.y}, {kBox.x + kBox.width, kBox.y + kBox.height}};
  EXPECT_TRUE(sight_object_set_landmarks(object, corners, 2, nullptr));
  return sight_object_get_id(object);
}

ElementPtr child(GstElement* pipeline, const char* name) {
  return ElementPtr(gst_bin_get_by_name(GST_BIN(pipeline), name));
}

std::vector<SamplePtr> pull_all(GstElement* pipeline, const char* sink) {
  std::vector<SamplePtr> samples;
  const ElementPtr element = child(pipeline, sink);
  while (GstSample* sample =
             gst_app_sink_try_pull_sample(GST_APP_SINK(element.get()), 10 * GST_SECOND))
    samples.emplace_back(sample);
  EXPECT_TRUE(gst_app_sink_is_eos(GST_APP_SINK(element.get()))) << "no sample in ten seconds";
  return samples;
}

// `description`, between an appsrc named src and the appsinks that it names itself; empty if an
// element is not installed.
ElementPtr launch(const std::string& description) {
  const std::string text =
      std::string("appsrc name=src format=time caps=") + kCaps + " ! " + description;
  GError* error = nullptr;
  ElementPtr pipeline(
      gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (error != nullptr) {
    EXPECT_TRUE(g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT))
        << error->message;
    g_error_free(error);
    return nullptr;
  }
  return pipeline;
}

// Plays kFrames frames with results through `pipeline`; returns the objects' ids.
std::vector<guint64> play(GstElement* pipeline) {
  std::vector<guint64> ids;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const ElementPtr source = child(pipeline, "src");
  for (int number = 0; number < kFrames; ++number) {
    BufferPtr buffer = draw_picture(number);
    ids.push_back(write_results(buffer, number));
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer.release());
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  return ids;
}

constexpr char kSink[] = " ! appsink name=sink sync=false";

struct Case {
  const char* name;
  const char* elements;
  bool survives;
};

class BetweenWriterAndReader : public testing::TestWithParam<Case> {};

// A bilinear edge and a codec's ringing move an edge by up to a pixel, scaling up by two.
constexpr float kTolerance = 1.5f;

void expect_near(const SightBox& box, const SightBox& rectangle) {
  EXPECT_NEAR(box.x, rectangle.x, kTolerance);
  EXPECT_NEAR(box.y, rectangle.y, kTolerance);
  EXPECT_NEAR(box.x + box.width, rectangle.x + rectangle.width, kTolerance);
  EXPECT_NEAR(box.y + box.height, rectangle.y + rectangle.height, kTolerance);
}

// What the buffer says equals what the picture shows.
void expect_in_place(GstSample* sample, const std::vector<guint64>& ids) {
  const SightFrame* frame = sight_buffer_get_frame(gst_sample_get_buffer(sample));
  ASSERT_NE(frame, nullptr) << "the results are gone";
  GstVideoInfo info;
  ASSERT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  EXPECT_EQ(sight_frame_get_width(frame), static_cast<guint>(info.width));
  EXPECT_EQ(sight_frame_get_height(frame), static_cast<guint>(info.height));
  EXPECT_STREQ(sight_frame_get_stream(frame), "test");

  ASSERT_EQ(sight_frame_get_n_objects(frame), 1u);
  const SightObject* object = sight_frame_get_object(frame, 0);
  ASSERT_LT(sight_frame_get_number(frame), ids.size());
  EXPECT_EQ(sight_object_get_id(object), ids[sight_frame_get_number(frame)]);
  const auto rectangle = find_rectangle(sample);
  ASSERT_TRUE(rectangle.has_value());
  SightBox box;
  sight_object_get_box(object, &box);
  expect_near(box, *rectangle);
  guint n = 0;
  const SightPoint* corners = sight_object_get_landmarks(object, &n);
  ASSERT_EQ(n, 2u);
  expect_near(
      {corners[0].x, corners[0].y, corners[1].x - corners[0].x, corners[1].y - corners[0].y},
      *rectangle);
}

TEST_P(BetweenWriterAndReader, ResultsAreWhereThePictureIsOrGone) {
  const ElementPtr pipeline = launch(std::string(GetParam().elements) + kSink);
  if (!pipeline) GTEST_SKIP() << "not installed: " << GetParam().elements;
  const std::vector<guint64> ids = play(pipeline.get());
  const std::vector<SamplePtr> samples = pull_all(pipeline.get(), "sink");
  EXPECT_FALSE(samples.empty());
  for (const SamplePtr& sample : samples) {
    if (GetParam().survives) {
      expect_in_place(sample.get(), ids);
      continue;
    }
    EXPECT_EQ(sight_buffer_get_frame(gst_sample_get_buffer(sample.get())), nullptr);
    const auto rectangle = find_rectangle(sample.get());
    ASSERT_TRUE(rectangle.has_value());
    EXPECT_GT(std::abs(rectangle->x - kBox.x) + std::abs(rectangle->y - kBox.y), 4)
        << "the element did nothing, so this proves nothing";
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

INSTANTIATE_TEST_SUITE_P(
    Elements, BetweenWriterAndReader,
    testing::Values(
        Case{"identity", "identity", true}, Case{"queue", "queue", true},
        Case{"tee", "tee name=t t. ! queue ! fakesink async=false t. ! queue", true},
        Case{"videorate_down", "videorate ! video/x-raw,framerate=15/1", true},
        Case{"videorate_up", "videorate ! video/x-raw,framerate=60/1", true},
        Case{"videoconvert", "videoconvert ! video/x-raw,format=RGB", true},
        Case{"videoconvert_twice",
             "videoconvert ! video/x-raw,format=BGRA ! videoconvert ! video/x-raw,format=I420",
             true},
        Case{"videoscale_up", "videoscale ! video/x-raw,width=320,height=240", true},
        Case{"videoscale_down", "videoscale ! video/x-raw,width=80,height=60", true},
        Case{"videoscale_wide_pixels",
             "videoscale ! video/x-raw,width=80,height=240,pixel-aspect-ratio=4/1", true},
        Case{"videoscale_borders",
             "videoscale ! video/x-raw,width=320,height=120,pixel-aspect-ratio=1/1", false},
        Case{"videoscale_distorted",
             "videoscale add-borders=false ! "
             "video/x-raw,width=320,height=120,pixel-aspect-ratio=1/1",
             false},
        Case{"videoconvertscale", "videoconvertscale ! video/x-raw,format=RGB,width=240,height=180",
             true},
        Case{"jpeg", "jpegenc quality=95 ! jpegdec", true},
        Case{"h264", "x264enc tune=zerolatency ! avdec_h264", true},
        Case{"videocrop", "videocrop left=16 top=8", false},
        Case{"videobox", "videobox left=-16 top=-8", false},
        Case{"videoflip", "videoflip video-direction=horiz", false},
        Case{"videoflip_rotating", "videoflip video-direction=90r", false}),
    [](const auto& tested) { return std::string(tested.param.name); });

// --- a tee ------------------------------------------------------------------------------------

std::set<std::string> labels_in(GstSample* sample) {
  std::set<std::string> labels;
  const SightFrame* frame = sight_buffer_get_frame(gst_sample_get_buffer(sample));
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i)
    labels.insert(sight_object_get_label(sight_frame_get_object(frame, i)));
  return labels;
}

// An element that adds an object, and changes the one that is there, as a pad probe.
GstPadProbeReturn add_and_change(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer label) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  const auto* text = static_cast<const char*>(label);
  sight_frame_add_object(frame, text, 0, 1, &kBox, 0, nullptr);
  SightObject* first = sight_frame_edit_object(frame, sight_frame_get_object(frame, 0), nullptr);
  sight_object_set_track(first, text[0], nullptr);
  return GST_PAD_PROBE_OK;
}

void add_probe(GstElement* pipeline, const char* element, const char* label) {
  const ElementPtr found = child(pipeline, element);
  GstPad* pad = gst_element_get_static_pad(found.get(), "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, add_and_change, const_cast<char*>(label),
                    nullptr);
  gst_object_unref(pad);
}

guint64 track_of_first(GstSample* sample) {
  guint64 track = 0;
  const SightFrame* frame = sight_buffer_get_frame(gst_sample_get_buffer(sample));
  sight_object_get_track(sight_frame_get_object(frame, 0), &track);
  return track;
}

TEST(Tee, BranchesThatBothAddDoNotSeeEachOther) {
  const ElementPtr pipeline = launch(
      "tee name=t  t. ! queue name=a ! appsink name=sink_a sync=false"
      "  t. ! queue name=b ! appsink name=sink_b sync=false"
      "  t. ! queue ! appsink name=sink_c sync=false");
  ASSERT_TRUE(pipeline);
  add_probe(pipeline.get(), "a", "a");
  add_probe(pipeline.get(), "b", "b");
  play(pipeline.get());
  const auto a = pull_all(pipeline.get(), "sink_a"), b = pull_all(pipeline.get(), "sink_b"),
             c = pull_all(pipeline.get(), "sink_c");
  ASSERT_EQ(a.size(), static_cast<std::size_t>(kFrames));
  ASSERT_EQ(b.size(), a.size());
  ASSERT_EQ(c.size(), a.size());
  for (int i = 0; i < kFrames; ++i) {
    EXPECT_EQ(labels_in(a[i].get()), (std::set<std::string>{"bright", "a"}));
    EXPECT_EQ(labels_in(b[i].get()), (std::set<std::string>{"bright", "b"}));
    EXPECT_EQ(labels_in(c[i].get()), (std::set<std::string>{"bright"}));
    EXPECT_EQ(track_of_first(a[i].get()), guint64{'a'});
    EXPECT_EQ(track_of_first(b[i].get()), guint64{'b'});
    EXPECT_EQ(track_of_first(c[i].get()), 0u);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

// --- mirrors ----------------------------------------------------------------------------------

GstPadProbeReturn mirror(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*data*/) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  sightline::mirror_objects(buffer);
  return GST_PAD_PROBE_OK;
}

// The region and the object stay one, and what a converter took from the region comes back.
TEST(Mirror, IsFoundAgainBehindAScaler) {
  const ElementPtr pipeline = launch(
      "identity name=before ! videoconvertscale ! "
      "video/x-raw,format=RGB,width=320,height=240 ! appsink name=sink sync=false");
  ASSERT_TRUE(pipeline);
  const ElementPtr before = child(pipeline.get(), "before");
  GstPad* pad = gst_element_get_static_pad(before.get(), "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, mirror, nullptr, nullptr);
  gst_object_unref(pad);
  play(pipeline.get());
  for (const SamplePtr& sample : pull_all(pipeline.get(), "sink")) {
    BufferPtr buffer(gst_buffer_copy(gst_sample_get_buffer(sample.get())));
    EXPECT_EQ(sightline::import_regions(buffer.get(), 1), 0) << "taken for somebody else's";
    EXPECT_EQ(sightline::mirror_objects(buffer.get()), 1) << "the parameters were lost";
    gpointer state = nullptr;
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(gst_buffer_iterate_meta_filtered(
        buffer.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->x, 2 * kBox.x);
    EXPECT_EQ(region->h, 2 * kBox.height);
    EXPECT_NE(gst_video_region_of_interest_meta_get_param(region, "detection"), nullptr);
    EXPECT_EQ(gst_buffer_iterate_meta_filtered(buffer.get(), &state,
                                               GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE),
              nullptr);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace
