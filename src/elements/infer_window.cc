// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/infer_window.h"

#include <algorithm>

namespace sightline {

FrameWork::~FrameWork() {
  if (buffer_ != nullptr) gst_buffer_unref(buffer_);
}

InferWindow::~InferWindow() {
  set_flushing(true);
  wait_for_callbacks();
}

void InferWindow::set_limit(int frames) {
  const std::lock_guard lock(state_->mutex);
  state_->limit = frames;
}

bool InferWindow::State::front_may_leave() const {
  if (leaving || queue.empty()) return false;
  const auto* work = std::get_if<std::shared_ptr<FrameWork>>(&queue.front());
  return work == nullptr || (*work)->running_ == 0;
}

QueueItem InferWindow::State::take_front() {
  QueueItem item = std::move(queue.front());
  queue.pop_front();
  leaving = true;
  if (std::holds_alternative<std::shared_ptr<FrameWork>>(item)) --frames;
  if (const auto* query = std::get_if<QueuedQuery>(&item)) asking = query->query;
  return item;
}

void InferWindow::State::wake_all() {
  room.notify_all();
  ready.notify_all();
  ended.notify_all();
}

InferWindow::Admission InferWindow::admit() {
  std::unique_lock lock(state_->mutex);
  state_->entering = true;
  state_->room.wait(lock, [&] {
    return state_->flushing || state_->flow != GST_FLOW_OK || state_->frames < state_->limit ||
           state_->front_may_leave();
  });
  state_->entering = false;
  Admission admission;
  if (state_->flushing || state_->flow != GST_FLOW_OK) return admission;
  admission.admitted = state_->frames < state_->limit;
  if (!admission.admitted) {
    admission.to_push = state_->take_front();
  } else if (state_->front_may_leave()) {
    lock.unlock();
    state_->ready.notify_one();
  }
  return admission;
}

void InferWindow::enqueue(const std::shared_ptr<FrameWork>& work) {
  {
    const std::lock_guard lock(state_->mutex);
    work->running_ = work->runs.size();
    state_->callbacks += work->runs.size();
    const bool enters = !state_->flushing && state_->flow == GST_FLOW_OK;
    work->standing.abandoned =
        enters ? state_->abandoned : std::make_shared<std::atomic<bool>>(true);
    if (!enters) return;
    state_->queue.emplace_back(work);
    ++state_->frames;
    if (!state_->front_may_leave()) return;
  }
  state_->ready.notify_one();
}

std::function<void(RunResult&&)> InferWindow::on_result(const std::shared_ptr<FrameWork>& work,
                                                        std::size_t index) {
  return
      [state = state_, work = std::shared_ptr<FrameWork>(work), index](RunResult&& result) mutable {
        std::condition_variable* pusher = nullptr;
        {
          const std::lock_guard lock(state->mutex);
          work->runs[index] = std::move(result);
          if (--work->running_ == 0 && state->front_may_leave()) pusher = &state->who_pushes();
        }
        if (pusher != nullptr) pusher->notify_one();
        // Let go of the frame, without the lock, before the last callback counts as ended: who
        // waits for callbacks finds nothing left.
        work.reset();
        bool last;
        {
          const std::lock_guard lock(state->mutex);
          last = --state->callbacks == 0;
        }
        if (last) state->ended.notify_all();
      };
}

void InferWindow::enqueue(GstEvent* event) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->flushing) {
      gst_event_unref(event);
      return;
    }
    state_->queue.emplace_back(QueuedEvent{event});
  }
  state_->ready.notify_one();
}

bool InferWindow::run_query(GstQuery* query) {
  std::unique_lock lock(state_->mutex);
  if (state_->flushing || state_->flow != GST_FLOW_OK) return false;
  state_->answered = false;
  state_->queue.emplace_back(QueuedQuery{query});
  state_->ready.notify_one();
  // While the pusher is asking, the query is in use, flushing or not.
  state_->ended.wait(
      lock, [&] { return state_->answered || (state_->flushing && state_->asking != query); });
  return state_->answered && state_->answer;
}

std::optional<QueueItem> InferWindow::next() {
  std::unique_lock lock(state_->mutex);
  state_->ready.wait(lock, [&] { return state_->flushing || state_->front_may_leave(); });
  if (state_->flushing) return std::nullopt;
  std::optional<QueueItem> item(state_->take_front());
  const bool room = state_->entering && state_->frames < state_->limit;
  lock.unlock();
  if (room) state_->room.notify_one();
  return item;
}

void InferWindow::pushed() {
  std::condition_variable* pusher = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    state_->leaving = false;
    if (state_->front_may_leave()) pusher = &state_->who_pushes();
  }
  if (pusher != nullptr) pusher->notify_one();
}

bool InferWindow::put_back(const std::shared_ptr<FrameWork>& work) {
  const std::lock_guard lock(state_->mutex);
  if (work->standing.is_abandoned()) return false;
  work->running_ = work->runs.size();
  state_->callbacks += work->runs.size();
  state_->queue.emplace_front(work);
  ++state_->frames;
  return true;
}

void InferWindow::answer(bool ok) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->asking = nullptr;
    state_->answered = true;
    state_->answer = ok;
  }
  state_->ended.notify_all();
}

void InferWindow::State::begin_generation() {
  *abandoned = true;
  abandoned = std::make_shared<std::atomic<bool>>(false);
}

// Events and queries stay.
std::deque<QueueItem> InferWindow::State::drop_frames() {
  std::deque<QueueItem> dropped, kept;
  for (QueueItem& item : queue)
    (std::holds_alternative<std::shared_ptr<FrameWork>>(item) ? dropped : kept)
        .push_back(std::move(item));
  queue = std::move(kept);
  frames = 0;
  return dropped;
}

void InferWindow::set_flow(GstFlowReturn flow) {
  std::deque<QueueItem> dropped;  // let go of without the lock
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->flushing) return;
    state_->flow = flow;
    if (flow != GST_FLOW_OK) {
      dropped = state_->drop_frames();
      state_->begin_generation();
    }
  }
  state_->room.notify_all();
}

void InferWindow::resume_after(GstFlowReturn ended) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->flushing && state_->flow == ended) state_->flow = GST_FLOW_OK;
}

GstFlowReturn InferWindow::flow() const {
  const std::lock_guard lock(state_->mutex);
  return state_->flushing ? GST_FLOW_FLUSHING : state_->flow;
}

void InferWindow::set_flushing(bool flushing) {
  std::deque<QueueItem> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->flushing = flushing;
    state_->flow = flushing ? GST_FLOW_FLUSHING : GST_FLOW_OK;
    dropped.swap(state_->queue);
    state_->frames = 0;
    state_->begin_generation();
  }
  state_->wake_all();
  for (const QueueItem& item : dropped)
    if (const auto* event = std::get_if<QueuedEvent>(&item)) gst_event_unref(event->event);
}

int InferWindow::frames() const {
  const std::lock_guard lock(state_->mutex);
  return state_->frames;
}

void InferWindow::wait_for_callbacks() {
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [&] { return state_->callbacks == 0; });
}

}  // namespace sightline
