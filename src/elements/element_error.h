// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An Error of a room as a message on the bus.

#pragma once

#include <gst/gst.h>

#include "core/error.h"

namespace sightline {

// Posts `error` as an error of `element`, in the domain and with the code nearest to its own.
void post_error(GstElement* element, const Error& error);

// Posts `text` as a warning of `element`; the stream goes on.
void post_warning(GstElement* element, const std::string& text);

// Posts `text` as something worth knowing.
void post_info(GstElement* element, const std::string& text);

}  // namespace sightline
