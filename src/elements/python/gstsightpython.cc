// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/python/gstsightpython.h"

#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "elements/element_error.h"
#include "elements/on_error.h"
#include "elements/python/frame_function.h"
#include "meta/error.h"
#include "meta/mirrors.h"
#include "stage/attach.h"

namespace sightline {
namespace {

enum Property { kPropModule = 1, kPropFunction, kPropPerObject, kPropUniqueId, kPropOnError };

struct PythonSettings {
  std::string module, function;
  bool per_object = false;
  guint unique_id = 0;
  GstSightOnError on_error = GST_SIGHT_ON_ERROR_STOP;
};

}  // namespace

struct SightPython {
  std::mutex mutex;         // guards the next
  PythonSettings settings;  // which change in READY only

  // Of the streaming thread, from start() to stop().
  PythonSettings used;
  std::optional<python::FrameFunction> function;
  std::optional<GstVideoInfo> info;
  std::string last_warning;  // a warning is posted once while it stays the same
};

}  // namespace sightline

struct _GstSightPython {
  GstBaseTransform parent;
  sightline::SightPython* self;
};

G_DEFINE_TYPE(GstSightPython, gst_sight_python, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightPython& self_of(gpointer element) { return *GST_SIGHT_PYTHON(element)->self; }

void post(GstElement* element, GstMessageType kind, const Error& error) {
  const auto* raised = dynamic_cast<const python::PythonError*>(&error);
  if (raised == nullptr && kind == GST_MESSAGE_ERROR) return post_error(element, error);
  gst_element_message_full(
      element, kind, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
      g_utf8_make_valid(error.what(), -1),
      raised != nullptr ? g_utf8_make_valid(raised->traceback().c_str(), -1) : nullptr, __FILE__,
      GST_FUNCTION, __LINE__);
}

void require(const std::string& value, const char* property, const char* example) {
  if (value.empty())
    throw Error(ErrorCode::kConfig, std::string("the property ") + property +
                                        " is not set. Set it, for example " + example);
}

gboolean start(GstBaseTransform* base) {
  SightPython& self = self_of(base);
  {
    const std::lock_guard lock(self.mutex);
    self.used = self.settings;
  }
  try {
    require(self.used.module, "module", "module=faces.py");
    require(self.used.function, "function", "function=count");
    self.function.emplace(self.used.module, self.used.function);
    return TRUE;
  } catch (const Error& error) {
    post(GST_ELEMENT(base), GST_MESSAGE_ERROR, error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(base), Error(ErrorCode::kFailed, error.what()));
  }
  return FALSE;
}

gboolean stop(GstBaseTransform* base) {
  SightPython& self = self_of(base);
  self.function.reset();
  self.info.reset();
  self.last_warning.clear();
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* /*out*/) {
  SightPython& self = self_of(base);
  GstVideoInfo info;
  self.info.reset();
  if (gst_structure_has_name(gst_caps_get_structure(in, 0), "video/x-raw") &&
      gst_video_info_from_caps(&info, in))
    self.info = info;
  try {
    self.function->set_info(self.info);
    return TRUE;
  } catch (const Error& error) {
    post(GST_ELEMENT(base), GST_MESSAGE_ERROR, error);
    return FALSE;
  }
}

// Only metadata is copied of a buffer that others hold, never pixels.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  return GST_BASE_TRANSFORM_CLASS(gst_sight_python_parent_class)
      ->submit_input_buffer(base, is_discont, gst_buffer_make_writable(input));
}

// A frame that this element is the first to add to says how large it is.
void set_size(GstBuffer* buffer, const GstVideoInfo& info) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  if (frame != nullptr && sight_frame_get_width(frame) == 0)
    sight_frame_set_size(frame, static_cast<guint>(info.width), static_cast<guint>(info.height),
                         nullptr);
}

// The stream goes on; the frame says that it was not looked at as it should.
void go_on(GstElement* element, GstBuffer* buffer, const Error& error) {
  SightPython& self = self_of(element);
  gchar* name = gst_element_get_name(element);
  const StageName stage{name, self.used.unique_id};
  g_free(name);
  if (SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr))
    set_failure(frame, stage, error.what());
  if (self.last_warning != error.what()) post(element, GST_MESSAGE_WARNING, error);
  self.last_warning = error.what();
}

