// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Cameras to measure with: N small live streams over RTSP, each a server on a port of its own, as
// cameras are, that can be killed and brought back. Pictures are encoded once and sent again and
// again, so that many cameras cost next to nothing beside the client that is measured.
//
//   rtsp_server [--port 8554] [--cameras 40] [--fps 5] [--size 320x240] [PICTURE…]
//
// Camera i is rtsp://127.0.0.1:(port + i)/video and shows picture i modulo their number; "none" is
// a test card, as is no picture at all. Commands come from standard input, a line each, and are
// answered by a line: "kill 3", "revive 3", "status", "quit".

#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

#include "command_line.h"

namespace sightline::bench {
namespace {

struct Unref {
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(GstBus* it) const { gst_object_unref(it); }
  void operator()(GstElement* it) const { gst_object_unref(it); }
  void operator()(GstMessage* it) const { gst_message_unref(it); }
  void operator()(GstRTSPMountPoints* it) const { g_object_unref(it); }
  void operator()(GstRTSPServer* it) const { g_object_unref(it); }
  void operator()(GstRTSPSessionPool* it) const { g_object_unref(it); }
  void operator()(GstSample* it) const { gst_sample_unref(it); }
};

template <typename T>
using Ptr = std::unique_ptr<T, Unref>;

struct Options {
  int port = 8554;
  int cameras = 40;
  int fps = 5;
  int width = 320, height = 240;
  std::vector<std::string> pictures;
};

bool read_size(const std::string& text, Options& options) {
  return std::sscanf(text.c_str(), "%dx%d", &options.width, &options.height) == 2 &&
         options.width >= 16 && options.height >= 16;
}

using Video =
    std::vector<Ptr<GstBuffer>>;  // H.264, an access unit a buffer; begins with a key frame

// Two seconds of the picture, which repeat without a seam: each is encoded on its own.
Video encode(const std::string& picture, const Options& options) {
  const std::string source = picture == "none" ? "videotestsrc num-buffers=1"
                                               : "filesrc location=\"" + picture + "\" ! decodebin";
  const std::string fps = std::to_string(options.fps);
  GError* error = nullptr;
  GstElement* parsed = gst_parse_launch(
      (source + " ! videoconvert ! videoscale add-borders=true ! video/x-raw,format=I420,width=" +
       std::to_string(options.width) + ",height=" + std::to_string(options.height) +
       ",pixel-aspect-ratio=1/1 ! imagefreeze num-buffers=" + std::to_string(2 * options.fps) +
       " ! video/x-raw,framerate=" + fps +
       "/1 ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=" + fps +
       " ! video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline ! "
       "appsink name=out sync=false")
          .c_str(),
      &error);
  if (error != nullptr) throw std::runtime_error(picture + ": " + error->message);
  const Ptr<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(parsed)));
  const Ptr<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Video video;
  while (const Ptr<GstSample> sample{gst_app_sink_pull_sample(GST_APP_SINK(out.get()))})
    video.emplace_back(gst_buffer_copy_deep(gst_sample_get_buffer(sample.get())));
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const Ptr<GstMessage> failure(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (failure != nullptr) {
    gst_message_parse_error(failure.get(), &error, nullptr);
    throw std::runtime_error(picture + ": " + error->message);
  }
  if (video.empty()) throw std::runtime_error(picture + ": gives no picture");
  return video;
}

// One camera: a server with one video, fed in real time while somebody watches.
class Camera {
 public:
  Camera(int port, int fps, const Video& video) : port_(port), video_(video) {
    timer_ = g_timeout_add(static_cast<guint>(1000 / fps), &Camera::tick, this);
    revive();
  }
  ~Camera() {
    kill();
    g_source_remove(timer_);
  }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  void revive() {
    if (server_ != nullptr) return;
    server_.reset(gst_rtsp_server_new());
    gst_rtsp_server_set_address(server_.get(), "127.0.0.1");
    gst_rtsp_server_set_service(server_.get(), std::to_string(port_).c_str());
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(
        factory,
        "( appsrc name=feed is-live=true do-timestamp=true format=time ! h264parse ! "
        "rtph264pay name=pay0 pt=96 config-interval=-1 )");
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    g_signal_connect(factory, "media-configure", G_CALLBACK(&Camera::configure), this);
    const Ptr<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
    gst_rtsp_mount_points_add_factory(mounts.get(), "/video", factory);  // takes it over
    source_ = gst_rtsp_server_attach(server_.get(), nullptr);
    if (source_ == 0) {
      server_.reset();
      throw std::runtime_error("port " + std::to_string(port_) + " cannot be listened on");
    }
  }

  // Nobody listens any more, and who was connected is cut off.
  void kill() {
    if (server_ == nullptr) return;
    g_source_remove(source_);
    const Ptr<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
    gst_rtsp_mount_points_remove_factory(mounts.get(), "/video");
    gst_rtsp_server_client_filter(
        server_.get(),
        [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
    const Ptr<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server_.get()));
    gst_rtsp_session_pool_filter(
        sessions.get(),
        [](GstRTSPSessionPool*, GstRTSPSession*, gpointer) { return GST_RTSP_FILTER_REMOVE; },
        nullptr);
    server_.reset();
  }

