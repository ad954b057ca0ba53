// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/parser_library.h"

#include <filesystem>

#include <dlfcn.h>

namespace sightline {

namespace {

std::string last_problem() {
  const char* const text = dlerror();
  return text == nullptr ? "no reason is known" : text;
}

}  // namespace

std::shared_ptr<const ParserLibrary> ParserLibrary::load(const ConfigFile& config,
                                                         const ConfigValue& symbol) {
  const auto path = config.find("property", "custom-lib-path");
  if (!path) symbol.fail("needs custom-lib-path, the library that it is in");
  return std::shared_ptr<const ParserLibrary>(new ParserLibrary(*path));
}

ParserLibrary::ParserLibrary(const ConfigValue& path) {
  const std::filesystem::path file = std::filesystem::absolute(path.as_path());
  name_ = file.filename().string();
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    path.fail("there is no " + file.string() + ", expected a shared library with a parser in it");
  if (std::filesystem::is_directory(file, ignored))
    path.fail("is a folder, expected a shared library with a parser in it");
  // All that it needs must be there: else the process would end at the first call.
  handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr)
    path.fail("is no library that can be loaded: " + last_problem() +
              ". Build the parser as docs/custom-parsers.md says");
}

ParserLibrary::~ParserLibrary() { dlclose(handle_); }

void* ParserLibrary::find(const std::string& symbol) const noexcept {
  return dlsym(handle_, symbol.c_str());
}

void* ParserLibrary::get(const ConfigValue& symbol) const {
  void* const found = find(symbol.text());
  if (found == nullptr)
    symbol.fail(name_ + " exports nothing of that name. In C++ it must be extern \"C\"; nm -D " +
                name_ + " lists what there is");
  return found;
}

void ForeignParser::fail(const std::string& complaint) const {
  throw Error(ErrorCode::kModel, name_ + ": " + complaint);
}

}  // namespace sightline
