// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The errors of every room. Wrong input from outside becomes an Error whose text says what was
// wrong, where (file and line, key, tensor name), what was found, what was expected and what to do;
// the elements turn it into a bus message and the C API into a GError.

#pragma once

#include <stdexcept>
#include <string>

namespace sightline {

// The same values, in the same order, as SightError of the public API.
enum class ErrorCode {
  kFailed,    // anything that has no better word
  kConfig,    // a configuration file, a property or a command line
  kModel,     // a model file, or a model that does not fit its configuration
  kDevice,    // a device or provider that was asked for is not there
  kInput,     // a picture, a clip, a frame, a tensor
  kGallery,   // a gallery file or its contents
  kReadOnly,  // something was to be changed that has been shared or pushed
  kNotFound,  // a file, a person, a model that does not exist
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ~Error() override;

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace sightline
