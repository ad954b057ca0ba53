// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How the benchmarks are called and how they end: words, and options in any order between them.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace sightline::bench {

class CommandLine {
 public:
  // `usage`: what follows the program's name.
  CommandLine(std::string program, std::string usage)
      : program_(std::move(program)), usage_(std::move(usage)) {}

  // What has to be given, in this order.
  CommandLine& word(std::string& value);
  // What may follow, any number of times.
  CommandLine& words(std::vector<std::string>& values);
  // "--name VALUE"; a number has to be `least` at least, or, where `least` is 0, above it.
  CommandLine& option(const char* name, std::string& value);
  CommandLine& option(const char* name, double& value, double least = 0);
  CommandLine& option(const char* name, int& value, int least = 1);
  // Whatever else takes a value; false: it is none.
  CommandLine& option(const char* name, std::function<bool(const std::string& value)> take);
  CommandLine& flag(const char* name, bool& value);

  // Reads the words and calls `measure`. What main() is to return: 2 and the usage if a word or
  // option is wrong or lacking, 1 and what went wrong if `measure` throws, else 0.
  int run(int argc, char** argv, const std::function<void()>& measure) const;

 private:
  struct Option {
    std::string name;
    bool has_value;
    std::function<bool(const std::string& value)> take;
  };

  // Empty, or what is wrong.
  std::string read(const std::vector<std::string>& arguments) const;

  std::string program_, usage_;
  std::vector<std::string*> needed_;
  std::vector<std::string>* more_ = nullptr;
  std::vector<Option> options_;
};

}  // namespace sightline::bench
