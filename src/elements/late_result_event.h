// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results that found no frame to ride on.

#pragma once

#include <optional>
#include <string>

#include <gst/gst.h>

#include "stage/attach.h"
#include "stage/late_results.h"

namespace sightline {

// "sightline-late-result", of a message on the bus and of a custom event downstream: `stream`,
// `track`, `frame` (that was looked at), `stage-id`, `reason` ("track-ended" or "stream-ended"),
// `problem` if the look failed, and `line`: the JSON that sightjson writes, an event of that frame
// with the object and its results, and the key `late` with the reason. The caller owns it.
GstStructure* late_result_structure(const LateResult& result, const StageName& stage,
                                    const Postprocessor& postprocessor, const char* reason);

// The line of such an event; nothing if it is none.
std::optional<std::string> late_result_line(GstEvent* event);

}  // namespace sightline
