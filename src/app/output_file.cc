// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/output_file.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& target, const std::string& what, int number) {
  const std::string remedy = number == ENOSPC   ? " Make room, or choose another place."
                             : number == EACCES ? " Choose a folder that you may write to."
                                                : "";
  throw Error(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailed,
              target.string() + ": " + what + ": " + std::strerror(number) + "." + remedy);
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : value_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }

 private:
  int value_;
};

void synchronise(const fs::path& path, const fs::path& target) {
  const Descriptor file(path, O_RDONLY);
  if (!file.valid() || fsync(file.get()) != 0) fail(target, "cannot be written", errno);
}

void write_all(int file, std::string_view contents, const fs::path& target) {
  while (!contents.empty()) {
    const ssize_t written = ::write(file, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target, "cannot be written", errno);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

OutputFile::OutputFile(fs::path target, Readers readers) : target_(std::move(target)) {
  std::error_code ignored;
  if (fs::is_directory(target_, ignored))
    throw Error(ErrorCode::kFailed, target_.string() + ": is a folder, not a file.");
  if (fs::exists(target_, ignored) && !fs::is_regular_file(target_, ignored)) {
    in_place_ = true;
    temporary_ = target_;
    return;
  }
  // A link stays one: what it points to is replaced.
  const fs::path real = fs::is_symlink(target_, ignored) ? fs::weakly_canonical(target_) : target_;
  const std::string name = "." + real.stem().string() + "." + std::to_string(getpid()) + ".part" +
                           real.extension().string();
  temporary_ = real.parent_path() / name;
  const mode_t mode = readers == Readers::kOwner ? 0600 : 0666;
  // What somebody else has put there, a link perhaps, or a file that others can read, is not used.
  fs::remove(temporary_, ignored);
  const Descriptor file(temporary_, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!file.valid()) fail(target_, "cannot be written", errno);
}

OutputFile::~OutputFile() {
  if (committed_ || in_place_) return;
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void OutputFile::commit() {
  if (in_place_) return;
  synchronise(temporary_, target_);
  std::error_code ignored;
  const fs::path real = fs::is_symlink(target_, ignored) ? fs::weakly_canonical(target_) : target_;
  if (std::rename(temporary_.c_str(), real.c_str()) != 0)
    fail(target_, "cannot be replaced", errno);
  committed_ = true;
}

void OutputFile::write(const fs::path& target, const std::function<void(const Write&)>& produce,
                       Readers readers) {
  OutputFile output(target, readers);
  {
    const Descriptor file(output.path(), O_WRONLY);
    if (!file.valid()) fail(target, "cannot be written", errno);
    produce([&](std::string_view part) { write_all(file.get(), part, target); });
  }
  output.commit();
}

void OutputFile::write(const fs::path& target, std::string_view contents, Readers readers) {
  write(
      target, [&](const Write& write_part) { write_part(contents); }, readers);
}

}  // namespace sightline
