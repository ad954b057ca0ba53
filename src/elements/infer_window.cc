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

bool InferWindow::admit() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] {
    return state_->flushing || state_->flow != GST_FLOW_OK || state_->frames < state_->limit;
  });
  return !state_->flushing && state_->flow == GST_FLOW_OK;
}

void InferWindow::enqueue(const std::shared_ptr<FrameWork>& work) {
  const std::lock_guard lock(state_->mutex);
  work->running_ = work->runs.size();
  state_->callbacks += work->runs.size();
  if (state_->flushing) return;
  state_->queue.emplace_back(work);
  ++state_->frames;
  state_->changed.notify_all();
}

SlotCallback InferWindow::on_result(const std::shared_ptr<FrameWork>& work, std::size_t index) {
  return [state = state_, work = std::shared_ptr<FrameWork>(work),
          index](SlotResult&& result) mutable {
    {
      const std::lock_guard lock(state->mutex);
      work->runs[index] = std::move(result);
      --work->running_;
      state->changed.notify_all();
    }
    // Let go of the frame, without the lock, before the last callback counts as ended: who waits
    // for callbacks finds nothing left.
    work.reset();
    const std::lock_guard lock(state->mutex);
    --state->callbacks;
    state->changed.notify_all();
  };
}

void InferWindow::enqueue(GstEvent* event) {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->flushing) {
      state_->queue.emplace_back(QueuedEvent{event});
      state_->changed.notify_all();
      return;
    }
  }
  gst_event_unref(event);
}

bool InferWindow::run_query(GstQuery* query) {
  std::unique_lock lock(state_->mutex);
  if (state_->flushing || state_->flow != GST_FLOW_OK) return false;
  state_->answered = false;
  state_->queue.emplace_back(QueuedQuery{query});
  state_->changed.notify_all();
  // While the pusher is asking, the query is in use, flushing or not.
  state_->changed.wait(
      lock, [&] { return state_->answered || (state_->flushing && state_->asking != query); });
  return state_->answered && state_->answer;
}

std::optional<QueueItem> InferWindow::next() {
  std::unique_lock lock(state_->mutex);
  const auto ready = [&] {
    if (state_->queue.empty()) return false;
    const auto* work = std::get_if<std::shared_ptr<FrameWork>>(&state_->queue.front());
    return work == nullptr || (*work)->running_ == 0;
  };
  state_->changed.wait(lock, [&] { return state_->flushing || ready(); });
  if (state_->flushing) return std::nullopt;
  QueueItem item = std::move(state_->queue.front());
  state_->queue.pop_front();
  if (std::holds_alternative<std::shared_ptr<FrameWork>>(item)) --state_->frames;
  if (const auto* query = std::get_if<QueuedQuery>(&item)) state_->asking = query->query;
  state_->changed.notify_all();
  return item;
}

void InferWindow::answer(bool ok) {
  const std::lock_guard lock(state_->mutex);
  state_->asking = nullptr;
  state_->answered = true;
  state_->answer = ok;
  state_->changed.notify_all();
}

void InferWindow::set_flow(GstFlowReturn flow) {
  const std::lock_guard lock(state_->mutex);
  state_->flow = flow;
  state_->changed.notify_all();
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
    state_->changed.notify_all();
  }
  for (const QueueItem& item : dropped)
    if (const auto* event = std::get_if<QueuedEvent>(&item)) gst_event_unref(event->event);
}

void InferWindow::wait_for_callbacks() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->callbacks == 0; });
}

}  // namespace sightline
