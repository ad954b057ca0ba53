// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery_file.h"

#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <glib.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

using OwnedText = std::unique_ptr<char, decltype(&g_free)>;

constexpr std::int64_t kApplicationId = 0x53474c59;  // "SGLY"
// Thumbnails and crops have tables of their own: whoever loads the vectors then reads nothing else.
// `removals` counts, and `wiped` says up to which removal no byte is left of what was removed.
constexpr char kFirst[] = R"sql(
CREATE TABLE gallery(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  model_id TEXT, model_name TEXT, dimensions INTEGER,
  created TEXT NOT NULL,
  removals INTEGER NOT NULL DEFAULT 0,
  wiped INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE persons(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  created TEXT NOT NULL) STRICT;
CREATE TABLE embeddings(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  person INTEGER NOT NULL REFERENCES persons(number) ON DELETE CASCADE,
  vector BLOB NOT NULL,
  source TEXT NOT NULL,
  created TEXT NOT NULL) STRICT;
CREATE INDEX embeddings_by_person ON embeddings(person);
CREATE TABLE thumbnails(
  embedding INTEGER PRIMARY KEY REFERENCES embeddings(id) ON DELETE CASCADE,
  jpeg BLOB NOT NULL) STRICT;
)sql";

// Changes have numbers that grow. Rows know the change that made them what they are, and `removed`
// has the ids of those that are no more. Who was following this very gallery, and has not been away
// for too long, asks with a number that `changes` still has.
constexpr char kSecond[] = R"sql(
ALTER TABLE gallery ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE gallery ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gallery ADD COLUMN threshold REAL;
ALTER TABLE gallery ADD COLUMN margin REAL;
ALTER TABLE gallery ADD COLUMN calibration_slope REAL;
ALTER TABLE gallery ADD COLUMN calibration_offset REAL;
UPDATE gallery SET identity = lower(hex(randomblob(8))), change = 1;
ALTER TABLE persons ADD COLUMN threshold REAL;
ALTER TABLE persons ADD COLUMN margin REAL;
ALTER TABLE persons ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX persons_by_change ON persons(changed);
ALTER TABLE embeddings ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX embeddings_by_change ON embeddings(changed);
CREATE TABLE crops(
  embedding INTEGER PRIMARY KEY REFERENCES embeddings(id) ON DELETE CASCADE,
  picture BLOB NOT NULL,
  landmarks BLOB NOT NULL) STRICT;
CREATE TABLE changes(number INTEGER PRIMARY KEY) STRICT;
INSERT INTO changes VALUES (1);
CREATE TABLE removed(change INTEGER NOT NULL, embedding INTEGER, person TEXT) STRICT;
CREATE INDEX removed_by_change ON removed(change);
CREATE TABLE audit(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  time TEXT NOT NULL,
  program TEXT NOT NULL,
  action TEXT NOT NULL,
  person TEXT NOT NULL) STRICT;
)sql";

// "best" or "mean"; nothing: whoever decides says it.
constexpr char kThird[] = "ALTER TABLE gallery ADD COLUMN compare TEXT;";

// Number n makes version n + 1 of version n; a new file is of version 0.
constexpr const char* kMigrations[] = {kFirst, kSecond, kThird};
constexpr std::int64_t kVersion = std::size(kMigrations);
constexpr char kTables[] =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('gallery', 'persons', "
    "'embeddings', 'thumbnails', 'crops', 'changes', 'removed', 'audit')";
constexpr std::int64_t kTablesOfVersion[] = {0, 4, 8, 8};

gssize length_of(const std::string& text) { return static_cast<gssize>(text.size()); }

[[noreturn]] void fail(const fs::path& path, const std::string& complaint,
                       ErrorCode code = ErrorCode::kGallery) {
  throw Error(code, path.string() + " " + complaint);
}

// Looks before SQLite does: it would open a pipe and wait, or take a directory for "cannot open".
void require_regular_file(const fs::path& path, Gallery::Mode mode) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    fail(
        path,
        "does not exist. Make a gallery: sightline enroll NAME IMAGE... --gallery " + path.string(),
        ErrorCode::kNotFound);
  }
  if (error) fail(path, "cannot be opened: " + error.message());
  if (fs::is_directory(status)) fail(path, "is a directory; a gallery is a file in one");
  if (!fs::is_regular_file(status)) fail(path, "is not a gallery: not a regular file");
  if (fs::file_size(path, error) == 0 && !error && mode != Gallery::Mode::kCreate)
    fail(path, "is empty (0 bytes), so it is not a gallery. Choose another file, or enrol into it");
  if (::access(path.c_str(), R_OK) != 0)
    fail(path, std::string("cannot be read: ") + std::strerror(errno) +
                   ". Change its permissions, or run as its owner");
}

