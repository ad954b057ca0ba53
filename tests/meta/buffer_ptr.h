// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Buffers of tests, owned by one variable.

#pragma once

#include <memory>

#include <gst/gst.h>

struct UnrefBuffer {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, UnrefBuffer>;

inline BufferPtr make_buffer() { return BufferPtr(gst_buffer_new()); }

// Another buffer with the same memory and copies of all metas, as gst_buffer_make_writable() makes.
inline BufferPtr copy_of(const BufferPtr& buffer) {
  return BufferPtr(gst_buffer_copy(buffer.get()));
}
