// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Somebody's Python function that is called with frames or objects.

#pragma once

#include <optional>
#include <string>

#include <gst/video/video.h>

#include "elements/python/interpreter.h"

namespace sightline::python {

class FrameFunction {
 public:
  // Of `module`, a name that Python can import or a file that ends in .py, the function called
  // `name`; of a class, an instance. Starts Python. Throws Error.
  FrameFunction(const std::string& module, const std::string& name);
  ~FrameFunction();
  FrameFunction(const FrameFunction&) = delete;
  FrameFunction& operator=(const FrameFunction&) = delete;

  // What the buffers to come are: the third argument; nothing: no raw video, and None.
  void set_info(const std::optional<GstVideoInfo>& info);

  // function(frame, buffer, info) with the results on `buffer`, which is writable, for adding to
  // them. Throws PythonError, or Error(kReadOnly).
  void call_with_frame(GstBuffer* buffer);
  // function(object, buffer, info) with each object that is there now, for changing.
  void call_with_objects(GstBuffer* buffer);

 private:
  void call(GType type, gpointer subject, GstBuffer* buffer);

  const std::string title_;  // "module.name", for errors
  Ref function_;
  Ref info_;
};

}  // namespace sightline::python
