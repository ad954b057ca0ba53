// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gallery/changes.h"
#include "gallery/gallery_database.h"
#include "gallery/postgres.h"

namespace sightline {
namespace {

using Clock = std::chrono::steady_clock;
using Duration = PostgresDatabase::Duration;

// What is announced comes at once. Between, a question now and then tells whether the server is
// there, and finds what a proxy that forwards no announcements has kept from us.
constexpr Duration kQuestionInterval{1000};
constexpr Duration kAnswerTime{5000};
// A server that is back is noticed after the longest pause, and what it takes to connect.
constexpr Duration kShortestPause{50};
constexpr Duration kLongestPause{500};
constexpr Duration kShortestConnectTime{2000};

class Event {
 public:
  Event() : file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (file_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Event() { ::close(file_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  int file() const { return file_; }
  void set() const { ::eventfd_write(file_, 1); }
  void wait(Duration time) const {
    pollfd waited{file_, POLLIN, 0};
    ::poll(&waited, 1, static_cast<int>(time.count()));
  }

 private:
  int file_;
};

// A thread of its own waits for the server, so that whoever polls never does.
class PostgresFollower final : public Follower {
 public:
  explicit PostgresFollower(const std::string& url) : url_(DatabaseUrl::parse(url)) {
    connect(PostgresDatabase::kConnectTime);
  }

  ~PostgresFollower() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    stop_.set();
    if (thread_.joinable()) thread_.join();
  }

  std::optional<Changes> poll(std::int64_t version) override;

 private:
  void connect(Duration patience);
  void follow();
  void fetch();
  bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

  const DatabaseUrl url_;
  const Event stop_;
  std::thread thread_;

  // The thread's, once it runs.
  std::unique_ptr<PostgresDatabase> database_;
  Duration connect_time_ = kShortestConnectTime;

  std::mutex mutex_;
  bool stopped_ = false;
  std::int64_t handed_ = 0;         // where what was handed out last leads to
  std::int64_t base_ = 0;           // what the changes that are fetched next begin after
  std::int64_t seen_ = 0;           // up to where they have been fetched
  std::optional<Changes> pending_;  // fetched, and not asked for yet
  std::string problem_;
};

// A connection that has once taken long may take long again.
void PostgresFollower::connect(Duration patience) {
  const auto begin = Clock::now();
  database_ = std::make_unique<PostgresDatabase>(url_, patience, kAnswerTime, stop_.file());
  prepare_gallery(*database_, Gallery::Mode::kReadOnly);
  database_->listen();  // before anything is read, so that nothing is missed in between
  connect_time_ = std::max(kShortestConnectTime,
                           4 * std::chrono::duration_cast<Duration>(Clock::now() - begin));
}

std::optional<Changes> PostgresFollower::poll(std::int64_t version) {
  if (!thread_.joinable()) {
    std::optional<Changes> first = read_changes(*database_, version);
    seen_ = handed_ = first->version;
    base_ = version == 0 ? 0 : handed_;
    thread_ = std::thread([this] { follow(); });
    return first;
  }
  const std::lock_guard lock(mutex_);
  if (version != 0 && version != handed_) {  // not what was handed out last: from there, then
    handed_ = version;
    seen_ = 0;
    pending_.reset();
  }
  base_ = version;
  if (pending_) {
    std::optional<Changes> changes = std::exchange(pending_, std::nullopt);
    handed_ = changes->version;
    if (base_ != 0) base_ = handed_;
    return changes;
  }
  if (!problem_.empty()) throw Error(ErrorCode::kGallery, problem_);
  return std::nullopt;
}

// Until what was fetched is what there is, after what was handed out last.
void PostgresFollower::fetch() {
  for (;;) {
    std::unique_lock lock(mutex_);
    const std::int64_t base = base_, seen = seen_;
    lock.unlock();
    std::optional<Changes> changes;
    if (database_->data_version() != seen) changes = read_changes(*database_, base);
    lock.lock();
    if (base != base_) continue;  // somebody has asked in between
    problem_.clear();
    if (!changes) return;
    seen_ = changes->version;
    pending_ = std::move(changes);
    return;
  }
}

void PostgresFollower::follow() {
  Duration pause = kShortestPause;
  while (!is_stopped()) {
    try {
      if (database_ == nullptr) connect(connect_time_);
      fetch();
      pause = kShortestPause;
      database_->wait_for_announcement(kQuestionInterval);
    } catch (const std::exception& error) {
      database_.reset();
      {
        const std::lock_guard lock(mutex_);
        problem_ = error.what();
      }
      stop_.wait(pause);
      pause = std::min(2 * pause, kLongestPause);
    }
  }
}

}  // namespace

std::unique_ptr<Follower> follow_gallery_database(const std::string& url) {
  return std::make_unique<PostgresFollower>(url);
}

}  // namespace sightline
