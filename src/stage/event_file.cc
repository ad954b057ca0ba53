// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/event_file.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "meta/event_reader.h"

namespace sightline {

namespace {

constexpr std::size_t kLongestLine = std::size_t{256} << 20;
constexpr std::size_t kBlock = std::size_t{1} << 20;

GstClockTime distance(GstClockTime a, GstClockTime b) { return a > b ? a - b : b - a; }

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Calls `line` with each line of a file, its number and where it begins.
class LineReader {
 public:
  LineReader(int descriptor, const std::filesystem::path& path)
      : descriptor_(descriptor), path_(path) {}

  template <typename Line>
  void read(Line line) {
    std::size_t number = 1, begin = 0;  // of the line within text_
    while (more()) {
      for (std::size_t end; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1)
        line(std::string_view(text_).substr(begin, end - begin), number++,
             offset_ + static_cast<std::streamoff>(begin));
      text_.erase(0, begin);
      offset_ += static_cast<std::streamoff>(std::exchange(begin, 0));
      if (text_.size() > kLongestLine)
        throw Error(ErrorCode::kInput,
                    path_.string() + ":" + std::to_string(number) + ": the line is longer than " +
                        std::to_string(kLongestLine) + " bytes, which no event is");
    }
    if (!text_.empty()) line(std::string_view(text_), number, offset_);
  }

 private:
  bool more() {
    const std::size_t before = text_.size();
    text_.resize(before + kBlock);
    ssize_t count;
    do count = ::read(descriptor_, text_.data() + before, kBlock);
    while (count < 0 && errno == EINTR);
    text_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0)
      throw Error(ErrorCode::kFailed,
                  path_.string() + " cannot be read: " + std::generic_category().message(errno));
    return count > 0;
  }

  int descriptor_;
  const std::filesystem::path& path_;
  std::string text_;
  std::streamoff offset_ = 0;  // of text_
};

}  // namespace

// --- one stream

bool EventStream::each_has_its_own_time() const {
  std::vector<GstClockTime> times;
  for (const EventPlace& place : places_) {
    if (!place.pts) return false;
    times.push_back(*place.pts);
  }
  std::ranges::sort(times);
  return std::ranges::adjacent_find(times) == times.end();
}

void EventStream::order(EventMatch match, const std::string& file) {
  by_pts_ = match == EventMatch::kPts || (match == EventMatch::kAuto && each_has_its_own_time());
  const auto key = [this](const EventPlace& place) {
    return by_pts_ ? place.pts.value_or(0) : place.number;
  };
  if (by_pts_)
    for (const EventPlace& place : places_)
      if (!place.pts)
        throw Error(ErrorCode::kInput, file + ":" + std::to_string(place.line) +
                                           ": the line has no \"pts\" to be found by. Find lines "
                                           "by their number: match=frame");
  std::ranges::stable_sort(places_, {}, key);
  const auto twice = std::ranges::adjacent_find(places_, {}, key);
  if (twice == places_.end()) return;
  throw Error(ErrorCode::kInput,
              file + ":" + std::to_string(std::next(twice)->line) + ": the line has the same " +
                  (by_pts_ ? "pts " : "frame ") + std::to_string(key(*twice)) + " as line " +
                  std::to_string(twice->line) +
                  ". The file may hold two runs: split it, or give each run its own file");
}

const EventPlace* EventStream::find(GstClockTime pts, std::uint64_t number,
                                    GstClockTime tolerance) const {
  if (!by_pts_) {
    const auto found = std::ranges::lower_bound(places_, number, {}, &EventPlace::number);
    return found != places_.end() && found->number == number ? &*found : nullptr;
  }
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return nullptr;
  const auto time = [](const EventPlace& place) { return *place.pts; };
  const auto after = std::ranges::lower_bound(places_, pts, {}, time);
  const EventPlace* nearest = after != places_.end() ? &*after : nullptr;
  if (after != places_.begin()) {
    const EventPlace& before = *std::prev(after);
    if (nearest == nullptr || distance(*before.pts, pts) < distance(*nearest->pts, pts))
      nearest = &before;
  }
  return nearest != nullptr && distance(*nearest->pts, pts) <= tolerance ? nearest : nullptr;
}

// --- the file

EventFile::EventFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0)
    throw Error(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailed,
                path_.string() + " cannot be opened: " + std::generic_category().message(errno) +
                    ". Expected a file that sightjson or `sightline run --json` has written");
  try {
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
      throw Error(ErrorCode::kInput, path_.string() +
                                         " is no regular file. Lines are read when their frame "
                                         "comes, so write them to one first");
    LineReader(descriptor_, path_)
        .read([this](std::string_view text, std::size_t line, std::streamoff offset) {
          add_line(text, line, offset);
        });
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

EventFile::EventFile(EventFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      streams_(std::move(other.streams_)) {}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string EventFile::where(std::size_t line) const {
  return path_.string() + ":" + std::to_string(line) + ": ";
}

void EventFile::add_line(std::string_view text, std::size_t line, std::streamoff offset) {
  if (is_blank(text)) return;
  try {
    const Event event = read_event(text);
    if (event.late) return;
    const char* stream = sight_frame_get_stream(event.frame.get());
    streams_[stream != nullptr ? stream : ""].add(
        {event.pts, sight_frame_get_number(event.frame.get()), line, offset, text.size()});
  } catch (const Error& error) {
    throw Error(error.code(), where(line) + error.what());
  }
}

EventStream EventFile::stream(const std::string& wanted, const std::string& own,
                              EventMatch match) const {
  auto found = streams_.find(wanted.empty() ? own : wanted);
  if (found == streams_.end() && wanted.empty() && streams_.size() == 1) found = streams_.begin();
  if (found == streams_.end()) {
    std::string known;
    for (const auto& [name, stream] : streams_)
      known += (known.empty() ? "\"" : ", \"") + name + "\"";
    if (known.empty()) throw Error(ErrorCode::kInput, path_.string() + " holds no event");
    throw Error(ErrorCode::kInput, path_.string() + " has no line of stream \"" +
                                       (wanted.empty() ? own : wanted) + "\". It has " + known +
                                       ": choose one of them with stream=");
  }
  EventStream stream = found->second;
  stream.order(match, path_.string());
  return stream;
}

FrameHandle EventFile::read(const EventPlace& place) const {
  std::string text(place.length, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::pread(descriptor_, text.data() + done, text.size() - done,
                                  place.offset + static_cast<std::streamoff>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  try {
    Event event = read_event(std::string_view(text).substr(0, done));
    return std::move(event.frame);
  } catch (const Error& error) {
    throw Error(error.code(),
                where(place.line) + error.what() + ". The file has changed while it was replayed");
  }
}

}  // namespace sightline
