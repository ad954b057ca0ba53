// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An Error of a room as a message on the bus.

#pragma once

#include <exception>
#include <utility>

#include <gst/gst.h>

#include "core/error.h"

namespace sightline {

// Posts `error` as an error of `element`, in the domain and with the code nearest to its own. Here
// and below, bytes that are not UTF-8 become U+FFFD: readers of the bus cannot take them.
void post_error(GstElement* element, const Error& error);

// Runs `work`; what it throws becomes an error on the bus, and FALSE.
template <typename Work>
bool report_errors(GstElement* element, Work&& work) {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const Error& error) {
    post_error(element, error);
  } catch (const std::exception& error) {
    post_error(element, Error(ErrorCode::kFailed, error.what()));
  }
  return false;
}

// Posts `text` as a warning of `element`; the stream goes on.
void post_warning(GstElement* element, const std::string& text);

// Posts `text` as something worth knowing.
void post_info(GstElement* element, const std::string& text);

}  // namespace sightline
