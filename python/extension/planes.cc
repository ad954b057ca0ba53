// SPDX-License-Identifier: LGPL-2.1-or-later

#include "extension/planes.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gst/video/video.h>

#include "extension/array_view.h"
#include "extension/boxed.h"

namespace sightline::python {

namespace {

// Bytes of a buffer, mapped for reading. While it lives the memory counts as shared, so that
// neither a pool nor an element that works in place writes over it; the buffer may go.
class MappedMemory {
 public:
  // Null with BufferError.
  static std::shared_ptr<const MappedMemory> of(GstBuffer* buffer, gsize offset, gsize bytes) {
    guint first = 0, count = 0;
    gsize skip = 0;
    auto mapped = std::shared_ptr<MappedMemory>(new MappedMemory);
    if (bytes == 0 || !gst_buffer_find_memory(buffer, offset, bytes, &first, &count, &skip) ||
        !mapped->map(buffer, first, count)) {
      PyErr_Format(PyExc_BufferError,
                   "bytes %zu to %zu of the buffer's %zu cannot be mapped for reading", offset,
                   offset + bytes, gst_buffer_get_size(buffer));
      return nullptr;
    }
    mapped->data_ = mapped->map_.data + skip;
    mapped->hold_parents(buffer);
    return mapped;
  }

  ~MappedMemory() {
    if (is_locked_) gst_memory_unlock(map_.memory, GST_LOCK_FLAG_EXCLUSIVE);
    if (is_mapped_) {
      GstMemory* memory = map_.memory;
      gst_memory_unmap(memory, &map_);
      gst_memory_unref(memory);
    }
    for (GstBuffer* parent : parents_) gst_buffer_unref(parent);
  }
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  const guint8* data() const { return data_; }

 private:
  MappedMemory() = default;

  bool map(GstBuffer* buffer, guint first, guint count) {
    is_mapped_ =
        gst_buffer_map_range(buffer, first, static_cast<gint>(count), &map_, GST_MAP_READ) != FALSE;
    is_locked_ = is_mapped_ && gst_memory_lock(map_.memory, GST_LOCK_FLAG_EXCLUSIVE) != FALSE;
    return is_locked_;
  }

  // What such metas name owns the memory in some elements.
  void hold_parents(GstBuffer* buffer) {
    gpointer state = nullptr;
    while (GstMeta* meta =
               gst_buffer_iterate_meta_filtered(buffer, &state, GST_PARENT_BUFFER_META_API_TYPE))
      parents_.push_back(gst_buffer_ref(reinterpret_cast<GstParentBufferMeta*>(meta)->buffer));
  }

  GstMapInfo map_ = GST_MAP_INFO_INIT;
  const guint8* data_ = nullptr;
  std::vector<GstBuffer*> parents_;
  bool is_mapped_ = false, is_locked_ = false;
};

// How the planes of a buffer lie.
struct Layout {
  const GstVideoFormatInfo* format;
  guint width, height, n_planes;
  gsize offsets[GST_VIDEO_MAX_PLANES];
  gint strides[GST_VIDEO_MAX_PLANES];
};

Layout layout_of(const GstVideoMeta& meta) {
  Layout layout{
      gst_video_format_get_info(meta.format), meta.width, meta.height, meta.n_planes, {}, {}};
  std::copy_n(meta.offset, GST_VIDEO_MAX_PLANES, layout.offsets);
  std::copy_n(meta.stride, GST_VIDEO_MAX_PLANES, layout.strides);
  return layout;
}

Layout layout_of(const GstVideoInfo& info) {
  Layout layout{info.finfo,
                static_cast<guint>(info.width),
                static_cast<guint>(info.height),
                GST_VIDEO_INFO_N_PLANES(&info),
                {},
                {}};
  std::copy_n(info.offset, GST_VIDEO_MAX_PLANES, layout.offsets);
  std::copy_n(info.stride, GST_VIDEO_MAX_PLANES, layout.strides);
  return layout;
}

bool is_plain(const GstVideoFormatInfo* format) {
  constexpr int kNotPlain =
      GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_PALETTE;
  return format != nullptr && (format->flags & kNotPlain) == 0 && format->n_planes > 0;
}

// Nothing, with ValueError, if neither says how the planes lie.
std::optional<Layout> find_layout(GstBuffer* buffer, const GstVideoInfo* info) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr && info == nullptr) {
    PyErr_SetString(PyExc_ValueError,
                    "the buffer has no GstVideoMeta, so its format is not known: pass info=, a "
                    "GstVideo.VideoInfo or the caps");
    return std::nullopt;
  }
  const Layout layout = meta != nullptr ? layout_of(*meta) : layout_of(*info);
  if (is_plain(layout.format)) return layout;
  PyErr_Format(PyExc_ValueError,
               "%s does not lie in planes of whole bytes: put videoconvert in front",
               layout.format != nullptr ? layout.format->name : "the frame's format");
  return std::nullopt;
}

