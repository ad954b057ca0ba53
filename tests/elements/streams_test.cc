// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Streams that come and go at random moments while others play, all on one engine. Each frame
// carries its number in its pixels, and the network's result says what it saw: a frame of a stream
// that stays is neither lost, nor late, nor given another's result. Runs with the stand-in for the
// runtime as well.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "engine/session.h"
#include "harness.h"

namespace sightline {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using testing::Ptr;

constexpr int kChanges = 1000;  // additions and removals together, in each test
constexpr std::size_t kMostStreams = 16;
constexpr int kSide = 8;  // of a frame; rows of RGB need no padding then

// Ends the program, with what was being done, if nothing is heard for a while: a deadlock cannot be
// told to a test that is part of it.
class Watchdog {
 public:
  Watchdog() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

  void busy_with(const std::string& what) {
    const std::lock_guard lock(mutex_);
    what_ = what;
    heard_ = true;
  }

 private:
  static constexpr auto kPatience =
      180s;  // a change takes milliseconds, under a sanitizer a second

  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      heard_ = false;
      changed_.wait_for(lock, stop, kPatience, [] { return false; });
      if (stop.stop_requested() || heard_) continue;
      std::fprintf(stderr, "stuck for %d s: %s\n", static_cast<int>(kPatience / 1s), what_.c_str());
      std::abort();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string what_;
  bool heard_ = false;
  std::jthread thread_;  // last: it uses the others
};

// Which frame of which stream it is, as a colour.
struct Mark {
  std::uint32_t stream = 0, number = 0;

  std::array<guint8, 3> color() const {
    return {static_cast<guint8>(number), static_cast<guint8>(number >> 8),
            static_cast<guint8>(stream)};
  }

  // What the network is to say of it: the mean of each colour. The stand-in for the runtime adds
  // up the bytes of its input instead.
  std::vector<float> result() const {
    static const bool stand_in = runtime_providers().empty();
    const std::array<guint8, 3> seen = color();
    if (!stand_in) return {seen.begin(), seen.end()};
    unsigned sum = 0;
    for (const float value : seen) {
      std::array<guint8, sizeof value> bytes;
      std::memcpy(bytes.data(), &value, sizeof value);
      for (const guint8 byte : bytes) sum += 16u * byte;  // the input has 4 × 4 pixels
    }
    return std::vector<float>(3, static_cast<float>(sum));
  }
};

// The frames of one stream: numbered where they begin, checked where they arrive.
class Stream {
 public:
  Stream(std::uint32_t id, std::vector<std::string> stages) : id_(id), stages_(std::move(stages)) {}

  std::string name() const { return "stream " + std::to_string(id_); }

  // Makes what leaves this pad the next frames.
  void number_frames_of(GstPad* pad) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &Stream::number_frame, this, nullptr);
  }

  // Called for the frames that arrive, by one thread at a time.
  void check(GstBuffer* buffer) {
    const SightFrame* frame = sight_buffer_get_frame(buffer);
    const Mark mark{id_, static_cast<std::uint32_t>(received_)};
    for (const std::string& stage : stages_) {
      std::vector<float> found = result_of(frame, stage);
      if (found != mark.result())
        complain(stage + " says of frame " + std::to_string(received_) + ": " +
                 ::testing::PrintToString(found) + ", expected " +
                 ::testing::PrintToString(mark.result()));
    }
    if (sight_frame_get_number(frame) != received_)
      complain("frame " + std::to_string(sight_frame_get_number(frame)) + " came in the place of " +
               std::to_string(received_));
    ++received_;
  }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  // The first thing that was wrong; empty: nothing.
  std::string complaint() const {
    const std::lock_guard lock(mutex_);
    return complaint_;
  }

 private:
  static GstPadProbeReturn number_frame(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* stream = static_cast<Stream*>(data);
    const Mark mark{stream->id_, static_cast<std::uint32_t>(stream->sent_++)};
    GstBuffer* old = GST_PAD_PROBE_INFO_BUFFER(info);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kSide * kSide * 3, nullptr);
    gst_buffer_copy_into(buffer, old, GST_BUFFER_COPY_TIMESTAMPS, 0, static_cast<gsize>(-1));
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < map.size; ++i) map.data[i] = mark.color()[i % 3];
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(old);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    return GST_PAD_PROBE_OK;
  }

  // Of the tensor that the stage of this name made.
  static std::vector<float> result_of(const SightFrame* frame, const std::string& stage) {
    for (guint i = 0; i < sight_frame_get_n_tensors(frame); ++i) {
      const SightTensor* tensor = sight_frame_get_tensor(frame, i);
      if (stage != sight_tensor_get_stage(tensor)) continue;
      gsize count = 0;
      const gfloat* floats = sight_tensor_get_floats(tensor, &count, nullptr);
      return {floats, floats + count};
    }
    return {};
  }

  void complain(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (complaint_.empty()) complaint_ = name() + ": " + what;
  }

  const std::uint32_t id_;
  const std::vector<std::string> stages_;
  std::atomic<std::uint64_t> sent_ = 0, received_ = 0;
  mutable std::mutex mutex_;
  std::string complaint_;
};

