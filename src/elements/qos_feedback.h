// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the sink says about being late, as GstBaseTransform understands it.

#pragma once

#include <mutex>
#include <optional>

#include <gst/gst.h>

namespace sightline {

struct Lateness {
  GstClockTimeDiff jitter = 0;
  gdouble proportion = 1;  // how much slower than the ideal rate we are
};

// Any thread.
class QosFeedback {
 public:
  void note(GstEvent* qos);
  void restart();  // a flush: what was said is of another time

  // Whether, and by how much, a frame of this running time would come too late.
  std::optional<Lateness> lateness(GstClockTime running_time) const;

 private:
  mutable std::mutex mutex_;
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE;  // running time of what is not late yet
  gdouble proportion_ = 1;
};

}  // namespace sightline
