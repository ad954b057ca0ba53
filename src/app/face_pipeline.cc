// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/face_pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include "app/picture_reader.h"
#include "core/error.h"

namespace sightline {

namespace {

constexpr std::size_t kDecodedAhead = 4;  // by each thread that decodes
// Pictures in the networks at a time: all cores have something to do, and large ones find room.
constexpr std::size_t kLeastUnderWay = 4, kMostUnderWay = 16;
constexpr GstClockTime kPoll = 100 * GST_MSECOND;

}  // namespace

struct FacePipeline::Decoded {
  std::string file;
  std::string error;
  SamplePtr picture;
};

// Decodes a list of files in threads of its own, a few before whoever takes them, in order.
class FacePipeline::Decoder {
 public:
  explicit Decoder(std::span<const std::string> files) : files_(files) {
    const std::size_t count = std::min(decoding_threads(), files.size());
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { decode_until_done(); });
  }

  ~Decoder() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  Decoded take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return decoded_.contains(taken_); });
    Decoded first = std::move(decoded_.extract(taken_++).mapped());
    changed_.notify_all();
    return first;
  }

 private:
  // Networks take far longer than decoding, and want the cores: one thread for each few of them.
  static std::size_t decoding_threads() {
    constexpr unsigned kCoresForEach = 4, kMost = 8;
    return std::clamp(std::thread::hardware_concurrency() / kCoresForEach, 1u, kMost);
  }

  static Decoded decode(PictureReader& reader, const std::string& file) {
    try {
      return {file, "", reader.read(file)};
    } catch (const std::exception& error) {
      return {file, error.what(), nullptr};
    }
  }

  void decode_until_done() {
    PictureReader reader;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] {
        return stopped_ || begun_ == files_.size() ||
               begun_ < taken_ + kDecodedAhead * decoding_threads();
      });
      if (stopped_ || begun_ == files_.size()) return;
      const std::size_t number = begun_++;
      lock.unlock();
      Decoded next = decode(reader, files_[number]);
      lock.lock();
      decoded_.emplace(number, std::move(next));
      changed_.notify_all();
    }
  }

  std::span<const std::string> files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, Decoded> decoded_;
  std::size_t begun_ = 0, taken_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

FacePipeline::FacePipeline(const FaceStages& stages) {
  source_ = pipeline_.add("appsrc");
  sink_ = pipeline_.add("appsink");
  const FaceChain faces = stages.add_to(pipeline_);
  networks_ = faces.networks;
  pipeline_.link({source_, faces.first});
  pipeline_.link({faces.last, sink_});
  g_object_set(source_, "format", GST_FORMAT_TIME, nullptr);
  g_object_set(sink_, "sync", FALSE, nullptr);
  pipeline_.set_state(GST_STATE_PLAYING, "the networks");
}

FacePipeline::~FacePipeline() = default;

void FacePipeline::look_at(std::span<const std::string> files,
                           const std::function<void(PictureFaces&&)>& seen) {
  const std::size_t most_under_way = std::clamp<std::size_t>(
      2 * std::thread::hardware_concurrency(), kLeastUnderWay, kMostUnderWay);
  Decoder decoder(files);
  std::deque<PictureFaces> under_way;
  std::size_t taken = 0;
  while (taken < files.size() || !under_way.empty()) {
    if (taken < files.size() && under_way.size() < most_under_way) {
      under_way.push_back(push(decoder.take()));
      ++taken;
      continue;
    }
    PictureFaces next = std::move(under_way.front());
    under_way.pop_front();
    if (next.error.empty()) pull(next);
    seen(std::move(next));
  }
}

double FacePipeline::network_seconds() const {
  double seconds = 0;
  for (GstElement* network : networks_) {
    GstStructure* raw = nullptr;
    g_object_get(network, "stats", &raw, nullptr);
    const StructurePtr stats(raw);
    guint64 runs = 0;
    double median = 0;
    gst_structure_get(stats.get(), "runs", G_TYPE_UINT64, &runs, "run-p50", G_TYPE_DOUBLE, &median,
                      nullptr);
    seconds += static_cast<double>(runs) * median;
  }
  return seconds;
}

// Sends a picture to the networks, unless it could not be decoded.
PictureFaces FacePipeline::push(Decoded&& decoded) {
  PictureFaces result;
  result.file = std::move(decoded.file);
  result.error = std::move(decoded.error);
  if (!result.error.empty()) return result;
  if (gst_app_src_push_sample(GST_APP_SRC(source_), decoded.picture.get()) != GST_FLOW_OK) {
    pipeline_.throw_pending_error(result.file);
    throw Error(ErrorCode::kFailed, result.file + ": the networks take no picture any more.");
  }
  return result;
}

SamplePtr FacePipeline::await_result(const std::string& file) {
  for (;;) {
    SamplePtr sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), kPoll));
    if (sample != nullptr || gst_app_sink_is_eos(GST_APP_SINK(sink_))) return sample;
    pipeline_.throw_pending_error(file);
  }
}

// Takes the networks' next picture, which is this one: they keep the order.
void FacePipeline::pull(PictureFaces& result) {
  SamplePtr sample = await_result(result.file);
  const SightFrame* frame =
      sample == nullptr ? nullptr : sight_buffer_get_frame(gst_sample_get_buffer(sample.get()));
  if (frame == nullptr) {
    pipeline_.throw_pending_error(result.file);
    throw Error(ErrorCode::kFailed, result.file + ": the networks gave no result.");
  }
  result.size = {static_cast<int>(sight_frame_get_width(frame)),
                 static_cast<int>(sight_frame_get_height(frame))};
  result.faces = faces_of(frame);
  result.model = embedding_model_of(frame);
  result.picture = std::move(sample);
}

}  // namespace sightline
