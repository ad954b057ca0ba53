// SPDX-License-Identifier: LGPL-2.1-or-later
//
// facelight: where the light on each face comes from, by a network of our own. The product;
// python/pyfacelight.py is the prototype, function by function.

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include <sightline/sightline.h>

#include <gst/base/gstbasetransform.h>
#include <onnxruntime_cxx_api.h>

namespace {

constexpr char kSpec[] =
    "width=32; height=32; model-color-format=gray; net-scale-factor=0.00392156862745098; "
    "scaling-filter=area; crop=square";
constexpr std::array kLabels = {"left", "front", "right"};
using Light = std::array<float, kLabels.size()>;

struct Network {
  explicit Network(const char* model) : session(environment, model, one_thread()) {}

  std::vector<Light> run(const SightTensor* crops, const gfloat* pixels, gsize n_pixels) {
    guint n_dims = 0;
    const gint64* shape = sight_tensor_get_shape(crops, &n_dims);
    // The runtime takes what it only reads as writable.
    const Ort::Value input = Ort::Value::CreateTensor<float>(memory, const_cast<gfloat*>(pixels),
                                                             n_pixels, shape, n_dims);
    const char *in = "face", *out = "light";
    const auto outputs = session.Run(Ort::RunOptions(), &in, &input, 1, &out, 1);
    std::vector<Light> lights(static_cast<std::size_t>(shape[0]));
    std::memcpy(lights.data(), outputs[0].GetTensorData<float>(), lights.size() * sizeof(Light));
    return lights;
  }

  static Ort::SessionOptions one_thread() {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    return options;
  }

  Ort::Env environment;
  Ort::Session session;
  Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
};

struct FaceLight {
  GstBaseTransform parent;
  GstVideoInfo info;
  SightPreprocessSpec* spec;
  std::unique_ptr<Network> network;
  char* model;  // property
};
struct FaceLightClass {
  GstBaseTransformClass parent;
};
G_DEFINE_TYPE(FaceLight, face_light, GST_TYPE_BASE_TRANSFORM)

FaceLight* self_of(gpointer element) { return static_cast<FaceLight*>(element); }

gboolean start(GstBaseTransform* base) {
  try {
    self_of(base)->network = std::make_unique<Network>(self_of(base)->model);
    return TRUE;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(base, STREAM, FAILED, ("%s", error.what()), (nullptr));
    return FALSE;
  }
}

gboolean set_caps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return gst_video_info_from_caps(&self_of(base)->info, caps);
}

std::vector<SightObject*> faces_of(const SightFrame* frame) {
  std::vector<SightObject*> faces;
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    SightObject* object = sight_frame_get_object(frame, i);
    if (g_strcmp0(sight_object_get_label(object), "face") == 0) faces.push_back(object);
  }
  return faces;
}

// Empty, with an error, if it cannot.
std::vector<Light> run(FaceLight* self, GstBuffer* buffer, std::vector<SightObject*> faces,
                       GError** error) {
  // All faces, in one pass over their pixels.
  g_autoptr(SightTensor) crops = sight_objects_to_tensor(
      buffer, &self->info, faces.data(), static_cast<guint>(faces.size()), self->spec, error);
  gsize n = 0;
  const gfloat* pixels = crops ? sight_tensor_get_floats(crops, &n, error) : nullptr;
  return pixels ? self->network->run(crops, pixels, n) : std::vector<Light>();
}

bool attach(FaceLight* self, SightFrame* frame, const SightObject* seen, const Light& light,
            GError** error) {
  SightObject* face = sight_frame_edit_object(frame, seen, error);
  if (face == nullptr) return false;
  const gint64 shape[] = {kLabels.size()};
  g_autoptr(GBytes) values = g_bytes_new(light.data(), sizeof(Light));
  g_autoptr(SightTensor) tensor =
      sight_tensor_new("light", SIGHT_ELEMENT_FLOAT32, shape, 1, values, error);
  const auto best = std::max_element(light.begin(), light.end()) - light.begin();
  g_autoptr(SightClassification) classification =
      sight_classification_new("light", kLabels[best], best, light[best], GST_OBJECT_NAME(self), 0);
  return tensor && sight_object_add_tensor(face, tensor, error) &&
         sight_object_add_classification(face, classification, error);
}

void look(FaceLight* self, GstBuffer* buffer, GError** error) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, error);
  const std::vector<SightObject*> faces = frame ? faces_of(frame) : std::vector<SightObject*>();
  if (faces.empty()) return;
  const std::vector<Light> lights = run(self, buffer, faces, error);
  for (std::size_t i = 0; i < lights.size(); ++i)
    if (!attach(self, frame, faces[i], lights[i], error)) return;
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  g_autoptr(GError) error = nullptr;
  try {
    look(self_of(base), buffer, &error);
  } catch (const std::exception& problem) {
    g_set_error_literal(&error, SIGHT_ERROR, SIGHT_ERROR_INPUT, problem.what());
  }
  if (error == nullptr) return GST_FLOW_OK;
  GST_ELEMENT_ERROR(base, STREAM, FAILED, ("%s", error->message), (nullptr));
  return GST_FLOW_ERROR;
}

// A buffer that others hold, too, gets metadata of its own. Without this GstBaseTransform would
// copy its pixels, as it does for the prototype.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean discont, GstBuffer* buffer) {
  return GST_BASE_TRANSFORM_CLASS(face_light_parent_class)
      ->submit_input_buffer(base, discont, gst_buffer_make_writable(buffer));
}

void set_property(GObject* object, guint, const GValue* value, GParamSpec*) {
  g_free(self_of(object)->model);
  self_of(object)->model = g_value_dup_string(value);
}

void get_property(GObject* object, guint, GValue* value, GParamSpec*) {
  g_value_set_string(value, self_of(object)->model);
}

void finalize(GObject* object) {
  sight_preprocess_spec_unref(self_of(object)->spec);
  g_free(self_of(object)->model);
  std::destroy_at(&self_of(object)->network);
  G_OBJECT_CLASS(face_light_parent_class)->finalize(object);
}

void face_light_init(FaceLight* self) {
  std::construct_at(&self->network);
  self->spec = sight_preprocess_spec_new(kSpec, nullptr);
}

void face_light_class_init(FaceLightClass* klass) {
  static GstStaticPadTemplate pads[] = {
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw")),
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"))};
  auto* const element = GST_ELEMENT_CLASS(klass);
  for (GstStaticPadTemplate& pad : pads) gst_element_class_add_static_pad_template(element, &pad);
  gst_element_class_set_static_metadata(element, "Face light", "Filter/Analyzer/Video",
                                        "Says where the light on each face comes from", "You");

  G_OBJECT_CLASS(klass)->set_property = set_property;
  G_OBJECT_CLASS(klass)->get_property = get_property;
  G_OBJECT_CLASS(klass)->finalize = finalize;
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      G_OBJECT_CLASS(klass), 1,
      g_param_spec_string("model", "Model", "File that light_network.py wrote", "face-light.onnx",
                          flags));

  auto* const transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->start = start;
  transform->set_caps = set_caps;
  transform->transform_ip = transform_ip;
  transform->submit_input_buffer = submit_input_buffer;
}

gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "facelight", GST_RANK_NONE, face_light_get_type());
}

}  // namespace

#define PACKAGE "facelight"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, facelight, "Looks at the light on faces",
                  plugin_init, "1.0.0", "LGPL", PACKAGE, "https://example.org")