void call(SightPython& self, GstBuffer* buffer) {
  if (self.info) set_size(buffer, *self.info);
  self.used.per_object ? self.function->call_with_objects(buffer)
                       : self.function->call_with_frame(buffer);
  self.last_warning.clear();
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  SightPython& self = self_of(base);
  GstElement* element = GST_ELEMENT(base);
  try {
    try {
      call(self, buffer);
    } catch (const Error& error) {
      if (self.used.on_error == GST_SIGHT_ON_ERROR_STOP) throw;
      go_on(element, buffer, error);
    }
    update_mirrors(buffer);
    sight_buffer_get_frame(buffer);  // seals it: what Python keeps cannot change it any more
    return GST_FLOW_OK;
  } catch (const Error& error) {
    post(element, GST_MESSAGE_ERROR, error);
  } catch (const std::exception& error) {
    post_error(element, Error(ErrorCode::kFailed, error.what()));
  }
  return GST_FLOW_ERROR;
}

std::string text_of(const GValue* value) {
  const char* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightPython& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  PythonSettings& settings = self.settings;
  switch (id) {
    case kPropModule:
      settings.module = text_of(value);
      break;
    case kPropFunction:
      settings.function = text_of(value);
      break;
    case kPropPerObject:
      settings.per_object = g_value_get_boolean(value);
      break;
    case kPropUniqueId:
      settings.unique_id = g_value_get_uint(value);
      break;
    case kPropOnError:
      settings.on_error = static_cast<GstSightOnError>(g_value_get_enum(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightPython& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  const PythonSettings& settings = self.settings;
  switch (id) {
    case kPropModule:
      g_value_set_string(value, settings.module.c_str());
      break;
    case kPropFunction:
      g_value_set_string(value, settings.function.c_str());
      break;
    case kPropPerObject:
      g_value_set_boolean(value, settings.per_object);
      break;
    case kPropUniqueId:
      g_value_set_uint(value, settings.unique_id);
      break;
    case kPropOnError:
      g_value_set_enum(value, settings.on_error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_PYTHON(object)->self;
  G_OBJECT_CLASS(gst_sight_python_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object_class) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_READY);
  const auto install = [&](guint id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  install(kPropModule,
          g_param_spec_string("module", "Module",
                              "The module that has the function: a name that Python can import "
                              "(PYTHONPATH), or a file that ends in .py, which each element loads "
                              "for itself",
                              "", flags));
  install(kPropFunction,
          g_param_spec_string("function", "Function",
                              "The function to call: function(frame, buffer, info), or "
                              "function(object, buffer, info) with per-object. Of a class an "
                              "instance is made, kept while the element runs, and called likewise. "
                              "info is a GstVideo.VideoInfo, None if this is no raw video",
                              "", flags));
  install(kPropPerObject, g_param_spec_boolean("per-object", "Per object",
                                               "Call the function with each object of a frame "
                                               "instead of the frame",
                                               FALSE, flags));
  install(kPropUniqueId, g_param_spec_uint("unique-id", "Unique id",
                                           "Id of this stage, by which a frame names it in user "
                                           "data sightline-error:<unique-id>",
                                           0, G_MAXUINT, 0, flags));
  install(
      kPropOnError,
      g_param_spec_enum("on-error", "On error",
                        "What becomes of a frame for which the function raised an exception. "
                        "stop: an error with the traceback ends the stream. continue: a warning "
                        "with it is posted and the frame goes on, marked as failed",
                        GST_TYPE_SIGHT_ON_ERROR, GST_SIGHT_ON_ERROR_STOP, flags));
}

}  // namespace
}  // namespace sightline

static void gst_sight_python_init(GstSightPython* element) {
  element->self = new sightline::SightPython;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_python_class_init(GstSightPythonClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline Python function", "Filter/Analyzer/Video",
      "Calls a Python function with each frame or each object, which it can read and add to "
      "(docs/python.md). Runs in the Python of the process, or starts one. Any memory passes",
      "The Sightline authors");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = sightline::start;
  base_class->stop = sightline::stop;
  base_class->set_caps = sightline::set_caps;
  base_class->submit_input_buffer = sightline::submit_input_buffer;
  base_class->transform_ip = sightline::transform_ip;
}