// Faces are personal: a new file is its owner's alone.
void create_if_missing(const fs::path& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file >= 0) {
    ::close(file);
    return;
  }
  if (errno == EEXIST) return;
  const bool missing = errno == ENOENT;
  fail(path,
       std::string("cannot be created: ") + std::strerror(errno) +
           (missing ? ". Its directory must exist" : ". Choose a directory you may write to"),
       missing ? ErrorCode::kNotFound : ErrorCode::kGallery);
}

bool is_blank(const SqliteDatabase& database) {
  return database.number("PRAGMA application_id") == 0 &&
         database.number("PRAGMA user_version") == 0 &&
         database.number("SELECT count(*) FROM sqlite_schema") == 0;
}

void require_gallery(const SqliteDatabase& database) {
  const std::int64_t application = database.number("PRAGMA application_id");
  if (application != kApplicationId) {
    database.fail("is an SQLite file of another program (application_id " +
                  std::to_string(application) + ", a gallery has " +
                  std::to_string(kApplicationId) + "). Choose another file");
  }
  const std::int64_t version = database.number("PRAGMA user_version");
  if (version > kVersion) {
    database.fail("was written by a newer Sightline (format " + std::to_string(version) +
                  ", this one knows up to " + std::to_string(kVersion) + "). Update Sightline");
  }
  if (version < 1 || database.number(kTables) != kTablesOfVersion[version] ||
      database.number("SELECT one FROM gallery") != 1)
    database.fail("is damaged: its tables are not a gallery's. Restore a backup");
}

bool is_current(const SqliteDatabase& database) {
  return database.number("PRAGMA user_version") == kVersion;
}

// Makes a file of any older version, or of none, one of this version.
void migrate(const SqliteDatabase& database) {
  Transaction transaction(database, Database::Kind::kWrite);
  const bool blank = is_blank(database);
  if (!blank) require_gallery(database);  // another process may have been quicker
  const std::int64_t version = database.number("PRAGMA user_version");
  if (blank) database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  for (std::int64_t next = version; next < kVersion; ++next) {
    database.execute(kMigrations[next]);
    if (next == 0)
      Statement(database, "INSERT INTO gallery(one, created) VALUES (1, $1)")
          .bind(time_now())
          .run();
  }
  database.execute("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

std::unique_ptr<SqliteDatabase> open_for_writing(const fs::path& path, bool create, int patience);

std::unique_ptr<SqliteDatabase> open_for_reading(const fs::path& path, int patience) {
  try {
    auto database = std::make_unique<SqliteDatabase>(path, SqliteDatabase::Access::kRead, patience);
    require_gallery(*database);
    if (is_current(*database)) return database;
    database.reset();
    open_for_writing(path, false, patience);  // to migrate it
    return open_for_reading(path, patience);
  } catch (const Error&) {
    // In a directory that is read-only SQLite cannot make its -shm file. Without a log beside it
    // the file alone is complete.
    std::error_code error;
    const fs::path directory = fs::absolute(path).parent_path();
    const auto log_bytes = fs::file_size(path.string() + "-wal", error);
    if (::access(directory.c_str(), W_OK) == 0 || (!error && log_bytes > 0)) throw;
  }
  auto database =
      std::make_unique<SqliteDatabase>(path, SqliteDatabase::Access::kImmutable, patience);
  require_gallery(*database);
  if (!is_current(*database))
    database->fail(
        "is of an older format and cannot be written, so it cannot be brought up to date. Copy it "
        "to a directory that you may write to");
  return database;
}

std::unique_ptr<SqliteDatabase> open_for_writing(const fs::path& path, bool create, int patience) {
  auto database = std::make_unique<SqliteDatabase>(path, SqliteDatabase::Access::kWrite, patience);
  const bool make = create && !database->is_read_only() && is_blank(*database);
  if (!make) require_gallery(*database);
  if (database->is_read_only())
    database->fail(
        "cannot be changed: the file is read-only. Change its permissions, or work "
        "on a copy");
  if (make || !is_current(*database)) migrate(*database);
  if (database->text("PRAGMA journal_mode = WAL") != "wal")
    database->fail(
        "cannot be changed: this file system does not support SQLite's write-ahead "
        "log. Move it to a local disk");
  return database;
}

// float32, little endian; false if there are more or fewer.
bool read_floats(std::span<const std::uint8_t> blob, std::span<float> into) {
  if (blob.size() != into.size() * sizeof(float)) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const std::uint8_t* bytes = &blob[i * sizeof(float)];
    const std::uint32_t bits = bytes[0] | static_cast<std::uint32_t>(bytes[1]) << 8 |
                               static_cast<std::uint32_t>(bytes[2]) << 16 |
                               static_cast<std::uint32_t>(bytes[3]) << 24;
    into[i] = std::bit_cast<float>(bits);
  }
  return true;
}

}  // namespace