int threads_of_this_process() {
  g_thread_pool_stop_unused_threads();
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    ++count;
  return count;
}

// Threads that are ending are counted by the kernel a moment longer.
::testing::AssertionResult threads_are_back_at(int before) {
  for (int i = 0; i < 1200 && threads_of_this_process() > before; ++i)
    std::this_thread::sleep_for(50ms);
  const int now = threads_of_this_process();
  if (now <= before) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << now << " threads, there were " << before;
}

GstPad* static_pad(GstElement* element, const char* name) {
  return gst_element_get_static_pad(element, name);
}

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() {
    onnx::Builder network("mean");
    network.input("image", ElementType::kFloat32, {-1, 3, 4, 4});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    folder_.write("mean.onnx", network.file());
    config_ = folder_
                  .write("mean.ini",
                         "[property]\nonnx-file = mean.onnx\nmodel-family = raw\n"
                         "engine-workers = 2\nengine-threads = 1\n")
                  .string();
  }

  std::string source() const {
    return "videotestsrc name=source pattern=black ! video/x-raw,format=RGB,width=" +
           std::to_string(kSide) + ",height=" + std::to_string(kSide) + ",framerate=1000/1";
  }
  std::string stage(const std::string& name, int max_in_flight, const std::string& stream) const {
    return " ! sightinfer name=" + name + " config-file=" + config_ +
           " max-in-flight=" + std::to_string(max_in_flight) + " stream=\"" + stream + "\"";
  }

  const test::TemporaryFolder folder_;
  std::string config_;
  Watchdog watchdog_;
};

// How a stream goes.
enum class Farewell {
  kEnd,   // it says so, and all its frames arrive
  kStop,  // somebody stops it in mid-frame
  kCut    // it is unlinked while it plays, and stopped then
};

Farewell random_farewell(std::mt19937& random) { return static_cast<Farewell>(random() % 3); }

void pause_at_random(std::mt19937& random) {
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
}

// A stream as a branch of a playing pipeline: source and stage in a bin, linked to a request pad of
// a funnel, behind which another stage sees the frames of all.
class Branch {
 public:
  Branch(GstElement* pipeline, GstElement* funnel, const std::string& description, std::uint32_t id)
      : pipeline_(pipeline),
        funnel_(funnel),
        stream_(std::make_shared<Stream>(id, std::vector<std::string>{"first", "second"})) {
    bin_ = gst_parse_bin_from_description(description.c_str(), TRUE, nullptr);
    source_ = gst_bin_get_by_name(GST_BIN(bin_), "source");
    GstPad* begin = static_pad(source_, "src");
    stream_->number_frames_of(begin);
    gst_object_unref(begin);
    out_ = static_pad(bin_, "src");
    gst_pad_add_probe(out_, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, &Branch::see_end, this, nullptr);
  }

  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  ~Branch() {
    gst_object_unref(out_);
    gst_object_unref(source_);
  }

  void join() {
    gst_bin_add(GST_BIN(pipeline_), bin_);
    place_ = gst_element_request_pad_simple(funnel_, "sink_%u");
    ASSERT_EQ(gst_pad_link(out_, place_), GST_PAD_LINK_OK);
    ASSERT_TRUE(gst_element_sync_state_with_parent(bin_));
  }

