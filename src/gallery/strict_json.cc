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
  explicit Members(std::size_t most) : most_(most) {}

  template <typename Json>
  void follow(typename Json::parse_event_t event, const Json& value) {
    using Event = typename Json::parse_event_t;
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        begin_value();
        if (open_.size() == kDeepest)
          fail("arrays and objects are nested more than " + std::to_string(kDeepest) + " deep");
        open_.push_back({event == Event::array_start, 0, {}, {}});
        break;
      case Event::key:
        take_key(value.template get<std::string>());
        break;
      case Event::value:
        begin_value();
        break;
      case Event::object_end:
      case Event::array_end:
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
    if (values_++ == most_)
      fail("it has more than " + std::to_string(most_) +
           " values, which is more than is read at once. Divide it, or export JSON Lines");
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

  const std::size_t most_;
  std::size_t values_ = 0;
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

template <typename Json>
Json parsed(std::string_view text, std::size_t most) {
  Members members(most);
  try {
    return Json::parse(text, [&](int, typename Json::parse_event_t event, Json& value) {
      members.follow<Json>(event, value);
      return true;
    });
  } catch (const json::exception& error) {
    fail(complaint_of(error));
  }
}

}  // namespace

json parse_strictly(std::string_view text, std::size_t most) { return parsed<json>(text, most); }

nlohmann::ordered_json parse_strictly_in_order(std::string_view text) {
  return parsed<nlohmann::ordered_json>(text, kMostValues);
}

}  // namespace sightline