std::unique_ptr<SqliteDatabase> open_gallery_file(const fs::path& path, Gallery::Mode mode,
                                                  int patience) {
  if (mode == Gallery::Mode::kCreate && !fs::is_directory(path)) create_if_missing(path);
  require_regular_file(path, mode);
  if (mode == Gallery::Mode::kReadOnly) return open_for_reading(path, patience);
  return open_for_writing(path, mode == Gallery::Mode::kCreate, patience);
}

std::string describe(const ModelFingerprint& model) {
  constexpr std::size_t kShown = 8;
  return (model.id.size() > kShown ? model.id.substr(0, kShown) + "…" : model.id) + " (" +
         (model.name.empty() ? "" : model.name + ", ") + std::to_string(model.dimensions) + "-d)";
}

bool is_utf8(const std::string& text) {
  return g_utf8_validate_len(text.data(), text.size(), nullptr) != FALSE;
}

std::string clean_name(const std::string& name) {
  const auto refuse = [](const std::string& complaint) {
    throw Error(ErrorCode::kInput, "a person's name must be 1 to " +
                                       std::to_string(kMaxNameCharacters) +
                                       " characters of UTF-8 on one line; this one " + complaint);
  };
  // GLib takes a zero for no UTF-8.
  if (name.find('\0') != std::string::npos) refuse("has a zero byte in it");
  if (!is_utf8(name)) refuse("is not UTF-8");
  // Composed, so that the same name typed on another system is the same name.
  const OwnedText composed(g_utf8_normalize(name.data(), length_of(name), G_NORMALIZE_NFC), g_free);
  if (composed == nullptr) refuse("is not UTF-8");
  glong count = 0;
  const std::unique_ptr<gunichar, decltype(&g_free)> owner(
      g_utf8_to_ucs4_fast(composed.get(), -1, &count), g_free);

  std::span<const gunichar> characters(owner.get(), static_cast<std::size_t>(count));
  while (!characters.empty() && g_unichar_isspace(characters.front()))
    characters = characters.subspan(1);
  while (!characters.empty() && g_unichar_isspace(characters.back()))
    characters = characters.first(characters.size() - 1);
  if (characters.empty()) refuse("is empty");
  if (characters.size() > static_cast<std::size_t>(kMaxNameCharacters))
    refuse("has " + std::to_string(characters.size()));
  for (const gunichar c : characters) {
    const GUnicodeType type = g_unichar_type(c);
    if (type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR ||
        type == G_UNICODE_PARAGRAPH_SEPARATOR)
      refuse("has a control character or a line break in it");
  }
  const OwnedText text(g_ucs4_to_utf8(characters.data(), static_cast<glong>(characters.size()),
                                      nullptr, nullptr, nullptr),
                       g_free);
  if (text == nullptr) refuse("is not UTF-8");
  return text.get();
}

std::string valid_utf8(const std::string& text) {
  return OwnedText(g_utf8_make_valid(text.data(), length_of(text)), g_free).get();
}

std::vector<float> to_unit_length(std::span<const float> values) {
  constexpr double kAlreadyUnit = 1e-6;  // of the squared length; float rounding stays below it
  double squared = 0;
  for (const float value : values) squared += static_cast<double>(value) * value;
  if (!std::isfinite(squared) || !(squared > 0)) {
    throw Error(ErrorCode::kInput, "an embedding must have a direction: these " +
                                       std::to_string(values.size()) +
                                       " numbers are all zero, or one is not finite");
  }
  std::vector<float> unit(values.begin(), values.end());
  if (std::abs(squared - 1) <= kAlreadyUnit) return unit;
  const double scale = 1 / std::sqrt(squared);
  for (float& value : unit) value = static_cast<float>(value * scale);
  return unit;
}

