// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batcher.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include <pthread.h>

#include "core/error.h"
#include "engine/batch_memory.h"
#include "engine/request_queue.h"
#include "engine/run_results.h"
#include "engine/run_times.h"
#include "engine/turns.h"

namespace sightline {

namespace {

constexpr Clock::time_point kLongAgo = Clock::time_point::min(), kNever = Clock::time_point::max();

// What a worker keeps from batch to batch, so that the items' memory stays in its core's cache.
struct Workplace {
  std::shared_ptr<BatchMemory> memory;
  std::shared_ptr<std::byte> items;
};

void let_go_of_input(Request& request) {
  request.write = nullptr;
  request.writer.reset();
  request.item.reset();
  request.reader.reset();
}

void answer(Request& request, RunResult result) {
  let_go_of_input(request);
  request.on_result(std::move(result));
}

// The items that are written on the device, by their writers. `batch` begins with them, those of a
// writer one after the other.
std::vector<DevicePart> device_parts(const std::vector<Request>& batch) {
  std::vector<DevicePart> parts;
  for (const Request& request : batch) {
    if (request.item == nullptr) break;
    if (parts.empty() || parts.back().writer != request.writer.get())
      parts.push_back({request.writer.get(), {}});
    parts.back().items.push_back(request.item.get());
  }
  return parts;
}

// As device_parts() needs them, those of a reader together; otherwise in their order.
void sort_by_device_work(std::vector<Request>& batch) {
  std::stable_sort(batch.begin(), batch.end(), [](const Request& a, const Request& b) {
    return std::greater<>()(std::pair(a.writer.get(), a.reader.get()),
                            std::pair(b.writer.get(), b.reader.get()));
  });
}

std::vector<DeviceRead> device_reads(const std::vector<Request>& batch) {
  std::vector<DeviceRead> reads;
  const Request* before = nullptr;
  for (std::size_t i = 0; i < batch.size(); before = &batch[i++]) {
    DeviceReader* const reader = batch[i].reader.get();
    if (reader == nullptr) continue;
    if (before == nullptr || before->reader.get() != reader)
      reads.push_back({reader, static_cast<int>(i), 0});
    ++reads.back().count;
  }
  return reads;
}

// `items`: where those lie that were written on the host.
BatchWork batch_work(const std::vector<Request>& batch, const std::byte* items) {
  BatchWork work;
  work.written = device_parts(batch);
  work.items = items;
  work.count = static_cast<int>(batch.size());
  work.read = device_reads(batch);
  work.outputs_wanted = std::any_of(
      batch.begin(), batch.end(), [](const Request& request) { return request.reader == nullptr; });
  return work;
}

// Whether large outputs stay on the device: if nobody wants them on the host.
bool are_kept(const std::vector<Request>& batch) {
  return std::all_of(batch.begin(), batch.end(), [](const Request& request) {
    return request.keep_large_outputs || request.reader != nullptr;
  });
}

// A batch that has run.
struct BatchRun {
  BatchWork work;
  BatchResults results;
  std::shared_ptr<std::byte> block;  // where outputs lie that have no owner
};

// What request `i` gets.
RunResult result_of(const BatchRun& run, std::size_t i) {
  for (std::size_t r = 0; r < run.work.read.size(); ++r) {
    const std::size_t first = static_cast<std::size_t>(run.work.read[r].first),
                      count = static_cast<std::size_t>(run.work.read[r].count);
    if (i < first || i >= first + count) continue;
    RunResult result = run_result(run.results.read[r], i - first, count, nullptr);
    result.is_read = true;
    return result;
  }
  return run_result(run.results.outputs, i, static_cast<std::size_t>(run.work.count), run.block);
}

// Takes their reader from requests for which it found more than it had room for. Whether there were
// any.
bool drop_readers_that_overflowed(std::vector<Request>& batch, const BatchRun& run) {
  bool any = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].reader == nullptr || batch[i].reader->is_complete(result_of(run, i).outputs))
      continue;
    batch[i].reader.reset();
    any = true;
  }
  return any;
}

}  // namespace

// What the threads share. They own it together with the batcher, so that a batcher may end on one
// of its own threads.
struct Batcher::Core final : Turns::Seat, std::enable_shared_from_this<Batcher::Core> {
  Core(std::shared_ptr<const Session> network, int worker_count, int max_batch)
      : session(std::move(network)),
        workers(worker_count),
        turns(session->gpu() == nullptr ? nullptr : Turns::of_gpu(session->gpu()->info().ordinal)),
        memory(std::make_shared<BatchMemory>(*session, workers, max_batch)) {}

  const std::shared_ptr<const Session> session;
  const int workers;
  const std::shared_ptr<Turns> turns;  // of the GPU; null on a CPU

