// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/key_properties.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>

namespace sightline {

namespace {

enum class Kind { kText, kSwitch, kNumber, kProcessMode };

struct KeyProperty {
  const char* name;
  const char* key;
  Kind kind;
  int otherwise;    // the default of a switch or number, which stands for the file's value
  int least, most;  // of a number
  const char* nick;
  const char* blurb;
};

constexpr int kAnyInt = std::numeric_limits<int>::max();

constexpr KeyProperty kProperties[] = {
    {"process-mode", "process-mode", Kind::kProcessMode, 0, 0, 0, "Process mode",
     "What is looked at, whatever the configuration says"},
    {"gpu-id", "gpu-id", Kind::kNumber, -1, -1, 1023, "GPU",
     "Which GPU device=auto takes where networks run on GPUs. -1: as the configuration says, else "
     "the first"},
    {"infer-on-gie-id", "operate-on-gie-id", Kind::kNumber, -2, -2, kAnyInt, "Infer on stage",
     "Only objects that the stage with this unique-id made; -1: of any stage. -2: as the "
     "configuration says (operate-on-gie-id)"},
    {"infer-on-class-ids", "operate-on-class-ids", Kind::kText, 0, 0, 0, "Infer on classes",
     "Only objects of these classes, separated by ':'. Empty: as the configuration says "
     "(operate-on-class-ids)"},
    {"filter-out-class-ids", "filter-out-class-ids", Kind::kText, 0, 0, 0, "Filter out classes",
     "Detections of these classes are dropped, separated by ';'. Empty: as the configuration says"},
    {"model-engine-file", "model-engine-file", Kind::kText, 0, 0, 0, "Model engine file",
     "nvinfer's name for a TensorRT plan, which belongs to the machine that made it: a warning "
     "where the configuration has onnx-file, whose network is taken, and an error else"},
    {"raw-output-file-write", "raw-output-file-write", Kind::kSwitch, 0, 0, 0,
     "Raw output file write",
     "Write each output of each look to a file in the current folder, named as nvinfer names them. "
     "Unset: as the configuration says"},
    {"output-tensor-meta", "output-tensor-meta", Kind::kSwitch, 0, 0, 0, "Output tensor meta",
     "Attach the network's outputs to the frame, or to the object that it looked at; detections "
     "get "
     "them with the row or anchor that they came from. Unset: as the configuration says"},
    {"output-instance-mask", "output-instance-mask", Kind::kSwitch, 0, 0, 0, "Output instance mask",
     "Objects get the masks that the network gives. Unset: as the configuration says, else they "
     "do"},
    {"input-tensor-meta", "input-tensor-from-meta", Kind::kSwitch, 0, 0, 0, "Input tensor meta",
     "The network takes tensors that another stage has attached to frames or objects, instead of "
     "pixels. Unset: as the configuration says (input-tensor-from-meta)"},
    {"attach-input-tensor", "attach-input-tensor", Kind::kSwitch, 0, 0, 0, "Attach input tensor",
     "Attach exactly what the network saw to the frame, or to the object that it looked at. Unset: "
     "as the configuration says"},
    {"clip-object-outside-roi", "clip-object-outside-roi", Kind::kSwitch, 1, 0, 0,
     "Clip object outside ROI",
     "With input-tensor-meta: detections are cut to the part of the frame that their tensor shows. "
     "Unset: as the configuration says, else they are"},
    {"crop-objects-to-roi-boundary", "crop-objects-to-roi-boundary", Kind::kSwitch, 0, 0, 0,
     "Crop objects to ROI boundary",
     "Boxes that cross roi-top-offset or roi-bottom-offset are cut instead of dropped. Unset: as "
     "the configuration says"},
    {"strongly-typed", "strongly-typed", Kind::kSwitch, 0, 0, 0, "Strongly typed",
     "nvinfer's, without meaning here: networks run in the types of their ONNX file"},
    {"dynamic-properties", "dynamic-properties", Kind::kText, 0, 0, 0, "Dynamic properties",
     "nvinfer's builder options, without meaning here"},
};

const KeyProperty* property_of(guint id) {
  if (id < kFirstKeyProperty || id >= kFirstKeyProperty + std::size(kProperties)) return nullptr;
  return &kProperties[id - kFirstKeyProperty];
}

GParamSpec* spec_of(const KeyProperty& property, GParamFlags flags) {
  switch (property.kind) {
    case Kind::kText:
      return g_param_spec_string(property.name, property.nick, property.blurb, "", flags);
    case Kind::kSwitch:
      return g_param_spec_boolean(property.name, property.nick, property.blurb, property.otherwise,
                                  flags);
    case Kind::kNumber:
      return g_param_spec_int(property.name, property.nick, property.blurb, property.least,
                              property.most, property.otherwise, flags);
    case Kind::kProcessMode:
      break;
  }
  return g_param_spec_enum(property.name, property.nick, property.blurb, process_mode_type(), 0,
                           flags);
}

}  // namespace

GType process_mode_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {{0, "As the configuration says", "configured"},
                                        {1, "Whole frames", "primary"},
                                        {2, "Objects that an earlier stage found", "secondary"},
                                        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightProcessMode", values);
  }();
  return type;
}

void install_key_properties(GObjectClass* object_class, GParamFlags flags) {
  guint id = kFirstKeyProperty;
  for (const KeyProperty& property : kProperties)
    g_object_class_install_property(object_class, id++, spec_of(property, flags));
}

// In lists of class ids nvinfer has ':' in the property and ';' in the file.
bool set_key_property(ModelOverrides& overrides, guint id, const GValue* value) {
  const KeyProperty* const property = property_of(id);
  if (property == nullptr) return false;
  std::string text;
  switch (property->kind) {
    case Kind::kText: {
      const gchar* given = g_value_get_string(value);
      if (given == nullptr) break;
      text = given;
      if (std::string_view(property->name).ends_with("-class-ids"))
        std::ranges::replace(text, ':', ';');
      break;
    }
    case Kind::kSwitch:
      text = g_value_get_boolean(value) ? "1" : "0";
      break;
    case Kind::kNumber:
      if (g_value_get_int(value) != property->otherwise)
        text = std::to_string(g_value_get_int(value));
      break;
    case Kind::kProcessMode:
      if (g_value_get_enum(value) != 0) text = std::to_string(g_value_get_enum(value));
      break;
  }
  if (text.empty())
    overrides.unset(property->key);
  else
    overrides.set(property->key, text, property->name);
  return true;
}

bool get_key_property(const ModelOverrides& overrides, guint id, GValue* value) {
  const KeyProperty* const property = property_of(id);
  if (property == nullptr) return false;
  const ModelOverrides::Value* const set = overrides.find(property->key);
  const int number = set == nullptr ? property->otherwise : std::atoi(set->text.c_str());
  switch (property->kind) {
    case Kind::kText:
      g_value_set_string(value, set == nullptr ? "" : set->text.c_str());
      break;
    case Kind::kSwitch:
      g_value_set_boolean(value, number != 0);
      break;
    case Kind::kNumber:
      g_value_set_int(value, number);
      break;
    case Kind::kProcessMode:
      g_value_set_enum(value, number);
      break;
  }
  return true;
}

}  // namespace sightline
