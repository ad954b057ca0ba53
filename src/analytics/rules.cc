// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/rules.h"

#include <algorithm>

namespace sightline {

bool ClassFilter::accepts(int class_id, std::string_view label) const {
  if (class_ids.empty() && labels.empty()) return true;
  return std::find(class_ids.begin(), class_ids.end(), class_id) != class_ids.end() ||
         std::find(labels.begin(), labels.end(), label) != labels.end();
}

StreamRules Rules::of(std::string_view stream) const {
  StreamRules rules{lines.of(stream), zones.of(stream), directions.of(stream),
                    motion_distance,  motion_window,    track_timeout};
  const std::vector<ZoneRule>& more = crowds.of(stream);
  rules.zones.insert(rules.zones.end(), more.begin(), more.end());
  return rules;
}

}  // namespace sightline
