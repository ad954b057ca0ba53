// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightpython: a Python function sees each frame, or each object, and adds to it.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_PYTHON (gst_sight_python_get_type())
G_DECLARE_FINAL_TYPE(GstSightPython, gst_sight_python, GST, SIGHT_PYTHON, GstBaseTransform)

G_END_DECLS