  void leave(Farewell farewell) {
    if (farewell == Farewell::kEnd) {
      gst_element_send_event(source_, gst_event_new_eos());
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_; });
    }
    if (farewell == Farewell::kCut) gst_pad_unlink(out_, place_);
    gst_element_set_locked_state(bin_, TRUE);
    gst_element_set_state(bin_, GST_STATE_NULL);
    if (farewell != Farewell::kCut) gst_pad_unlink(out_, place_);
    gst_element_release_request_pad(funnel_, place_);
    gst_object_unref(place_);
    gst_bin_remove(GST_BIN(pipeline_), bin_);
  }

  const std::shared_ptr<Stream>& stream() const { return stream_; }

 private:
  static GstPadProbeReturn see_end(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* branch = static_cast<Branch*>(data);
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
      const std::lock_guard lock(branch->mutex_);
      branch->ended_ = true;
      branch->changed_.notify_all();
    }
    return GST_PAD_PROBE_OK;
  }

  GstElement* const pipeline_;
  GstElement* const funnel_;
  const std::shared_ptr<Stream> stream_;
  GstElement* bin_ = nullptr;
  GstElement* source_ = nullptr;
  GstPad* out_ = nullptr;
  GstPad* place_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

// The end of the pipeline, where the frames of all branches arrive mixed.
class Arrivals {
 public:
  void expect(const std::shared_ptr<Stream>& stream) {
    const std::lock_guard lock(mutex_);
    streams_[stream->name()] = stream;
  }
  void forget(const std::shared_ptr<Stream>& stream) {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream->name());
  }
  void watch(GstPad* pad) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &Arrivals::arrive, this, nullptr);
  }

 private:
  static GstPadProbeReturn arrive(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* arrivals = static_cast<Arrivals*>(data);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    std::shared_ptr<Stream> stream;
    {
      const std::lock_guard lock(arrivals->mutex_);
      const auto found =
          arrivals->streams_.find(sight_frame_get_stream(sight_buffer_get_frame(buffer)));
      if (found != arrivals->streams_.end()) stream = found->second;
    }
    if (stream != nullptr) stream->check(buffer);  // else one that was stopped: its last frames
    return GST_PAD_PROBE_OK;
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Stream>> streams_;
};

bool arrived(const Stream& stream) {
  for (int i = 0; i < 6000 && stream.received() < stream.sent(); ++i)
    std::this_thread::sleep_for(10ms);
  return stream.received() == stream.sent();
}

TEST_F(StreamsTest, BranchesComeAndGoInAPlayingPipeline) {
  std::mt19937 random(1);
  int threads_before = 0;
  {
    const Ptr<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
        ("funnel name=all" + stage("second", 3, "") + " ! fakesink name=end sync=false async=false")
            .c_str(),
        nullptr))));
    const Ptr<GstElement> funnel(gst_bin_get_by_name(GST_BIN(pipeline.get()), "all"));
    const Ptr<GstElement> end(gst_bin_get_by_name(GST_BIN(pipeline.get()), "end"));
    Arrivals arrivals;
    GstPad* end_pad = static_pad(end.get(), "sink");
    arrivals.watch(end_pad);
    gst_object_unref(end_pad);
    std::uint32_t next = 1;
    std::vector<std::unique_ptr<Branch>> branches;
    const auto add = [&] {
      const std::uint32_t id = next++;
      watchdog_.busy_with("adding branch " + std::to_string(id));
      const int window = 1 + static_cast<int>(random() % 3);
      branches.push_back(std::make_unique<Branch>(
          pipeline.get(), funnel.get(),
          source() + stage("first", window, "stream " + std::to_string(id)), id));
      arrivals.expect(branches.back()->stream());
      branches.back()->join();
    };
    const auto remove = [&](std::size_t index, Farewell farewell) {
      const std::shared_ptr<Stream> stream = branches[index]->stream();
      watchdog_.busy_with("removing " + stream->name() + ", farewell " +
                          std::to_string(static_cast<int>(farewell)));
      branches[index]->leave(farewell);
      if (farewell == Farewell::kEnd) {
        EXPECT_TRUE(arrived(*stream))
            << stream->name() << ": " << stream->received() << " frames of " << stream->sent();
      }
      EXPECT_THAT(stream->complaint(), IsEmpty());
      arrivals.forget(stream);
      branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(index));
    };

    add();
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    add();
    remove(1, Farewell::kStop);
    threads_before = threads_of_this_process();
    for (int change = 0; change < kChanges && !HasFailure(); ++change) {
      pause_at_random(random);
      const bool may_add = branches.size()<kMostStreams, may_remove = branches.size()> 1;
      if (may_add && (!may_remove || random() % 2 == 0))
        add();
      else
        remove(random() % branches.size(), random_farewell(random));
    }
    while (branches.size() > 1 && !HasFailure()) remove(1, Farewell::kEnd);
    EXPECT_GT(branches.front()->stream()->received(), 0u);
    EXPECT_TRUE(threads_are_back_at(threads_before));
    watchdog_.busy_with("stopping the pipeline");
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    EXPECT_THAT(branches.front()->stream()->complaint(), IsEmpty());
  }
}

