// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/model_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "core/error.h"

namespace sightline {

namespace {

constexpr off_t kLargestFile = 0x7fffffff;  // Protocol Buffers' limit for a message

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

std::string sha256_of(const std::string& bytes) {
  const std::unique_ptr<gchar, decltype(&g_free)> text(
      g_compute_checksum_for_data(G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(bytes.data()),
                                  bytes.size()),
      &g_free);
  return text.get();
}

// The file may shrink while it is read: what could be read counts.
std::string read_all(int descriptor, std::size_t size, const std::string& name) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = read(descriptor, bytes.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw Error(ErrorCode::kModel, name + ": cannot be read: " + std::strerror(errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

ModelFile ModelFile::read(const std::filesystem::path& path) {
  const std::string name = path.string();
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR))
    throw Error(ErrorCode::kNotFound, name + ": no such model file");
  struct stat facts {};
  if (file.get() < 0 || fstat(file.get(), &facts) != 0)
    throw Error(ErrorCode::kModel, name + ": cannot be opened: " + std::strerror(errno));
  if (!S_ISREG(facts.st_mode))
    throw Error(ErrorCode::kModel, name + ": is " +
                                       (S_ISDIR(facts.st_mode) ? "a folder" : "no regular file") +
                                       ", expected an ONNX file");
  if (facts.st_size == 0)
    throw Error(ErrorCode::kModel, name + ": is empty, expected an ONNX file");
  if (facts.st_size > kLargestFile)
    throw Error(ErrorCode::kModel,
                name + ": is " + std::to_string(facts.st_size >> 20) +
                    " MiB large; an ONNX file has at most 2047 (larger weights go into files "
                    "beside it)");

  ModelFile model;
  model.bytes = read_all(file.get(), static_cast<std::size_t>(facts.st_size), name);
  model.sha256 = sha256_of(model.bytes);
  return model;
}

void ModelFile::write(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path unfinished = path.string() + ".part";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code problem;
  if (file) std::filesystem::rename(unfinished, path, problem);
  if (file && !problem) return;
  const std::string reason = problem ? problem.message() : std::strerror(errno);
  std::filesystem::remove(unfinished, problem);
  throw Error(ErrorCode::kFailed, path.string() + ": cannot be written: " + reason);
}

}  // namespace sightline
