// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/follower.h"

#include <filesystem>

#include <sys/stat.h>

#include "gallery/changes.h"
#include "gallery/gallery_database.h"
#include "gallery/gallery_file.h"

namespace sightline {
namespace {

// Tells a file from another that has taken its name. Size, time and whether there is a log matter
// only where SQLite does not look for changes: a file opened as immutable.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};
  off_t log_size = 0;

  // All zero if there is no file.
  static FileIdentity of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};  // opening it will tell why
    FileIdentity found{status.st_dev, status.st_ino, status.st_size, status.st_mtim, 0};
    if (::stat((path.string() + "-wal").c_str(), &status) == 0) found.log_size = status.st_size;
    return found;
  }

  bool is_same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
  bool is_unchanged(const FileIdentity& other) const {
    return size == other.size && log_size == other.log_size &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

class FileFollower final : public Follower {
 public:
  explicit FileFollower(const std::string& path) : path_(path) { open(Database::kDefaultPatience); }

  std::optional<Changes> poll(std::int64_t version) override {
    try {
      std::optional<Changes> changes = read(version);
      patience_ = 0;  // whoever has something to go on with does not wait for a lock
      return changes;
    } catch (...) {
      // From scratch next time. A file that has replaced another needs it: SQLite shares the state
      // of its log between all who have it open, and makes it anew only when all have let go.
      database_.reset();
      patience_ = 0;
      throw;
    }
  }

 private:
  void open(int patience);
  std::optional<Changes> read(std::int64_t version);

  const std::filesystem::path path_;
  std::unique_ptr<SqliteDatabase> database_;
  FileIdentity identity_;
  int patience_ = Database::kDefaultPatience;
  bool read_ = false;  // whether what `data_version_` says has been read
  std::int64_t data_version_ = 0;
};

void FileFollower::open(int patience) {
  const FileIdentity found = FileIdentity::of(path_);
  if (database_ != nullptr && found.is_same_file(identity_) &&
      (!database_->is_immutable() || found.is_unchanged(identity_)))
    return;
  read_ = false;
  database_.reset();
  database_ = open_gallery_file(path_, Gallery::Mode::kReadOnly, patience);
  identity_ = found;
}

std::optional<Changes> FileFollower::read(std::int64_t version) {
  open(patience_);
  database_->set_patience(patience_);
  const std::int64_t data_version = database_->data_version();
  if (read_ && data_version == data_version_) return std::nullopt;
  // The version was read first: what is committed in between is read now and asked for once more.
  Changes changes = read_changes(*database_, version);
  data_version_ = data_version;
  read_ = true;
  return changes;
}

}  // namespace

std::unique_ptr<Follower> Follower::open(const std::string& location) {
  if (is_database_url(location)) return follow_gallery_database(location);
  return std::make_unique<FileFollower>(location);
}

}  // namespace sightline
