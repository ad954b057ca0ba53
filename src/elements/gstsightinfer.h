// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_INFER (gst_sight_infer_get_type())
G_DECLARE_FINAL_TYPE(GstSightInfer, gst_sight_infer, GST, SIGHT_INFER, GstElement)

G_END_DECLS
