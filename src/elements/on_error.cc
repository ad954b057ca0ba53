// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/on_error.h"

// Each of our plugins has this file, and a process one type of this name.
GType gst_sight_on_error_get_type(void) {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {GST_SIGHT_ON_ERROR_STOP, "GST_SIGHT_ON_ERROR_STOP", "stop"},
        {GST_SIGHT_ON_ERROR_CONTINUE, "GST_SIGHT_ON_ERROR_CONTINUE", "continue"},
        {0, nullptr, nullptr}};
    const GType known = g_type_from_name("GstSightOnError");
    return known != G_TYPE_INVALID ? known : g_enum_register_static("GstSightOnError", values);
  }();
  return type;
}
