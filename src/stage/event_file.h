// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file of events, for putting them back onto the frames that they are of.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meta/handles.h"

namespace sightline {

// How lines are found for frames. Auto: by time, if each line of the stream has one of its own,
// else by number.
enum class EventMatch { kAuto, kPts, kFrame };

// Where a line is, and of which frame.
struct EventPlace {
  std::optional<GstClockTime> pts;
  std::uint64_t number = 0;
  std::size_t line = 0;  // from 1
  std::streamoff offset = 0;
  std::size_t length = 0;
};

// The lines of one stream, in the file's order.
class EventStream {
 public:
  void add(const EventPlace& place) { places_.push_back(place); }
  const std::vector<EventPlace>& places() const { return places_; }

  // By what lines are found from now on. Throws Error(kInput), naming `file` and the lines, if two
  // of them are of the same frame, or if one has no time and is to be found by it.
  void order(EventMatch match, const std::string& file);
  bool by_pts() const { return by_pts_; }

  // NULL: there is none. By time, the nearest that is at most `tolerance` away.
  const EventPlace* find(GstClockTime pts, std::uint64_t number, GstClockTime tolerance) const;

 private:
  bool each_has_its_own_time() const;

  std::vector<EventPlace> places_;  // order() sorts them
  bool by_pts_ = false;
};

class EventFile {
 public:
  // Reads it once and checks each line; kept is only where they are. Results that came late are
  // passed over. Throws Error(kNotFound) or Error(kInput): "events.jsonl:12: objects[0].box: …".
  explicit EventFile(std::filesystem::path path);
  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&& other) = delete;
  ~EventFile();

  const std::filesystem::path& path() const { return path_; }

  // Those of `wanted`; if that is empty, of `own`, or else of the only stream that there is. "":
  // the lines that name none. Throws Error(kInput) that names the streams that there are.
  EventStream stream(const std::string& wanted, const std::string& own, EventMatch match) const;

  // The frame at a place, not sealed. Throws Error(kInput) if the file has changed since.
  FrameHandle read(const EventPlace& place) const;

 private:
  void add_line(std::string_view text, std::size_t line, std::streamoff offset);
  std::string where(std::size_t line) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::map<std::string, EventStream> streams_;
};

}  // namespace sightline
