// SPDX-License-Identifier: LGPL-2.1-or-later

#include "scratch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string_view>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "gallery/exchange.h"

namespace sightline {

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "sightline-gallery-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  directory_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, ignored);
  std::filesystem::remove_all(directory_, ignored);
}

int in_child(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 2;
    try {
      status = work() ? 0 : 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in another process: %s\n", error.what());
    }
    ::_exit(status);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool file_has(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  return in_child([&] {
           std::ifstream stream(file, std::ios::binary);
           const std::vector<char> all{std::istreambuf_iterator<char>(stream), {}};
           const auto same = [](char a, std::uint8_t b) {
             return static_cast<std::uint8_t>(a) == b;
           };
           return std::search(all.begin(), all.end(), bytes.begin(), bytes.end(), same) !=
                  all.end();
         }) == 0;
}

bool file_has(const std::filesystem::path& file, const std::string& text) {
  return file_has(file, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string complaint_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string complaint_of(ErrorCode code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  }
  return {};
}

std::vector<float> unit_vector(unsigned seed, int dimensions) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> direction(static_cast<std::size_t>(dimensions));
  double squared = 0;
  for (double& value : direction) {
    value = normal(random);
    squared += value * value;
  }
  std::vector<float> unit;
  for (const double value : direction)
    unit.push_back(static_cast<float>(value / std::sqrt(squared)));
  return unit;
}

std::string to_json_lines(const GalleryDocument& document) {
  std::string text;
  write_json_lines(*contents_of(document), [&](std::string_view part) { text += part; });
  return text;
}

GalleryDocument from_json_lines(const std::string& text) {
  std::istringstream lines(text);
  const auto contents = read_json_lines(
      [&](std::string& line) { return static_cast<bool>(std::getline(lines, line)); }, "");
  return document_of(*contents);
}

void raw_sql(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &connection), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(connection);
  sqlite3_close(connection);
}

std::unique_ptr<Gallery> make_gallery(const std::string& location) {
  std::unique_ptr<Gallery> gallery = Gallery::open(location, Gallery::Mode::kCreate);
  gallery->require_model(kModel);
  return gallery;
}

}  // namespace sightline
