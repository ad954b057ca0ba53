// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The colours in which a configuration wants the objects of a class to be drawn.

#pragma once

#include <map>
#include <string>

#include "core/config_file.h"
#include "sightline/frame.h"

namespace sightline {

class ClassColors {
 public:
  // Reads border-color and bg-color of [class-attrs-all] and [class-attrs-N]. Throws
  // Error(kConfig).
  static ClassColors from_config(const ConfigFile& config);

  // As user data "overlay-colors" of the object: a GstStructure of that name with the fields
  // `border` and `background`, each "#rrggbbaa". Nothing where the configuration says nothing.
  // Throws Error(kReadOnly).
  void mark(SightObject* object, int class_id) const;

 private:
  struct Colors {
    std::string border, background;
  };

  Colors all_;
  std::map<int, Colors> of_class_;
};

}  // namespace sightline
