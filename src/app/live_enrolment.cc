// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/live_enrolment.h"

#include <cctype>
#include <cstdio>
#include <utility>

#include "app/enrolment.h"
#include "app/enrolment_check.h"
#include "app/report.h"
#include "core/error.h"
#include "gallery/gallery_file.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;      // for five good views
constexpr auto kLastWordsStay = 4s;  // in the window
constexpr std::size_t kLongestTyped = 60;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The character of a key; nothing for keys that write none. Windows report letters without Shift.
std::optional<char> character_of(const std::string& key) {
  if (key.size() == 1) return key.front();
  if (key == "space") return ' ';
  if (key == "minus") return '-';
  if (key == "period") return '.';
  if (key == "apostrophe") return '\'';
  return std::nullopt;
}

// Names begin with capitals.
char as_name_continues(const std::string& name, char next) {
  const bool first = name.empty() || name.back() == ' ' || name.back() == '-';
  return first ? static_cast<char>(std::toupper(static_cast<unsigned char>(next))) : next;
}

}  // namespace

LiveEnrolment::LiveEnrolment(std::string gallery, std::string source, bool force)
    : gallery_(std::move(gallery)), source_(std::move(source)), force_(force) {}

void LiveEnrolment::explain(bool has_window) const {
  if (!lines_.is_terminal()) return;
  report_note(std::string("Enter makes the person in front of the camera known") +
              (has_window ? ", as e does in the window" : "") + "; quit ends.");
}

// --- the streaming thread

void LiveEnrolment::observe(GstBuffer* buffer, GstCaps* caps) {
  const std::lock_guard lock(mutex_);
  if (!enrolment_ || enrolment_->taker.complete()) return;
  enrolment_->objection = enrolment_->taker.offer(buffer, caps, Clock::now());
}

// --- commands

void LiveEnrolment::press(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (keys_.size() < kLongestTyped) keys_.push_back(key);
}

bool LiveEnrolment::go_on() {
  const bool goes_on = take_lines() && take_keys();
  look_after();
  announce();
  return goes_on;
}

bool LiveEnrolment::take_lines() {
  while (const auto line = lines_.next())
    if (!obey(trimmed(*line))) return false;
  return true;
}

// False: somebody wants it to end.
bool LiveEnrolment::obey(const std::string& line) {
  if (std::exchange(asked_for_name_, false)) {
    if (!line.empty()) begin(line);
  } else if (line.empty() || line == "e") {
    std::fputs("Name: ", stderr);
    asked_for_name_ = true;
  } else if (line == "quit" || line == "q") {
    return false;
  } else if (line.starts_with("enroll ")) {
    begin(trimmed(line.substr(7)));
  } else {
    report_error("\"" + line + "\": no such command. Known: enroll NAME, quit.");
  }
  return true;
}

bool LiveEnrolment::take_keys() {
  std::deque<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    keys.swap(keys_);
  }
  for (const std::string& key : keys) {
    if (typed_)
      type(key);
    else if (key == "e" || key == "E")
      typed_ = "";
    else if (key == "q" || key == "Q")
      return false;
  }
  return true;
}

void LiveEnrolment::type(const std::string& key) {
  const auto character = character_of(key);
  if (key == "Escape") {
    typed_.reset();
  } else if (key == "BackSpace") {
    if (!typed_->empty()) typed_->pop_back();
  } else if (key == "Return" || key == "KP_Enter") {
    const std::string name = trimmed(*std::exchange(typed_, std::nullopt));
    if (!name.empty()) begin(name);
  } else if (character && typed_->size() < kLongestTyped) {
    *typed_ += as_name_continues(*typed_, *character);
  }
}

void LiveEnrolment::begin(const std::string& name) {
  if (!g_utf8_validate(name.c_str(), static_cast<gssize>(name.size()), nullptr))
    return report_error("the name is no UTF-8.");
  give_up("somebody else is to be made known");
  const std::lock_guard lock(mutex_);
  enrolment_ = Enrolment{.name = name};
}

void LiveEnrolment::end() {
  look_after();
  give_up("the video ended");
}

// Whoever is being made known is not.
void LiveEnrolment::give_up(const std::string& reason) {
  std::optional<Enrolment> given_up;
  {
    const std::lock_guard lock(mutex_);
    given_up.swap(enrolment_);
    if (!given_up) return;
    last_words_ = given_up->name + " was not enrolled: " + reason;
    last_words_until_ = Clock::now() + kLastWordsStay;
  }
  ++failures_;
  report_error(given_up->name + ": not enrolled, nothing was stored: " + reason + ".");
}

// --- storing

void LiveEnrolment::look_after() {
  std::optional<Enrolment> complete;
  std::string overdue;
  {
    const std::lock_guard lock(mutex_);
    if (!enrolment_) return;
    if (enrolment_->taker.complete())
      complete.swap(enrolment_);
    else if (Clock::now() > enrolment_->begin + kPatience)
      overdue = "no five good views in a minute" +
                (enrolment_->objection.empty() ? "" : " (" + enrolment_->objection + ")");
  }
  if (complete) store(std::move(*complete));
  if (!overdue.empty()) give_up(overdue);
}

// As `sightline enroll` does: throws Error if the face is somebody else's, or unlike the person's.
void LiveEnrolment::check(const std::string& name, const std::vector<FaceView>& views) const {
  const KnownFaces known(gallery_);
  const auto objection = objection_to_any(clean_name(name), views, known, EnrolmentRule());
  if (!objection) return;
  if (!force_) throw Error(ErrorCode::kInput, "nothing was stored: " + objection->words);
  report_warning(name + ": enrolled all the same: " + objection->words);
}

void LiveEnrolment::store(Enrolment enrolment) {
  std::string words;
  try {
    const std::optional<ModelFingerprint>& model = enrolment.taker.model();
    if (!model) throw Error(ErrorCode::kFailed, "the model of the embeddings is unknown");
    std::vector<FaceView> views = enrolment.taker.views(source_);
    for (FaceView& view : views) view.embedding = to_unit_length(view.embedding);
    check(enrolment.name, views);
    const std::size_t known = store_views(gallery_, {{enrolment.name, views}}, *model).size();
    words = enrolment.name + ": " + counted(static_cast<long>(views.size() - known), "view") +
            " enrolled in " + shown_location(gallery_) +
            (known > 0 ? ", " + std::to_string(known) + " known already" : "") + ", " +
            std::to_string(pictures_of(gallery_, enrolment.name)) + " in all";
    report_note(words);
  } catch (const std::exception& error) {
    ++failures_;
    words = enrolment.name + " was not enrolled: " + error.what();
    report_error(enrolment.name + ": not enrolled: " + error.what());
  }
  const std::lock_guard lock(mutex_);
  last_words_ = words;
  last_words_until_ = Clock::now() + kLastWordsStay;
}

// --- what is to be said

std::string LiveEnrolment::caption() const {
  if (typed_) return "Name: " + *typed_ + "_";
  const std::lock_guard lock(mutex_);
  if (enrolment_)
    return enrolment_->name + ": " + std::to_string(enrolment_->taker.count()) + " of " +
           std::to_string(ViewCollector::kViews) + " views" +
           (enrolment_->objection.empty() ? "" : "; " + enrolment_->objection);
  return Clock::now() < last_words_until_ ? last_words_ : "";
}

// On the terminal, what is new about the enrolment.
void LiveEnrolment::announce() {
  {
    const std::lock_guard lock(mutex_);
    if (!enrolment_) return;
  }
  const std::string words = caption();
  if (typed_ || words == announced_) return;
  announced_ = words;
  report_note(words);
}

}  // namespace sightline