void require_plausible(const ModelFingerprint& model) {
  constexpr std::size_t kMaxIdBytes = 256;
  if (!model.id.empty() && model.id.size() <= kMaxIdBytes && is_utf8(model.id) &&
      model.name.size() <= kMaxIdBytes && is_utf8(model.name) && model.dimensions >= 1 &&
      model.dimensions <= kMaxDimensions)
    return;
  throw Error(ErrorCode::kInput, "a model's fingerprint needs an id and a name of at most " +
                                     std::to_string(kMaxIdBytes) + " bytes and 1 to " +
                                     std::to_string(kMaxDimensions) + " dimensions; this one has " +
                                     std::to_string(model.dimensions));
}

void require_source(const std::string& source) {
  if (source.size() <= kMaxSourceBytes && is_utf8(source)) return;
  throw Error(ErrorCode::kInput, "the name of an embedding's source must be UTF-8 of at most " +
                                     std::to_string(kMaxSourceBytes) +
                                     " bytes, none of them zero; this one has " +
                                     std::to_string(source.size()));
}

void require_thumbnail(std::span<const std::uint8_t> thumbnail) {
  const bool jpeg = thumbnail.size() >= 2 && thumbnail[0] == 0xff && thumbnail[1] == 0xd8;
  if (thumbnail.empty() || (jpeg && thumbnail.size() <= kMaxThumbnailBytes)) return;
  throw Error(ErrorCode::kInput, "a thumbnail must be a JPEG picture of at most " +
                                     std::to_string(kMaxThumbnailBytes) + " bytes; this one " +
                                     (jpeg ? "has " + std::to_string(thumbnail.size())
                                           : std::string("does not begin like one")));
}

void require_crop(const FaceCrop& crop) {
  constexpr std::size_t kMaxLandmarks = 1000;
  const std::vector<std::uint8_t>& bytes = crop.picture;
  const bool jpeg = bytes.size() >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8;
  const bool png = bytes.size() >= 2 && bytes[0] == 0x89 && bytes[1] == 'P';
  if ((jpeg || png) && bytes.size() <= kMaxThumbnailBytes && crop.landmarks.size() <= kMaxLandmarks)
    return;
  throw Error(ErrorCode::kInput, "a face's crop must be a JPEG or PNG picture of at most " +
                                     std::to_string(kMaxThumbnailBytes) + " bytes with at most " +
                                     std::to_string(kMaxLandmarks) + " landmarks; this one has " +
                                     std::to_string(bytes.size()) + " bytes and " +
                                     std::to_string(crop.landmarks.size()) + " landmarks");
}

std::vector<std::uint8_t> encode_points(std::span<const Point> points) {
  std::vector<float> numbers;
  for (const Point& point : points) numbers.insert(numbers.end(), {point.x, point.y});
  return encode_vector(numbers);
}

std::vector<Point> decode_points(std::span<const std::uint8_t> blob) {
  std::vector<float> numbers(blob.size() / sizeof(float));
  read_floats(blob, numbers);
  std::vector<Point> points;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
    points.push_back({numbers[i], numbers[i + 1]});
  return points;
}

std::vector<std::uint8_t> encode_vector(std::span<const float> values) {
  std::vector<std::uint8_t> blob;
  blob.reserve(values.size() * sizeof(float));
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8)
      blob.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  return blob;
}

bool is_unit_length(std::span<const float> values) {
  constexpr double kTolerance = 1e-3;
  double squared = 0;
  for (const float value : values) squared += static_cast<double>(value) * value;
  return std::abs(squared - 1) <= kTolerance;  // false for NaN
}

bool decode_vector(std::span<const std::uint8_t> blob, std::span<float> into) {
  return read_floats(blob, into) && is_unit_length(into);
}

std::string time_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

bool is_time(const std::string& text) {
  constexpr std::string_view kPattern = "0000-00-00T00:00:00Z";
  if (text.size() != kPattern.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (kPattern[i] == '0' ? !digit : text[i] != kPattern[i]) return false;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    return std::stoi(text.substr(at, digits));
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  return day.ok() && number(11, 2) < 24 && number(14, 2) < 60 && number(17, 2) < 60;
}

}  // namespace sightline
