// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batcher.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "core/error.h"
#include "engine/batch_memory.h"
#include "engine/run_times.h"
#include "engine/slot_results.h"

namespace sightline {

namespace {

// Rows that slots are claimed from, in order. `live` rows are claimed, queued or being run.
struct InputBlock {
  std::shared_ptr<std::byte> memory;
  int capacity = 0;
  int next = 0;
  int live = 0;
};

struct Place {
  std::shared_ptr<InputBlock> block;
  int row = 0;
};

struct Request {
  Place place;
  Clock::time_point deadline;
  int priority = 0;
  SlotCallback on_result;
};

bool in_one_piece(const std::vector<Request>& batch) {
  for (std::size_t i = 1; i < batch.size(); ++i)
    if (batch[i].place.block != batch[0].place.block ||
        batch[i].place.row != batch[0].place.row + static_cast<int>(i))
      return false;
  return true;
}

}  // namespace

struct Slot::State {
  std::shared_ptr<Batcher> batcher;
  Place place;
  Clock::time_point deadline;
  int priority = 0;
  std::span<std::byte> input;

  State(std::shared_ptr<Batcher> owner, Place where, Clock::time_point latest, int how_urgent,
        std::span<std::byte> memory)
      : batcher(std::move(owner)),
        place(std::move(where)),
        deadline(latest),
        priority(how_urgent),
        input(memory) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();
};

// What the threads share. They own it together with the batcher, so that a batcher may end on one
// of its own threads.
struct Batcher::Core {
  Core(std::shared_ptr<const Session> network, int worker_count, int max_batch)
      : session(std::move(network)),
        workers(worker_count),
        memory(std::make_shared<BatchMemory>(*session, workers, max_batch)),
        item_bytes(memory->item_bytes()) {}

  const std::shared_ptr<const Session> session;
  const int workers;

  mutable std::mutex mutex;
  std::condition_variable work;         // for workers: the queue or what is being written changed
  std::condition_variable room;         // for claimers: memory was given back
  std::shared_ptr<BatchMemory> memory;  // another one after grow()
  const std::size_t item_bytes;
  std::shared_ptr<InputBlock> open;  // where the next slots come from
  int blocks = 0;                    // in use
  int writing = 0;                   // slots that are claimed and neither submitted nor abandoned
  std::vector<Request> queue;        // the most urgent first
  std::size_t due = 0;               // of the queue, those that wait for a worker only
  std::set<std::pair<int, std::uint64_t>> claimers;  // who waits: (−priority, when)
  std::uint64_t tickets = 0;
  bool stopping = false;
  RunTimes times;

  // Claimers
  std::byte* address(const Place& place) const {
    return place.block->memory.get() + static_cast<std::size_t>(place.row) * item_bytes;
  }

  std::vector<Place> claim(int count, int priority);
  bool has_room(int count) const;
  void open_block();
  void release(const Place& place);
  void submit(Request request);
  void abandon(const Place& place);

  // Workers
  void work_until_stopped();
  bool batch_may_leave(Clock::time_point now) const;
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  std::vector<Request> take_batch();
  void run(std::vector<Request> batch, BatchMemory& batch_memory);
  void refuse(std::vector<Request> requests);
};

// ── Claimers ──

bool Batcher::Core::has_room(int count) const {
  return (open && open->capacity - open->next >= count) || blocks < workers + 2;
}

void Batcher::Core::open_block() {
  auto block = std::make_shared<InputBlock>(InputBlock{memory->take_items(), memory->max_batch()});
  if (!open || open->live > 0) ++blocks;  // else it takes the place of one of before grow()
  open = std::move(block);
}

std::vector<Place> Batcher::Core::claim(int count, int priority) {
  std::unique_lock lock(mutex);
  if (count < 1 || count > memory->max_batch())
    throw Error(ErrorCode::kInput, std::to_string(count) +
                                       " slots were asked for, a batch has 1 to " +
                                       std::to_string(memory->max_batch()));
  const auto waiter = claimers.emplace(-priority, tickets++).first;
  const auto may_go_on = [&] { return waiter == claimers.begin() && has_room(count); };
  if (!may_go_on()) work.notify_one();  // nobody waits for the company of one who waits for memory
  room.wait(lock, may_go_on);
  claimers.erase(waiter);
  room.notify_all();

  if (!open || open->capacity - open->next < count) open_block();
  std::vector<Place> places;
  for (int i = 0; i < count; ++i) places.push_back({open, open->next++});
  open->live += count;
  writing += count;
  return places;
}

// With the lock held: the row is free again.
void Batcher::Core::release(const Place& place) {
  InputBlock& block = *place.block;
  if (--block.live > 0) return;
  if (place.block == open)
    block.next = 0;  // the same rows again: they are still in the cache
  else
    --blocks;
  room.notify_all();
}

void Batcher::Core::submit(Request request) {
  const std::lock_guard lock(mutex);
  --writing;
  const auto after = std::upper_bound(
      queue.begin(), queue.end(), request.priority,
      [](int priority, const Request& other) { return priority > other.priority; });
  queue.insert(after, std::move(request));
  work.notify_one();
}

void Batcher::Core::abandon(const Place& place) {
  const std::lock_guard lock(mutex);
  --writing;
  release(place);
  work.notify_one();
}

// ── Workers ──

bool Batcher::Core::batch_may_leave(Clock::time_point now) const {
  if (queue.empty()) return false;
  return due > 0 || writing == 0 || !claimers.empty() ||
         queue.size() >= static_cast<std::size_t>(memory->max_batch()) ||
         std::any_of(queue.begin(), queue.end(),
                     [&](const Request& request) { return request.deadline <= now; });
}

void Batcher::Core::wait_for_work(std::unique_lock<std::mutex>& lock) {
  auto earliest = Clock::time_point::max();
  for (const Request& request : queue) earliest = std::min(earliest, request.deadline);
  if (earliest == Clock::time_point::max())
    work.wait(lock);
  else
    work.wait_until(lock, earliest);
}

std::vector<Request> Batcher::Core::take_batch() {
  const auto share = (static_cast<int>(queue.size()) + workers - 1) / workers;
  const auto end = queue.begin() + std::min(share, memory->max_batch());
  std::vector<Request> batch(std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
  due = queue.size() - batch.size();
  queue.erase(queue.begin(), end);
  std::sort(batch.begin(), batch.end(), [](const Request& a, const Request& b) {
    return std::pair(a.place.block.get(), a.place.row) <
           std::pair(b.place.block.get(), b.place.row);
  });
  return batch;
}

void Batcher::Core::work_until_stopped() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (!batch_may_leave(Clock::now())) {
      wait_for_work(lock);
      continue;
    }
    std::vector<Request> batch = take_batch();
    if (!queue.empty()) work.notify_one();
    const std::shared_ptr<BatchMemory> batch_memory = memory;
    lock.unlock();
    run(std::move(batch), *batch_memory);
    lock.lock();
  }
  std::vector<Request> left = std::exchange(queue, {});
  lock.unlock();
  refuse(std::move(left));
}

