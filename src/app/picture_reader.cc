// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/picture_reader.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "app/frame_size.h"
#include "app/input.h"
#include "app/pipeline.h"
#include "app/upright.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr GstClockTime kPatience = 60 * GST_SECOND;
constexpr GstClockTime kPoll = 50 * GST_MSECOND;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kInput, path + ": " + what);
}

void check_size(const std::string& path, int width, int height) {
  if (const std::string objection = size_objection(width, height); !objection.empty())
    fail(path, objection);
}

// Before the decoder makes room for it. Of what kind the content is.
std::string checked_type(const std::string& path) {
  const Content content = content_of(path);
  if (content.type.rfind("image/", 0) != 0)
    fail(path, "is no picture (" +
                   (content.type.empty() ? "of a kind that nobody knows" : content.type) +
                   "). Give a JPEG or PNG file; for clips there is `sightline run`.");
  if (content.width > 0 && content.height > 0) check_size(path, content.width, content.height);
  return content.type;
}

// Which elements decode it, as decodebin would choose them; none: decodebin is to choose.
std::vector<const char*> decoders_of(const std::string& type) {
  if (type == "image/jpeg") return {"jpegparse", "jpegdec"};
  if (type == "image/png") return {"pngdec"};
  return {};
}

bool are_installed(const std::vector<const char*>& factories) {
  return std::ranges::all_of(factories, [](const char* name) {
    return FactoryPtr(gst_element_factory_find(name)) != nullptr;
  });
}

SamplePtr await_sample(const Pipeline& pipeline, GstElement* sink, const std::string& path) {
  for (GstClockTime waited = 0; waited < kPatience; waited += kPoll) {
    SamplePtr sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink), kPoll));
    if (sample != nullptr) return sample;
    pipeline.throw_pending_error(path + ": cannot be decoded");
    if (gst_app_sink_is_eos(GST_APP_SINK(sink)))
      fail(path, "holds no whole picture. It is damaged or cut off; copy it again.");
  }
  fail(path, "was not decoded within a minute.");
}

}  // namespace

// From a file to a frame, for one picture after the other.
class PictureReader::Row {
 public:
  explicit Row(const std::vector<const char*>& decoders) {
    source_ = pipeline_.add("filesrc");
    GstElement* converter = pipeline_.add("videoconvert");
    // Decoders of pictures may tell no time; what follows wants a segment in time.
    GstElement* frame = pipeline_.add("imagefreeze");
    GstElement* upright = pipeline_.add("videoflip");
    sink_ = pipeline_.add("appsink");
    g_object_set(frame, "num-buffers", 1, nullptr);
    gst_util_set_object_arg(G_OBJECT(upright), "video-direction", "auto");
    g_object_set(sink_, "sync", FALSE, "caps", readable_caps().get(), nullptr);
    pipeline_.link({converter, frame, upright, sink_});
    const PadPtr before(gst_element_get_static_pad(upright, "sink"));
    gst_pad_add_probe(before.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, &Row::see, this, nullptr);
    link_decoders(decoders, converter);
  }

  SamplePtr read(const std::string& path) {
    // Down to READY is not enough: imagefreeze and appsink would think that the end has come.
    pipeline_.set_state(GST_STATE_NULL, path);
    g_object_set(source_, "location", path.c_str(), nullptr);
    pipeline_.set_state(GST_STATE_PLAYING, path);
    SamplePtr sample = await_sample(pipeline_, sink_, path);
    GstVideoInfo info;
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())))
      fail(path, "was decoded to something that is no picture.");
    check_size(path, GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
    return sample;
  }

  // videoflip remembers how the last picture lay, and would turn one that says nothing likewise.
  bool is_fit_for_another() const { return !turned_; }

 private:
  static GstPadProbeReturn see(GstPad*, GstPadProbeInfo* info, gpointer data) {
    if (asks_for_turning(GST_PAD_PROBE_INFO_EVENT(info))) static_cast<Row*>(data)->turned_ = true;
    return GST_PAD_PROBE_OK;
  }

  void link_decoders(const std::vector<const char*>& decoders, GstElement* converter) {
    if (decoders.empty()) {
      GstElement* any = pipeline_.add("decodebin");
      pipeline_.link({source_, any});
      return link_video_pad(any, converter);
    }
    GstElement* last = source_;
    for (const char* decoder : decoders) {
      GstElement* next = pipeline_.add(decoder);
      pipeline_.link({last, next});
      last = next;
    }
    pipeline_.link({last, converter});
  }

  std::atomic<bool> turned_ = false;
  GstElement* source_;
  GstElement* sink_;
  Pipeline pipeline_;  // last: its threads use the others
};

PictureReader::PictureReader() = default;
PictureReader::~PictureReader() = default;

// Null: nobody but decodebin knows how.
PictureReader::Row* PictureReader::row_for(const std::string& type) {
  const std::vector<const char*> decoders = decoders_of(type);
  if (decoders.empty() || !are_installed(decoders)) return nullptr;
  std::unique_ptr<Row>& row = rows_[type];
  if (row == nullptr) row = std::make_unique<Row>(decoders);
  return row.get();
}

SamplePtr PictureReader::read(const std::string& path) {
  const std::string type = checked_type(path);
  try {
    if (Row* row = row_for(type)) {
      SamplePtr picture = row->read(path);
      if (!row->is_fit_for_another()) rows_.erase(type);
      return picture;
    }
  } catch (const Error&) {
    rows_.erase(type);  // decodebin says what is wrong, or manages
  }
  return Row({}).read(path);
}

}  // namespace sightline