// Without memory: shape, strides and type of plane `plane`.
ArrayView describe(const Layout& layout, guint plane) {
  gint components[GST_VIDEO_MAX_COMPONENTS];
  gst_video_format_info_component(layout.format, plane, components);
  // The component with the most samples; others of the plane lie between its own.
  gint densest = components[0];
  for (const gint each : components)
    if (each >= 0 && layout.format->w_sub[each] < layout.format->w_sub[densest]) densest = each;
  const gint pixel = layout.format->pixel_stride[densest];
  ArrayView view;
  view.item_bytes = layout.format->depth[densest] > 8 ? 2 : 1;
  view.format = view.item_bytes == 2 ? 'H' : 'B';
  view.shape = {
      GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(layout.format, densest, static_cast<gint>(layout.height)),
      GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(layout.format, densest, static_cast<gint>(layout.width))};
  view.strides = {layout.strides[plane], pixel};
  if (pixel > view.item_bytes) {
    view.shape.push_back(pixel / view.item_bytes);
    view.strides.push_back(view.item_bytes);
  }
  return view;
}

PyObject* view_of(GstBuffer* buffer, const Layout& layout, guint plane) {
  ArrayView view = describe(layout, plane);
  const Py_ssize_t row = view.shape[1] * view.strides[1];
  if (view.shape[0] < 1 || row < 1 || view.strides[0] < row)
    return PyErr_Format(PyExc_ValueError, "plane %u has rows of %zd bytes every %d bytes", plane,
                        row, layout.strides[plane]);
  const auto bytes = static_cast<gsize>((view.shape[0] - 1) * view.strides[0] + row);
  const auto memory = MappedMemory::of(buffer, layout.offsets[plane], bytes);
  if (memory == nullptr) return nullptr;
  view.data = memory->data();
  view.owner = memory;
  return new_array_view(std::move(view));
}

bool is_on_gpu(GstBuffer* buffer) {
  return gst_buffer_n_memory(buffer) > 0 &&
         gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "gst.cuda.memory") != FALSE;
}

}  // namespace

PyObject* plane_views(PyObject* /*module*/, PyObject* arguments) {
  PyObject *buffer_object = nullptr, *info_object = nullptr;
  if (PyArg_ParseTuple(arguments, "OO:plane_views", &buffer_object, &info_object) == 0)
    return nullptr;
  auto* buffer = static_cast<GstBuffer*>(boxed_in(buffer_object, GST_TYPE_BUFFER, "buffer"));
  if (buffer == nullptr) return nullptr;
  const GstVideoInfo* info = nullptr;
  if (info_object != Py_None) {
    info = static_cast<GstVideoInfo*>(boxed_in(info_object, GST_TYPE_VIDEO_INFO, "info"));
    if (info == nullptr) return nullptr;
  }
  if (is_on_gpu(buffer)) {
    PyErr_SetString(PyExc_BufferError,
                    "the frame is in CUDA memory: Sightline.crop() reads it there, cudadownload "
                    "brings it here");
    return nullptr;
  }
  const auto layout = find_layout(buffer, info);
  if (!layout) return nullptr;
  PyObject* views = PyTuple_New(layout->n_planes);
  for (guint plane = 0; views != nullptr && plane < layout->n_planes; ++plane) {
    PyObject* view = view_of(buffer, *layout, plane);
    if (view == nullptr)
      Py_CLEAR(views);
    else
      PyTuple_SET_ITEM(views, plane, view);
  }
  return views;
}

}  // namespace sightline::python
