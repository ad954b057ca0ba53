// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Libraries of others, whose functions read a network's outputs. What they throw becomes an Error;
// what they do to memory is out of reach.

#pragma once

#include <exception>
#include <memory>
#include <string>

#include "core/config_file.h"
#include "core/error.h"

namespace sightline {

// A loaded library, closed when nobody uses it any more.
class ParserLibrary {
 public:
  // What custom-lib-path names. Throws Error(kConfig): the key is missing, which `symbol` needs, or
  // the file is not there, or it is no library that can be loaded.
  static std::shared_ptr<const ParserLibrary> load(const ConfigFile& config,
                                                   const ConfigValue& symbol);

  ParserLibrary(const ParserLibrary&) = delete;
  ParserLibrary& operator=(const ParserLibrary&) = delete;
  ~ParserLibrary();

  const std::string& name() const { return name_; }      // of the file, without its folder
  void* find(const std::string& symbol) const noexcept;  // null if it exports no such thing
  // Likewise. Throws Error(kConfig), at the key that says the name.
  void* get(const ConfigValue& symbol) const;

 private:
  explicit ParserLibrary(const ConfigValue& path);

  std::string name_;
  void* handle_;
};

// Something in a library that is called.
class ForeignParser {
 public:
  ForeignParser(std::shared_ptr<const ParserLibrary> library, const std::string& function)
      : library_(std::move(library)), name_(library_->name() + ": " + function) {}

  // Throws Error(kModel): "libcars.so: parse_cars: complaint".
  [[noreturn]] void fail(const std::string& complaint) const;

  // What `call` returns. What it throws becomes an Error as above.
  template <typename Call>
  auto guard(Call&& call) const {
    try {
      return call();
    } catch (const std::exception& error) {
      fail(std::string("threw an exception: ") + error.what());
    } catch (...) {
      fail("threw something that is no std::exception");
    }
  }

 private:
  std::shared_ptr<const ParserLibrary> library_;
  std::string name_;
};

}  // namespace sightline
