// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The class filters of many rules, each looked at once an object.

#pragma once

#include <string_view>
#include <vector>

#include "analytics/rules.h"

namespace sightline {

// By the index of a filter, whether it accepts an object.
using AcceptedBy = std::vector<bool>;

class ClassFilters {
 public:
  // The index of `filter`; equal ones have the same.
  std::size_t add(const ClassFilter& filter) {
    for (std::size_t i = 0; i < filters_.size(); ++i)
      if (filters_[i] == filter) return i;
    filters_.push_back(filter);
    return filters_.size() - 1;
  }

  void look_at(int class_id, std::string_view label, AcceptedBy& accepted) const {
    accepted.clear();
    for (const ClassFilter& filter : filters_) accepted.push_back(filter.accepts(class_id, label));
  }

 private:
  std::vector<ClassFilter> filters_;
};

}  // namespace sightline
