// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/output_names.h"

#include <algorithm>
#include <cctype>
#include <ctime>

#include "app/exit_status.h"
#include "app/recording.h"
#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestStem = 60;

bool is_picture(const Input& input) {
  if (input.kind != InputKind::kFile) return false;
  try {
    return content_of(input.text).type.rfind("image/", 0) == 0;
  } catch (const Error&) {
    return false;  // running it says why
  }
}

// A file name from whatever the input is called.
std::string stem_of(const Input& input) {
  if (input.kind == InputKind::kFile && input.name == input.text)
    return fs::path(input.text).stem().string();
  std::string stem;
  for (const char c : input.name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      stem += c;
    else if (!stem.empty() && stem.back() != '-')
      stem += '-';
  stem.resize(std::min(stem.size(), kLongestStem));
  return stem;
}

bool names_folder(const std::string& out) {
  std::error_code ignored;
  return !out.empty() && (out.back() == '/' || fs::is_directory(out, ignored));
}

std::string now_as_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "-%Y%m%d-%H%M%S", &local);
  return text;
}

}  // namespace

void OutputNames::require_fitting(const std::string& out, const std::vector<Input>& inputs) {
  if (out.empty() || names_folder(out)) return;
  if (inputs.size() > 1)
    throw UsageError("--out " + out + ": " + std::to_string(inputs.size()) +
                     " inputs need a folder, in which each gets a file: --out " +
                     fs::path(out).stem().string() + "/");
  Recording::require_known_ending(out);
  for (const Input& input : inputs)
    if (Recording::holds_picture(out) && !is_picture(input))
      throw UsageError("--out " + out + ": " + input.label() +
                       " is no picture. Give a name that ends in .mp4 or .mkv.");
}

OutputNames::OutputNames(const std::string& out, bool dated)
    : out_(out), folder_(names_folder(out)), dated_(dated) {
  if (folder_) fs::create_directories(out_);
}

std::vector<fs::path> OutputNames::of(const std::string& out, bool dated,
                                      const std::vector<Input>& inputs) {
  OutputNames names;
  names.out_ = out;
  names.folder_ = names_folder(out);
  names.dated_ = dated;
  std::vector<fs::path> paths;
  for (const Input& input : inputs) paths.push_back(names.take(input));
  return paths;
}

fs::path OutputNames::take(const Input& input) {
  if (out_.empty()) return {};
  const std::lock_guard lock(mutex_);
  if (!folder_) return unused(out_.parent_path(), out_.stem().string(), out_.extension().string());
  return unused(out_, stem_of(input) + (dated_ ? now_as_text() : ""),
                is_picture(input) ? ".jpg" : ".mp4");
}

fs::path OutputNames::unused(const fs::path& folder, const std::string& stem,
                             const std::string& ending) {
  fs::path path = folder / (stem + ending);
  for (int number = 2; !used_.insert(path).second; ++number)
    path = folder / (stem + "-" + std::to_string(number) + ending);
  return path;
}

void OutputNames::give_back(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  used_.erase(path);
}

}  // namespace sightline