void Batcher::Core::run(std::vector<Request> batch, BatchMemory& batch_memory) {
  const auto started = Clock::now();
  const int count = static_cast<int>(batch.size());
  std::string failure;
  std::shared_ptr<std::byte> output_block;
  std::vector<Tensor> outputs;
  try {
    std::shared_ptr<std::byte> gathered;
    if (!in_one_piece(batch)) {
      gathered = batch_memory.take_items();
      for (std::size_t i = 0; i < batch.size(); ++i)
        std::memcpy(gathered.get() + i * item_bytes, address(batch[i].place), item_bytes);
    }
    output_block = batch_memory.take_outputs();
    outputs = session->run(gathered ? gathered.get() : address(batch.front().place), count,
                           batch_memory.output_spans(output_block.get(), count));
  } catch (const std::exception& error) {
    failure = error.what();
  }

  {
    const std::lock_guard lock(mutex);
    for (const Request& request : batch) release(request.place);
    times.add(batch.size(), !failure.empty(), Clock::now() - started);
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    SlotResult result{failure, {}};
    try {
      if (failure.empty()) result = slot_result(outputs, i, batch.size(), output_block);
    } catch (const std::exception& error) {
      result = {error.what(), {}};
    }
    batch[i].on_result(std::move(result));
  }
}

void Batcher::Core::refuse(std::vector<Request> requests) {
  {
    const std::lock_guard lock(mutex);
    for (const Request& request : requests) release(request.place);
  }
  for (const Request& request : requests)
    request.on_result(SlotResult{"the engine was closed before this run", {}});
}

// ── The batcher ──

std::shared_ptr<Batcher> Batcher::start(std::shared_ptr<const Session> session, int workers,
                                        int max_batch) {
  return std::shared_ptr<Batcher>(
      new Batcher(std::make_shared<Core>(std::move(session), workers, max_batch)));
}

Batcher::Batcher(std::shared_ptr<Core> core) : core_(std::move(core)) {
  for (int i = 0; i < core_->workers; ++i)
    threads_.emplace_back([core = core_] { core->work_until_stopped(); });
}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
    core_->work.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id())
      thread.detach();  // in a callback that held the last owner: the thread ends by itself
    else
      thread.join();
  }
}

std::vector<Slot> Batcher::claim(int count, Clock::time_point deadline, int priority) {
  const std::vector<Place> places = core_->claim(count, priority);
  std::vector<Slot> slots;
  for (const Place& place : places)
    slots.emplace_back(
        std::make_unique<Slot::State>(shared_from_this(), place, deadline, priority,
                                      std::span(core_->address(place), core_->item_bytes)));
  return slots;
}

int Batcher::max_batch() const {
  const std::lock_guard lock(core_->mutex);
  return core_->memory->max_batch();
}

void Batcher::grow(int max_batch) {
  const std::lock_guard lock(core_->mutex);
  if (max_batch > core_->memory->max_batch())
    core_->memory = std::make_shared<BatchMemory>(*core_->session, core_->workers, max_batch);
}

Engine::Statistics Batcher::statistics() const {
  const std::lock_guard lock(core_->mutex);
  return core_->times.statistics();
}

// ── Slots ──

Slot::State::~State() {
  if (batcher) batcher->core_->abandon(place);
}

Slot::Slot() = default;
Slot::Slot(std::unique_ptr<State> state) : state_(std::move(state)) {}
Slot::Slot(Slot&&) noexcept = default;
Slot& Slot::operator=(Slot&&) noexcept = default;
Slot::~Slot() = default;

std::span<std::byte> Slot::input() const { return state_ ? state_->input : std::span<std::byte>(); }

void Slot::submit(SlotCallback on_result) {
  if (!state_) throw Error(ErrorCode::kInput, "a slot that is empty or was submitted already");
  if (!on_result) throw Error(ErrorCode::kInput, "a slot was submitted without a callback");
  const std::unique_ptr<State> state = std::move(state_);
  const std::shared_ptr<Batcher> batcher = std::move(state->batcher);  // no longer to be abandoned
  batcher->core_->submit(
      {std::move(state->place), state->deadline, state->priority, std::move(on_result)});
}

}  // namespace sightline
