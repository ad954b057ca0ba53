// SPDX-License-Identifier: LGPL-2.1-or-later
//
// lightmeter: how bright is each object, and how long is its tensor? NV12 in system memory or in
// CUDA memory, without a copy of the frame.

#include <cmath>
#include <numeric>

#include <gst/base/gstbasetransform.h>

#include "light.h"

#define CAPS "video/x-raw, format=NV12; video/x-raw(memory:CUDAMemory), format=NV12"

namespace {

// A type of our own. GLib copies it with the object that carries it.
LightReading* copy_reading(LightReading* reading) { return new LightReading(*reading); }
void free_reading(LightReading* reading) { delete reading; }
G_DEFINE_BOXED_TYPE(LightReading, light_reading, copy_reading, free_reading)

struct LightMeter {
  GstBaseTransform parent;
  GstVideoInfo info;
  SightPreprocessSpec* grey;  // what we want to see of an object
  const char* tensor;         // property tensor-name, interned
};
struct LightMeterClass {
  GstBaseTransformClass parent;
};
G_DEFINE_TYPE(LightMeter, light_meter, GST_TYPE_BASE_TRANSFORM)

LightMeter* self_of(gpointer element) { return static_cast<LightMeter*>(element); }

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return gst_video_info_from_caps(&self_of(base)->info, caps);
}

bool measure(LightMeter* self, GstBuffer* buffer, const SightObject* object, LightReading* reading,
             GError** error) {
  // One pass over the object's pixels, on the GPU if they are there; 1 KiB comes back.
  g_autoptr(SightTensor) crop =
      sight_frame_to_tensor(buffer, &self->info, object, self->grey, error);
  if (crop == nullptr) return false;
  gsize n = 0;
  const gfloat* pixels = sight_tensor_get_floats(crop, &n, error);
  if (pixels == nullptr) return false;
  reading->brightness = std::accumulate(pixels, pixels + n, 0.0f) / static_cast<float>(n);

  SightTensor* tensor = sight_object_find_tensor(object, self->tensor);
  if (const gfloat* values = sight_tensor_get_floats(tensor, &n, nullptr))
    reading->strength = std::sqrt(std::inner_product(values, values + n, values, 0.0f));
  return true;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  g_autoptr(GError) error = nullptr;
  SightFrame* frame = sight_buffer_edit_frame(buffer, &error);
  for (guint i = 0; error == nullptr && i < sight_frame_get_n_objects(frame); ++i) {
    SightObject* object = sight_frame_edit_object(frame, sight_frame_get_object(frame, i), &error);
    LightReading reading{};
    if (object != nullptr && measure(self_of(base), buffer, object, &reading, &error))
      sight_object_set_user_boxed(object, kLight, light_reading_get_type(), &reading, &error);
  }
  if (error == nullptr) return GST_FLOW_OK;
  GST_ELEMENT_ERROR(base, STREAM, FAILED, ("%s", error->message), (nullptr));
  return GST_FLOW_ERROR;
}

// A buffer that others hold, too, gets metadata of its own. Without this GstBaseTransform would
// copy its pixels.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean discont, GstBuffer* buffer) {
  return GST_BASE_TRANSFORM_CLASS(light_meter_parent_class)
      ->submit_input_buffer(base, discont, gst_buffer_make_writable(buffer));
}

void set_property(GObject* object, guint, const GValue* value, GParamSpec*) {
  self_of(object)->tensor = g_intern_string(g_value_get_string(value));
}

void finalize(GObject* object) {
  sight_preprocess_spec_unref(self_of(object)->grey);
  G_OBJECT_CLASS(light_meter_parent_class)->finalize(object);
}

void light_meter_init(LightMeter* self) {
  self->grey = sight_preprocess_spec_new(
      "width=16; height=16; model-color-format=gray; scaling-filter=area", nullptr);
}

void light_meter_class_init(LightMeterClass* klass) {
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS));
  static GstStaticPadTemplate source =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS));
  auto* const element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_add_static_pad_template(element, &source);
  gst_element_class_set_static_metadata(element, "Light meter", "Filter/Analyzer/Video",
                                        "Measures the objects of each frame", "You");

  G_OBJECT_CLASS(klass)->set_property = set_property;
  G_OBJECT_CLASS(klass)->finalize = finalize;
  const auto flags = GParamFlags(G_PARAM_WRITABLE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      G_OBJECT_CLASS(klass), 1,
      g_param_spec_string("tensor-name", "Tensor name", "Tensor of each object whose length counts",
                          "embedding", flags));

  auto* const transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->set_caps = set_caps;
  transform->transform_ip = transform_ip;
  transform->submit_input_buffer = submit_input_buffer;
}

gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "lightmeter", GST_RANK_NONE, light_meter_get_type());
}

}  // namespace

#define PACKAGE "lightmeter"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, lightmeter, "Measures objects", plugin_init,
                  "1.0.0", "LGPL", PACKAGE, "https://example.org")