  mutable std::mutex mutex;
  std::condition_variable work;         // the queue changed
  std::shared_ptr<BatchMemory> memory;  // another one after grow()
  RequestQueue queue;
  // Of the requests that are queued, what the one says that may wait least (Standing::may_wait).
  std::chrono::nanoseconds may_wait{0};
  Clock::time_point began = kLongAgo;          // the last batch
  Clock::time_point looked_after_at = kNever;  // when a worker will look whether one may begin
  int running = 0;                             // batches that were taken and have no results yet
  int offered = 0;                             // turns that wait for a worker to take them
  bool stopping = false;
  RunTimes times;
  std::atomic<std::uint64_t> abandoned = 0;

  void submit(std::vector<Request> requests);
  void drop_abandoned();
  void work_until_stopped();
  void add(Request request);
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  bool is_full() const;
  bool is_asked_for() const;
  Clock::time_point start() const;
  bool is_worth_a_start() const;
  bool has_turn();
  bool offer() override;
  void give_back(int count);
  std::vector<Request> take_batch();
  void run(std::vector<Request> batch, const Workplace& place);
  BatchRun run_network(const std::vector<Request>& batch, const Workplace& place);
  std::vector<Request> write_items(std::vector<Request> batch, const Workplace& place);
};

void Batcher::Core::submit(std::vector<Request> requests) {
  for (const Request& request : requests) {
    if ((request.writer != nullptr) != (request.item != nullptr))
      throw Error(ErrorCode::kInput,
                  request.item == nullptr
                      ? "a request has a writer, and no item that it is to write"
                      : "a request has an item for the device, and no writer that writes it");
    const bool on_device = request.item != nullptr;
    if (!request.on_result || on_device == static_cast<bool>(request.write))
      throw Error(ErrorCode::kInput,
                  "a request has to say in one way how its item is written (by a function, or by a "
                  "writer on the device), and who wants the result");
    if ((on_device && session->gpu() == nullptr) ||
        (request.reader != nullptr && !session->reads_on_device()))
      throw Error(
          ErrorCode::kInput,
          "what this network takes and gives cannot be written or read on a GPU: it runs on "
          "the CPU, or does not say how large its outputs are");
  }
  bool is_news;
  {
    const std::lock_guard lock(mutex);
    for (Request& request : requests) add(std::move(request));
    is_news = is_worth_a_start() || (is_asked_for() && start() < looked_after_at);
  }
  if (is_news) work.notify_one();  // who takes a part wakes the next
}

void Batcher::Core::add(Request request) {
  const auto its = request.standing.may_wait;
  may_wait = queue.empty() ? its : std::min(may_wait, its);
  queue.add(std::move(request));
}

void Batcher::Core::drop_abandoned() {
  std::vector<Request> dropped;
  int unused = 0;
  {
    const std::lock_guard lock(mutex);
    dropped = queue.remove_abandoned();
    if (!is_worth_a_start()) unused = std::exchange(offered, 0);
  }
  give_back(unused);
  abandoned += dropped.size();
  for (Request& request : dropped) answer(request, {kAbandoned, {}});
}

// A GPU runs one batch at a time: a worker that is free while another's batch runs begins a full
// one only, so that others grow meanwhile.
bool Batcher::Core::is_asked_for() const {
  return !queue.empty() && (turns == nullptr || running == 0 || is_full());
}

bool Batcher::Core::is_full() const {
  return queue.size() >= static_cast<std::size_t>(memory->max_batch());
}

// When the next batch may begin, if nothing more comes.
Clock::time_point Batcher::Core::start() const { return is_full() ? kLongAgo : began + may_wait; }

bool Batcher::Core::is_worth_a_start() const { return is_asked_for() && Clock::now() >= start(); }

// Returns with something to do, and the GPU's turn, if there is a GPU; or if it stops.
void Batcher::Core::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (!stopping) {
    const Clock::time_point at = start();
    if (is_worth_a_start()) {
      if (has_turn()) return;
      work.wait(lock);  // for the turn, which is offered
    } else if (is_asked_for() && at < looked_after_at) {
      looked_after_at = at;  // one worker does for all
      work.wait_until(lock, at);
      if (looked_after_at == at) looked_after_at = kNever;
    } else {
      work.wait(lock);
    }
  }
}

bool Batcher::Core::has_turn() {
  if (turns == nullptr) return true;
  if (offered == 0) return turns->take(shared_from_this());
  --offered;
  return true;
}

bool Batcher::Core::offer() {
  {
    const std::lock_guard lock(mutex);
    if (stopping || running + offered >= workers || !is_worth_a_start()) return false;
    ++offered;
  }
  work.notify_one();
  return true;
}

void Batcher::Core::give_back(int count) {
  for (int i = 0; turns != nullptr && i < count; ++i) turns->give_back();
}

