// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/line_file.h"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace sightline {
namespace {

constexpr const char* kStandardOutput = "-";

std::string advice(int code) {
  switch (code) {
    case ENOENT:
      return ". Make the folder first";
    case ENOSPC:
    case EDQUOT:
      return ". Make room, or write elsewhere";
    case EACCES:
    case EPERM:
    case EROFS:
      return ". Choose a place that can be written";
    case EISDIR:
      return ". Name a file in it";
    case EPIPE:
      return ": its reader has gone away";
    default:
      return "";
  }
}

// While it lives, a reader that went away is an error of write() and does not end the process.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now{};
    if (!was_pending_)
      while (sigtimedwait(&sigpipe_, nullptr, &now) == -1 && errno == EINTR) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_;
};

// The number of bytes written, less than all if `code` was set.
std::size_t write_all(int descriptor, std::string_view bytes, int& code) {
  const NoSigpipe guard;
  std::size_t done = 0;
  code = 0;
  while (done < bytes.size() && code == 0) {
    const ssize_t count = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count >= 0)
      done += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      code = errno;
  }
  return done;
}

void take_back(int descriptor, std::size_t bytes) {
  struct stat status;
  const off_t end = ::lseek(descriptor, 0, SEEK_CUR);
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
  // Not if somebody else has appended in the meantime.
  if (end != status.st_size || end < static_cast<off_t>(bytes)) return;
  if (::ftruncate(descriptor, end - static_cast<off_t>(bytes)) == 0)
    ::lseek(descriptor, 0, SEEK_END);
}

}  // namespace

LineFile::~LineFile() {
  if (is_open() && name_ != kStandardOutput) ::close(descriptor_);
}

void LineFile::fail(const std::string& what, int code) const {
  throw Error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailed,
              "cannot " + what + " " +
                  (name_ == kStandardOutput ? "the standard output" : "\"" + name_ + "\"") + ": " +
                  std::generic_category().message(code) + advice(code));
}

void LineFile::open(const std::string& path, Mode mode) {
  close();
  name_ = path;
  if (path == kStandardOutput) {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  const int how = mode == Mode::kAppend ? O_APPEND : O_TRUNC;
  int descriptor;
  do descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) fail("open", errno);
  descriptor_ = descriptor;
  if (mode == Mode::kAppend) end_half_line();
}

void LineFile::end_half_line() {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return;
  const int reader = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
  if (reader < 0) return;
  char last = '\n';
  const ssize_t count = ::pread(reader, &last, 1, status.st_size - 1);
  ::close(reader);
  if (count == 1 && last != '\n') write({});
}

void LineFile::write(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  int code = 0;
  const std::size_t done = write_all(descriptor_, bytes, code);
  if (code == 0) return;
  if (done > 0) take_back(descriptor_, done);
  fail("write to", code);
}

void LineFile::close() {
  if (!is_open()) return;
  const int descriptor = std::exchange(descriptor_, -1);
  if (name_ != kStandardOutput && ::close(descriptor) != 0 && errno != EINTR) fail("close", errno);
}

}  // namespace sightline
