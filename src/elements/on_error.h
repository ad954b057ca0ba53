// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The property on-error, the same on every element that has it.

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
  GST_SIGHT_ON_ERROR_STOP,
  GST_SIGHT_ON_ERROR_CONTINUE,
} GstSightOnError;

#define GST_TYPE_SIGHT_ON_ERROR (gst_sight_on_error_get_type())
GType gst_sight_on_error_get_type(void);

G_END_DECLS