std::vector<Request> Batcher::Core::take_batch() {
  const int waiting = static_cast<int>(queue.size());
  const int share = turns != nullptr ? waiting : (waiting + workers - 1) / workers;
  const int count = session->preferred_count(std::min(share, memory->max_batch()));
  std::vector<Request> batch(static_cast<std::size_t>(count));
  const Clock::time_point now = Clock::now();
  for (Request& request : batch) request = queue.take(now);
  return batch;
}

void Batcher::Core::work_until_stopped() {
  pthread_setname_np(pthread_self(), "sight-engine");
  Workplace place;
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    if (stopping) break;
    std::vector<Request> batch = take_batch();
    began = Clock::now();
    if (turns == nullptr) may_wait = {};  // what is left is the others' share
    ++running;
    const bool more = is_asked_for();
    if (place.memory != memory) place = {memory, memory->take_items()};
    lock.unlock();
    if (more) work.notify_one();
    run(std::move(batch), place);
    lock.lock();
  }
  std::vector<Request> left = queue.remove_all();
  const int unused = std::exchange(offered, 0);
  lock.unlock();
  give_back(unused);
  for (Request& request : left) answer(request, {"the engine was closed before this run", {}});
}

// Those whose items were written, one after the other, or will be on the device and then come
// first; the others are answered.
std::vector<Request> Batcher::Core::write_items(std::vector<Request> batch,
                                                const Workplace& place) {
  const std::size_t bytes = place.memory->item_bytes();
  std::byte* next = place.items.get();
  sort_by_device_work(batch);
  std::vector<Request> written;
  for (Request& request : batch) {
    if (request.standing.is_abandoned()) {
      ++abandoned;
      answer(request, {kAbandoned, {}});
      continue;
    }
    try {
      if (request.write) {
        request.write({next, bytes});
        request.write = nullptr;
        next += bytes;
      }
      written.push_back(std::move(request));
    } catch (const std::exception& error) {
      answer(request, {error.what(), {}});
    }
  }
  return written;
}

BatchRun Batcher::Core::run_network(const std::vector<Request>& batch, const Workplace& place) {
  BatchRun run{batch_work(batch, place.items.get()), {}, nullptr};
  std::vector<std::span<std::byte>> spans;
  if (run.work.outputs_wanted) {
    const bool kept = are_kept(batch);
    run.block = place.memory->take_outputs(kept);
    spans = place.memory->output_spans(run.block.get(), run.work.count, kept);
    run.work.memory = spans;
  }
  run.results = session->run_batch(run.work);
  run.work.memory = {};
  return run;
}

void Batcher::Core::run(std::vector<Request> batch, const Workplace& place) {
  const auto started = Clock::now();
  batch = write_items(std::move(batch), place);
  if (batch.empty()) {
    {
      const std::lock_guard lock(mutex);
      --running;
    }
    give_back(1);
    return;
  }
  BatchRun done;
  std::string failure;
  try {
    do {
      done = run_network(batch, place);
    } while (drop_readers_that_overflowed(batch, done));
    for (Request& request : batch)
      if (request.item != nullptr) request.item->finished();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  for (Request& request : batch) let_go_of_input(request);

  bool more;
  {
    const std::lock_guard lock(mutex);
    times.add(batch.size(), !failure.empty(), Clock::now() - started);
    --running;
    more = is_worth_a_start();
  }
  give_back(1);
  if (more) work.notify_one();  // before results are handed out, which takes a while
  for (std::size_t i = 0; i < batch.size(); ++i) {
    RunResult result{failure, {}};
    try {
      if (failure.empty()) result = result_of(done, i);
    } catch (const std::exception& error) {
      result = {error.what(), {}};
    }
    batch[i].on_result(std::move(result));
  }
}

Batcher::Batcher(std::shared_ptr<const Session> session, int workers, int max_batch)
    : core_(std::make_shared<Core>(std::move(session), workers, max_batch)) {
  for (int i = 0; i < workers; ++i)
    threads_.emplace_back([core = core_] { core->work_until_stopped(); });
}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
  }
  core_->work.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id())
      thread.detach();  // in a callback that held the last owner: the thread ends by itself
    else
      thread.join();
  }
}

void Batcher::submit(std::vector<Request> requests) { core_->submit(std::move(requests)); }

void Batcher::drop_abandoned() { core_->drop_abandoned(); }

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
  std::unique_lock lock(core_->mutex);
  const RunTimes times = core_->times;
  const std::size_t queued = core_->queue.size();
  lock.unlock();
  Engine::Statistics statistics = times.statistics();
  statistics.abandoned = core_->abandoned;
  statistics.queued = queued;
  return statistics;
}

}  // namespace sightline