  std::string status() const {
    const std::lock_guard lock(mutex_);
    return (server_ == nullptr ? "dead"
            : feed_ == nullptr ? "alone"
                               : "watched") +
           std::string(", sent ") + std::to_string(sent_);
  }

 private:
  static void configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
    auto* camera = static_cast<Camera*>(data);
    g_signal_connect(media, "unprepared", G_CALLBACK(&Camera::unprepare), camera);
    const Ptr<GstElement> bin(gst_rtsp_media_get_element(media));
    const std::lock_guard lock(camera->mutex_);
    camera->media_ = media;
    camera->feed_.reset(gst_bin_get_by_name(GST_BIN(bin.get()), "feed"));
    camera->next_ = 0;
  }

  static void unprepare(GstRTSPMedia* media, gpointer data) {
    auto* camera = static_cast<Camera*>(data);
    Ptr<GstElement> feed;
    const std::lock_guard lock(camera->mutex_);
    if (camera->media_ == media) feed = std::move(camera->feed_);
  }

  static gboolean tick(gpointer data) {
    static_cast<Camera*>(data)->send();
    return G_SOURCE_CONTINUE;
  }

  void send() {
    const std::lock_guard lock(mutex_);
    if (feed_ == nullptr) return;
    GstBuffer* buffer = gst_buffer_copy(video_[next_++ % video_.size()].get());
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;  // appsrc's clock says
    if (gst_app_src_push_buffer(GST_APP_SRC(feed_.get()), buffer) == GST_FLOW_OK) ++sent_;
  }

  const int port_;
  const Video& video_;
  guint timer_ = 0, source_ = 0;
  Ptr<GstRTSPServer> server_;
  mutable std::mutex mutex_;  // what the server's threads touch, too
  const GstRTSPMedia* media_ = nullptr;
  Ptr<GstElement> feed_;
  std::size_t next_ = 0;
  std::uint64_t sent_ = 0;
};

class Site {
 public:
  explicit Site(const Options& options) {
    for (const std::string& picture : options.pictures) videos_.push_back(encode(picture, options));
    for (int i = 0; i < options.cameras; ++i)
      cameras_.push_back(std::make_unique<Camera>(
          options.port + i, options.fps, videos_[static_cast<std::size_t>(i) % videos_.size()]));
  }

  // False: that was the last one.
  bool obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "quit") return false;
    if (command == "status") {
      for (std::size_t i = 0; i < cameras_.size(); ++i)
        std::printf("%zu: %s\n", i, cameras_[i]->status().c_str());
      std::printf("status done\n");
      return true;
    }
    std::size_t number = 0;
    if ((command != "kill" && command != "revive") || !(words >> number) ||
        number >= cameras_.size()) {
      std::printf("error: \"%s\" is none of: kill N, revive N, status, quit; N is below %zu\n",
                  line.c_str(), cameras_.size());
      return true;
    }
    if (command == "kill")
      cameras_[number]->kill();
    else
      cameras_[number]->revive();
    std::printf("%s %zu done\n", command.c_str(), number);
    return true;
  }

 private:
  std::vector<Video> videos_;
  std::vector<std::unique_ptr<Camera>> cameras_;
};

// Reads commands on a thread of its own and has them obeyed by the main loop.
class Commands {
 public:
  Commands(Site& site, GMainLoop* loop) : site_(site), loop_(loop) {
    std::thread([this] {
      for (std::string line; std::getline(std::cin, line);) pass_on(line);
      pass_on("quit");
    }).detach();  // it may wait for input for ever
  }

 private:
  struct Command {
    Commands* commands;
    std::string line;
  };

  void pass_on(const std::string& line) {
    g_idle_add_full(G_PRIORITY_DEFAULT, &Commands::obey, new Command{this, line},
                    [](gpointer command) { delete static_cast<Command*>(command); });
  }

  static gboolean obey(gpointer data) {
    const auto* command = static_cast<Command*>(data);
    try {
      if (!command->commands->site_.obey(command->line)) g_main_loop_quit(command->commands->loop_);
    } catch (const std::exception& error) {
      std::printf("error: %s\n", error.what());
    }
    return G_SOURCE_REMOVE;
  }

  Site& site_;
  GMainLoop* loop_;
};

void serve(const Options& options) {
  gst_init(nullptr, nullptr);
  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  Site site(options);
  Commands commands(site, loop);
  std::printf("ready: rtsp://127.0.0.1:%d/video to rtsp://127.0.0.1:%d/video\n", options.port,
              options.port + options.cameras - 1);
  g_main_loop_run(loop);
  std::_Exit(0);  // clients are cut off by the kernel; nothing is left to write
}

}  // namespace
}  // namespace sightline::bench

int main(int argc, char** argv) {
  using namespace sightline::bench;
  Options options;
  return CommandLine("rtsp_server",
                     "[--port 8554] [--cameras 40] [--fps 5] [--size 320x240] [PICTURE…]")
      .words(options.pictures)
      .option("--port", options.port)
      .option("--cameras", options.cameras)
      .option("--fps", options.fps)
      .option("--size", [&](const std::string& value) { return read_size(value, options); })
      .run(argc, argv, [&] {
        if (options.pictures.empty()) options.pictures.emplace_back("none");
        if (options.port + options.cameras >= 65536)
          throw std::runtime_error("there are no ports for so many cameras");
        serve(options);
      });
}