// A stream as a pipeline of its own.
class Player {
 public:
  Player(const std::string& description, std::uint32_t id)
      : stream_(id, {"only"}),
        pipeline_(
            GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description.c_str(), nullptr)))) {
    const Ptr<GstElement> source(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "source"));
    const Ptr<GstElement> end(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "end"));
    GstPad* begin_pad = static_pad(source.get(), "src");
    GstPad* end_pad = static_pad(end.get(), "sink");
    stream_.number_frames_of(begin_pad);
    gst_pad_add_probe(
        end_pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer stream) {
          static_cast<Stream*>(stream)->check(GST_PAD_PROBE_INFO_BUFFER(info));
          return GST_PAD_PROBE_OK;
        },
        &stream_, nullptr);
    gst_object_unref(begin_pad);
    gst_object_unref(end_pad);
    EXPECT_NE(gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  }
  ~Player() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  void leave(bool in_good_order) {
    if (in_good_order) {
      // GStreamer holds the state lock while it waits for the source to take the event, so that a
      // pipeline that is still starting would never go on.
      gst_element_get_state(pipeline_.get(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
      gst_element_send_event(pipeline_.get(), gst_event_new_eos());
      const Ptr<GstBus> bus(gst_element_get_bus(pipeline_.get()));
      const Ptr<GstMessage> message(gst_bus_timed_pop_filtered(
          bus.get(), GST_CLOCK_TIME_NONE,
          static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
      EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
      EXPECT_EQ(stream_.received(), stream_.sent()) << stream_.name();
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    EXPECT_THAT(stream_.complaint(), IsEmpty());
  }

 private:
  Stream stream_;
  const Ptr<GstElement> pipeline_;
};

// Four people start and stop pipelines at a time; each has one to four.
TEST_F(StreamsTest, PipelinesOfTheirOwnComeAndGo) {
  constexpr unsigned kPeople = 4;
  std::atomic<std::uint32_t> next = 1;
  const auto start = [&](std::mt19937& random) {
    const std::uint32_t id = next++;
    watchdog_.busy_with("starting pipeline " + std::to_string(id));
    return std::make_unique<Player>(source() +
                                        stage("only", 1 + static_cast<int>(random() % 3), "") +
                                        " ! fakesink name=end sync=false",
                                    id);
  };
  const auto come_and_go = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<Player>> players;
    players.push_back(start(random));
    for (unsigned change = 0; change < kChanges / kPeople && !HasFailure(); ++change) {
      pause_at_random(random);
      const bool may_add = players.size()<kMostStreams / kPeople, may_remove = players.size()> 1;
      if (may_add && (!may_remove || random() % 2 == 0)) {
        players.push_back(start(random));
      } else {
        watchdog_.busy_with("stopping a pipeline");
        const auto leaving =
            players.begin() + static_cast<std::ptrdiff_t>(random() % players.size());
        (*leaving)->leave(random() % 2 == 0);
        players.erase(leaving);
      }
    }
    for (const auto& player : players) player->leave(true);
  };

  std::mt19937 random(99);
  start(random)->leave(true);  // what GStreamer starts once and keeps
  const int threads_before = threads_of_this_process();
  {
    std::vector<std::jthread> people;
    for (unsigned person = 0; person < kPeople; ++person) people.emplace_back(come_and_go, person);
  }
  EXPECT_TRUE(threads_are_back_at(threads_before));
}

}  // namespace
}  // namespace sightline
