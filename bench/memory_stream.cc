// SPDX-License-Identifier: LGPL-2.1-or-later

#include "memory_stream.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sightline::bench {

namespace {

constexpr int kFrames = 24;

[[noreturn]] void fail(GError* error) {
  const std::string text = error->message;
  g_error_free(error);
  throw std::runtime_error(text);
}

Ptr<GstBuffer> draw(int number, std::mt19937& random) {
  const auto [width, height] = kVideoSize;
  Ptr<GstBuffer> buffer(
      gst_buffer_new_allocate(nullptr, static_cast<gsize>(width * height * 3 / 2), nullptr));
  GstMapInfo map;
  gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
  for (int y = 0; y < height * 3 / 2; ++y)
    for (int x = 0; x < width; ++x)
      map.data[y * width + x] = static_cast<guint8>(
          118 + 40 * std::sin(0.011 * x + 0.3 * number) * std::cos(0.007 * y) + random() % 16);
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

Ptr<GstElement> child(const Ptr<GstElement>& pipeline, const char* name) {
  return Ptr<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

}  // namespace

void load_plugin(const std::string& path) {
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  GstPlugin* plugin = gst_plugin_load_file(path.c_str(), &error);
  if (plugin == nullptr) fail(error);
  gst_object_unref(plugin);
}

Ptr<GstElement> parse_pipeline(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (error != nullptr) fail(error);
  return Ptr<GstElement>(GST_ELEMENT(gst_object_ref_sink(pipeline)));
}

void throw_error_of(GstElement* pipeline) {
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline));
  const Ptr<GstMessage> message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  if (message == nullptr) return;
  GError* error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  fail(error);
}

MemoryVideo::MemoryVideo() {
  std::mt19937 random(1);
  for (int i = 0; i < kFrames; ++i) frames_.push_back(draw(i, random));
}

std::string MemoryVideo::caps() {
  return "video/x-raw,format=NV12,width=" + std::to_string(kVideoSize.width) +
         ",height=" + std::to_string(kVideoSize.height);
}

Frames MemoryVideo::frames() const {
  return {caps(), [this](std::uint64_t number) { return frame(number); }};
}

MemoryStream::MemoryStream(Frames video, const std::string& elements,
                           const std::function<void(GstElement*)>& prepare)
    : video_(std::move(video)),
      pipeline_(parse_pipeline("appsrc name=in max-buffers=1 max-bytes=0 format=time caps=\"" +
                               video_.caps + ",framerate=0/1\" ! " + elements +
                               " ! fakesink name=out sync=false signal-handoffs=true")) {
  const Ptr<GstElement> in = child(pipeline_, "in"), out = child(pipeline_, "out");
  g_signal_connect(out.get(), "handoff",
                   G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, gpointer count) {
                     ++*static_cast<std::atomic<std::uint64_t>*>(count);
                   }),
                   &done_);
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = &MemoryStream::push_next;
  gst_app_src_set_callbacks(GST_APP_SRC(in.get()), &callbacks, this, nullptr);
  if (prepare) prepare(pipeline_.get());
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    throw_error_of(pipeline_.get());
    throw std::runtime_error("the pipeline does not start");
  }
}

Ptr<GstElement> MemoryStream::element(const char* name) const { return child(pipeline_, name); }

MemoryStream::~MemoryStream() { stop(); }

// On appsrc's own thread.
void MemoryStream::push_next(GstAppSrc* source, guint, gpointer stream) {
  auto* self = static_cast<MemoryStream*>(stream);
  gst_app_src_push_buffer(source, gst_buffer_copy(self->video_.frame(self->next_++)));
}

void MemoryStream::wait_for(std::uint64_t frames) const {
  while (done_ < frames) {
    throw_error_of(pipeline_.get());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

double frames_per_second(const std::vector<std::unique_ptr<MemoryStream>>& streams,
                         double seconds) {
  const auto count = [&] {
    std::uint64_t frames = 0;
    for (const auto& stream : streams) frames += stream->frames();
    return frames;
  };
  const std::uint64_t before = count();
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const std::uint64_t after = count();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(after - before) / elapsed.count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace sightline::bench
