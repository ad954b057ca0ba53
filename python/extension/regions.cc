// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/regions.h"

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "extension/boxed.h"

namespace sightline::python {

namespace {

PyObject* box_of(const GstVideoRegionOfInterestMeta& region) {
  const SightBox box{static_cast<float>(region.x), static_cast<float>(region.y),
                     static_cast<float>(region.w), static_cast<float>(region.h)};
  return wrap_owned(SIGHT_TYPE_BOX, g_boxed_copy(SIGHT_TYPE_BOX, &box));
}

// Appends `item`, which the list takes over. False with an exception, also if there is no item.
bool append(PyObject* list, PyObject* item) {
  const bool done = item != nullptr && PyList_Append(list, item) == 0;
  Py_XDECREF(item);
  return done;
}

PyObject* parameters_of(const GstVideoRegionOfInterestMeta& region) {
  PyObject* parameters = PyList_New(0);
  for (GList* each = region.params; parameters != nullptr && each != nullptr; each = each->next)
    if (!append(parameters,
                wrap_owned(GST_TYPE_STRUCTURE, g_boxed_copy(GST_TYPE_STRUCTURE, each->data))))
      Py_CLEAR(parameters);
  return parameters;
}

PyObject* tuple_of(const GstVideoRegionOfInterestMeta& region) {
  const char* type = g_quark_to_string(region.roi_type);
  gchar* label = type != nullptr ? g_utf8_make_valid(type, -1) : nullptr;
  PyObject* tuple = Py_BuildValue("(zNiiN)", label, box_of(region), region.id, region.parent_id,
                                  parameters_of(region));
  g_free(label);
  return tuple;
}

}  // namespace

PyObject* regions(PyObject* /*module*/, PyObject* object) {
  auto* buffer = static_cast<GstBuffer*>(boxed_in(object, GST_TYPE_BUFFER, "buffer"));
  if (buffer == nullptr) return nullptr;
  PyObject* found = PyList_New(0);
  gpointer state = nullptr;
  while (found != nullptr) {
    const GstMeta* meta = gst_buffer_iterate_meta_filtered(
        buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
    if (meta == nullptr) break;
    if (!append(found, tuple_of(*reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta))))
      Py_CLEAR(found);
  }
  return found;
}

}  // namespace sightline::python
