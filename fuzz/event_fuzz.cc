// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A line of an events file of any content: an Error at worst; and what was read is written as a
// line that reads the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <gst/gst.h>

#include "core/error.h"
#include "meta/event_reader.h"
#include "meta/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sightline;
  static const bool ready = (gst_init(nullptr, nullptr), true);  // for the types of user data
  if (!ready) return 0;
  try {
    const Event event = read_event({reinterpret_cast<const char*>(data), size});
    const std::string line = event_line(*event.frame, 0, TensorsAs::kArray);
    const Event again = read_event(line);
    if (event_line(*again.frame, 0, TensorsAs::kArray) != line) std::abort();
    gvametaconvert_line(*event.frame, 0, true);
  } catch (const Error&) {
  }
  return 0;
}
