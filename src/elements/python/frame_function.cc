// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/python/frame_function.h"

#include <vector>

#include <sightline/frame.h>

#include "extension/boxed.h"
#include "meta/error.h"

namespace sightline::python {

namespace {

SightFrame* frame_of(GstBuffer* buffer) {
  GError* problem = nullptr;
  SightFrame* frame = sight_buffer_edit_frame(buffer, &problem);
  if (frame == nullptr) throw take_error(problem);
  return frame;
}

// A wrapper of a buffer that counts for nobody while the function runs, so that it stays writable.
class LentBuffer {
 public:
  explicit LentBuffer(GstBuffer* buffer)
      : wrapper_(checked(wrap_borrowed(GST_TYPE_BUFFER, buffer))) {}
  ~LentBuffer() { let_go(wrapper_); }
  LentBuffer(const LentBuffer&) = delete;
  LentBuffer& operator=(const LentBuffer&) = delete;

  PyObject* get() const { return wrapper_; }

 private:
  PyObject* const wrapper_;
};

std::string file_stem(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

FrameFunction::FrameFunction(const std::string& module, const std::string& name)
    : title_(file_stem(module) + ":" + name) {
  start_interpreter();
  const Gil gil;
  const Ref loader(checked(PyImport_ImportModule("gi.overrides._sightpython")));
  function_ =
      Ref(checked(PyObject_CallMethod(loader.get(), "load", "ss", module.c_str(), name.c_str())));
  info_ = Ref(Py_NewRef(Py_None));
}

FrameFunction::~FrameFunction() {
  const Gil gil;
  function_ = Ref();
  info_ = Ref();
}

void FrameFunction::set_info(const std::optional<GstVideoInfo>& info) {
  const Gil gil;
  info_ = Ref(info ? checked(wrap_owned(GST_TYPE_VIDEO_INFO, gst_video_info_copy(&*info)))
                   : Py_NewRef(Py_None));
}

void FrameFunction::call_with_frame(GstBuffer* buffer) {
  const Gil gil;
  call(SIGHT_TYPE_FRAME, frame_of(buffer), buffer);
}

void FrameFunction::call_with_objects(GstBuffer* buffer) {
  SightFrame* frame = frame_of(buffer);
  std::vector<guint64> ids(sight_frame_get_n_objects(frame));
  for (guint i = 0; i < ids.size(); ++i)
    ids[i] = sight_object_get_id(sight_frame_get_object(frame, i));
  if (ids.empty()) return;
  const Gil gil;
  for (const guint64 id : ids) {
    const SightObject* const found = sight_frame_find_object(frame, id);
    if (found == nullptr) continue;  // taken out by an earlier call
    GError* problem = nullptr;
    SightObject* object = sight_frame_edit_object(frame, found, &problem);
    if (object == nullptr) throw take_error(problem);
    call(SIGHT_TYPE_OBJECT, object, buffer);
  }
}

void FrameFunction::call(GType type, gpointer subject, GstBuffer* buffer) {
  const Ref wrapped(checked(wrap_owned(type, g_boxed_copy(type, subject))));
  const LentBuffer lent(buffer);
  const Ref result(PyObject_CallFunctionObjArgs(function_.get(), wrapped.get(), lent.get(),
                                                info_.get(), nullptr));
  if (!result) {
    const PythonError error = take_exception();
    throw PythonError(title_ + ": " + error.what(), error.traceback());
  }
  if (result.get() != Py_None)
    throw PythonError(title_ + " returned a " + Py_TYPE(result.get())->tp_name +
                          ", expected nothing: results are added to its first argument",
                      "");
}

}  // namespace sightline::python
