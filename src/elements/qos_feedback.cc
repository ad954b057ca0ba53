// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/qos_feedback.h"

namespace sightline {

void QosFeedback::note(GstEvent* qos) {
  GstQOSType type;
  gdouble proportion = 1;
  GstClockTimeDiff difference = 0;
  GstClockTime timestamp = GST_CLOCK_TIME_NONE;
  gst_event_parse_qos(qos, &type, &proportion, &difference, &timestamp);
  // Throttling is for who makes frames.
  if (type == GST_QOS_TYPE_THROTTLE || !GST_CLOCK_TIME_IS_VALID(timestamp)) return;
  const bool before_zero = difference < 0 && timestamp < static_cast<GstClockTime>(-difference);
  const std::lock_guard lock(mutex_);
  proportion_ = proportion;
  earliest_ = before_zero ? 0 : timestamp + static_cast<GstClockTime>(difference);
}

void QosFeedback::restart() {
  const std::lock_guard lock(mutex_);
  earliest_ = GST_CLOCK_TIME_NONE;
  proportion_ = 1;
}

std::optional<Lateness> QosFeedback::lateness(GstClockTime running_time) const {
  const std::lock_guard lock(mutex_);
  if (!GST_CLOCK_TIME_IS_VALID(running_time) || !GST_CLOCK_TIME_IS_VALID(earliest_) ||
      running_time > earliest_)
    return std::nullopt;
  return Lateness{GST_CLOCK_DIFF(running_time, earliest_), proportion_};
}

}  // namespace sightline
