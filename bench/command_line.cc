// SPDX-License-Identifier: LGPL-2.1-or-later

#include "command_line.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <utility>

namespace sightline::bench {

namespace {

template <typename T>
bool read_number(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

CommandLine& CommandLine::word(std::string& value) {
  needed_.push_back(&value);
  return *this;
}

CommandLine& CommandLine::words(std::vector<std::string>& values) {
  more_ = &values;
  return *this;
}

CommandLine& CommandLine::option(const char* name, std::string& value) {
  return option(name, [&value](const std::string& text) {
    value = text;
    return true;
  });
}

CommandLine& CommandLine::option(const char* name, double& value, double least) {
  return option(name, [&value, least](const std::string& text) {
    return read_number(text, value) && (least > 0 ? value >= least : value > 0);
  });
}

CommandLine& CommandLine::option(const char* name, int& value, int least) {
  return option(name, [&value, least](const std::string& text) {
    return read_number(text, value) && value >= least;
  });
}

CommandLine& CommandLine::option(const char* name, std::function<bool(const std::string&)> take) {
  options_.push_back({name, true, std::move(take)});
  return *this;
}

CommandLine& CommandLine::flag(const char* name, bool& value) {
  options_.push_back({name, false, [&value](const std::string&) { return value = true; }});
  return *this;
}

std::string CommandLine::read(const std::vector<std::string>& arguments) const {
  std::size_t words = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with("--")) {
      if (words < needed_.size())
        *needed_[words++] = word;
      else if (more_ != nullptr)
        more_->push_back(word);
      else
        return "\"" + word + "\" is one word too many";
      continue;
    }
    const auto option = std::ranges::find(options_, word, &Option::name);
    if (option == options_.end()) return "there is no option " + word;
    if (option->has_value && i + 1 == arguments.size()) return word + " lacks its value";
    const std::string value = option->has_value ? arguments[++i] : "";
    if (!option->take(value)) return word + " cannot be \"" + value + "\"";
  }
  return words < needed_.size() ? "words are lacking" : "";
}

int CommandLine::run(int argc, char** argv, const std::function<void()>& measure) const {
  const std::string problem = read({argv + 1, argv + argc});
  if (!problem.empty()) {
    std::fprintf(stderr, "%s: %s\nusage: %s %s\n", program_.c_str(), problem.c_str(),
                 program_.c_str(), usage_.c_str());
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), error.what());
    return 1;
  }
  return 0;
}

}  // namespace sightline::bench
