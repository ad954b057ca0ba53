// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/on_error.h"

G_DEFINE_ENUM_TYPE(GstSightOnError, gst_sight_on_error,
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_ON_ERROR_STOP, "stop"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_ON_ERROR_CONTINUE, "continue"))
