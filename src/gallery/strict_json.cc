// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/strict_json.h"

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sightline {
namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 64;

[[noreturn]] void fail(const std::string& complaint) {
  throw Error(ErrorCode::kGallery, complaint);
}

// Follows the parser, to say where a member is there twice: the parser would take the last one.
class Members {
 public:
  void follow(json::parse_event_t event, const json& value) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        begin_value();
        if (open_.size() == kDeepest)
          fail("arrays and objects are nested more than " + std::to_string(kDeepest) + " deep");
        open_.push_back({event == json::parse_event_t::array_start, 0, {}, {}});
        break;
      case json::parse_event_t::key:
        take_key(value.get<std::string>());
        break;
      case json::parse_event_t::value:
        begin_value();
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        open_.pop_back();
        break;
    }
  }

 private:
  // An array or object that has not ended yet.
  struct Open {
    bool is_array;
    std::size_t count;  // of an array: elements that have begun
    std::string key;    // of an object: the last one
    std::set<std::string> keys;
  };

  void begin_value() {
    if (!open_.empty() && open_.back().is_array) ++open_.back().count;
  }

  void take_key(std::string key) {
    Open& object = open_.back();
    if (!object.keys.insert(key).second) fail(place() + "\"" + key + "\" is there twice");
    object.key = std::move(key);
  }

  // Of the object that is being read: "persons[3].model: ", or nothing for the outermost.
  std::string place() const {
    std::string place;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      if (open_[i].is_array)
        place += "[" + std::to_string(open_[i].count - 1) + "]";
      else
        place += (place.empty() ? "" : ".") + open_[i].key;
    }
    return place.empty() ? place : place + ": ";
  }

  std::vector<Open> open_;
};

// The parser's words, "[json.exception.parse_error.101] parse error at line 1, column 5: syntax
// error while parsing value - invalid literal; last read: '…'; expected …", without its own name
// and without what it read last.
std::string complaint_of(const json::exception& error) {
  if (dynamic_cast<const json::out_of_range*>(&error) != nullptr) return "a number is too large";
  std::string text = error.what();
  if (const std::size_t end = text.find("] "); text.starts_with('[') && end != std::string::npos)
    text.erase(0, end + 2);
  const std::size_t read = text.find("; last read: '");
  if (read == std::string::npos) return text;
  const std::size_t expected = text.rfind("'; expected ");
  return text.substr(0, read) + (expected == std::string::npos || expected < read
                                     ? std::string()
                                     : text.substr(expected + 1));
}

}  // namespace

json parse_strictly(std::string_view text) {
  Members members;
  try {
    return json::parse(text, [&](int, json::parse_event_t event, json& value) {
      members.follow(event, value);
      return true;
    });
  } catch (const json::exception& error) {
    fail(complaint_of(error));
  }
}

}  // namespace sightline
