// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a stage has under way: frames whose networks run, and the events and queries between them,
// in order of arrival.
//
// The streaming thread puts things in at the back, whoever pushes takes them out at the front once
// they are ready. A flush, and a flow that ends, begin a new generation: the frames inside are
// dropped at once, their requests are abandoned, and runs still under way end for nobody.

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gst/video/video.h>

#include "engine/engine.h"
#include "meta/handles.h"
#include "stage/late_results.h"
#include "stage/mapped_frame.h"
#include "stage/model.h"
#include "stage/track_cache.h"

namespace sightline {

// What the network looks at, waiting for its results.
struct PendingLook {
  std::uint64_t object = 0;  // 0: the whole frame
  Affine2 to_frame;
  std::optional<CropQuality> quality;
  std::optional<Rect> part;     // of the frame, if the region is not all of it
  std::optional<Rect> content;  // of the tensor, where the rest of it is padding
  TrackCache::TrackPtr track;   // whose later frames may take the results over; null: none
};

// What the network looks at while its frame goes on.
struct LateLook {
  std::shared_ptr<LateResults::Look> look;
  Look regions;
  TrackCache::TrackPtr track;  // null: results are not taken over
  std::uint64_t frame = 0;     // its number in the stream
};

// An object that the network is not run for: it takes over what the track's last look gave.
struct TakenOver {
  std::uint64_t object = 0;
  TrackCache::TrackPtr track;
  Affine2 to_frame{};  // of what it would see, for results that have a place in that
};

// One frame under way. The engine's callbacks hold it, not the element.
class FrameWork {
 public:
  // `buffer` is taken over.
  FrameWork(GstBuffer* buffer, const GstVideoInfo& video_info)
      : info(video_info), buffer_(buffer) {}
  ~FrameWork();
  FrameWork(const FrameWork&) = delete;
  FrameWork& operator=(const FrameWork&) = delete;

  GstBuffer* buffer() const { return buffer_; }
  GstBuffer* take_buffer() { return std::exchange(buffer_, nullptr); }
  void replace_buffer(GstBuffer* buffer) { buffer_ = buffer; }  // after take_buffer()

  const GstVideoInfo info;
  std::shared_ptr<const Model> model;
  MapFor map_for = MapFor::kHost;
  std::string stream;
  // Its number in the stream, if that is still to be written onto the buffer. Decoders hold a
  // buffer until it was taken: a copy, which shares its memory, would keep that from their pool.
  std::optional<std::uint64_t> unwritten_number;
  Standing standing;              // of its requests
  const char* skipped = nullptr;  // why no network is to see the frame, if so
  Clock::time_point entered;      // when it was let in
  std::string problem;            // what went wrong before any network saw the frame
  std::vector<PendingLook> looks;
  std::vector<TakenOver> taken_over;
  std::vector<RunResult> runs;      // model->runs_per_look() for each look, in order
  std::vector<TensorHandle> given;  // likewise, where the network takes tensors of others
  std::vector<Tensor> inputs;       // likewise, where what it saw is attached
  std::vector<LateLook> late;       // whose results the frame does not wait for
  // What the network said first where it may look twice; `runs` are the second look's then, if it
  // takes one.
  std::optional<Results> first_look;
  std::vector<Tensor> first_outputs;

 private:
  friend class InferWindow;
  GstBuffer* buffer_;
  std::size_t running_ = 0;  // guarded by the window's mutex
};

struct QueuedEvent {
  GstEvent* event;  // owned
};
struct QueuedQuery {
  GstQuery* query;  // borrowed from the thread that waits in run_query()
};
using QueueItem = std::variant<std::shared_ptr<FrameWork>, QueuedEvent, QueuedQuery>;

class InferWindow {
 public:
  InferWindow() : state_(std::make_shared<State>()) {}
  ~InferWindow();

  void set_limit(int frames);

  // What the streaming thread is to do next: let its frame in, or, while the window is full, push
  // what is ready to leave and ask again, which saves waking the pusher; or give up, since the
  // window is flushing or the flow has ended (see flow()).
  struct Admission {
    bool admitted = false;
    std::optional<QueueItem> to_push;
  };
  Admission admit();  // waits until there is something to do
  // Puts the frame in; a callback is to come for each of its runs. From now on it knows when it is
  // abandoned.
  void enqueue(const std::shared_ptr<FrameWork>& work);
  // The callback for run `index` of `work`: notes the result and wakes who waits.
  std::function<void(RunResult&&)> on_result(const std::shared_ptr<FrameWork>& work,
                                             std::size_t index);
  void enqueue(GstEvent* event);  // takes the event over; false answers are seen in flow()
  // Waits until the pusher has answered the query in its turn. False: not answered, or flushing.
  bool run_query(GstQuery* query);

  // The next thing that is ready to leave, in order; waits for it. Nothing: flushing.
  std::optional<QueueItem> next();
  void pushed();  // what next() or admit() gave has left
  // Instead of leaving, the frame that next() or admit() gave waits at the front for more runs; a
  // callback is to come for each. False: nobody waits for it any more.
  bool put_back(const std::shared_ptr<FrameWork>& work);
  void answer(bool ok);  // of the query that next() gave

  // What a push came to. Unless that is OK, the frames inside are dropped and abandoned, and nobody
  // is let in until the flow is taken up again.
  void set_flow(GstFlowReturn flow);
  GstFlowReturn flow() const;
  void resume_after(GstFlowReturn ended);  // if it ended so
  void set_flushing(
      bool flushing);         // true drops everything and wakes everybody; false starts afresh
  void wait_for_callbacks();  // until no engine thread holds anything of this window
  int frames() const;         // inside now

 private:
  struct State {
    mutable std::mutex mutex;
    // Notified without the mutex: who wakes up finds it free.
    std::condition_variable
        room;  // for who wants to enter: a frame left or may leave, or flushing, or the flow ended
    std::condition_variable ready;  // for the pusher: the front of the queue may leave, or flushing
    std::condition_variable ended;  // for who waits for a query's answer or for the last callback
    std::deque<QueueItem> queue;

    bool front_may_leave() const;
    std::deque<QueueItem> drop_frames();
    void begin_generation();
    QueueItem take_front();
    std::condition_variable& who_pushes() { return entering ? room : ready; }
    void wake_all();

    std::shared_ptr<std::atomic<bool>> abandoned = std::make_shared<std::atomic<bool>>(false);
    int frames = 0;         // in the queue
    bool entering = false;  // the streaming thread waits in admit()
    bool leaving = false;   // something was taken and is not pushed yet
    int limit = 1;
    std::size_t callbacks = 0;  // still to come, of any generation
    GstFlowReturn flow = GST_FLOW_FLUSHING;
    bool flushing = true;
    GstQuery* asking = nullptr;  // taken by the pusher, not answered yet
    bool answered = false;
    bool answer = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace sightline
