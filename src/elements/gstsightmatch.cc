// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightmatch.h"

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sightline/frame.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "elements/on_error.h"
#include "gallery/gallery.h"
#include "stage/attach.h"
#include "stage/crop_quality.h"
#include "stage/identity.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_match_debug);
#define GST_CAT_DEFAULT gst_sight_match_debug

namespace sightline {
namespace {

constexpr const char* kDefaultTensor = "embedding";
constexpr float kShipped = -1;  // of threshold and margin: what DecisionRule says

enum Property {
  kPropGallery = 1,
  kPropThreshold,
  kPropMargin,
  kPropMaxResidual,
  kPropMaxMagnification,
  kPropMinBrightness,
  kPropTensorName,
  kPropOnError
};

struct IdentityUnref {
  void operator()(SightIdentity* it) const { sight_identity_unref(it); }
};

// What the gallery said of one object.
struct Verdict {
  guint64 object;
  std::unique_ptr<SightIdentity, IdentityUnref> identity;
};

}  // namespace

struct SightMatch {
  // Properties that change in READY only.
  std::string gallery;
  std::string tensor_name = kDefaultTensor;
  float threshold = kShipped;
  float margin = kShipped;
  QualityRule quality;
  GstSightOnError on_error = GST_SIGHT_ON_ERROR_STOP;
  std::mutex mutex;  // guards the properties

  // From start() to stop().
  std::unique_ptr<Matcher> matcher;
  std::string tensor;        // tensor_name at start()
  std::string last_warning;  // a warning is posted once while it stays the same
};

}  // namespace sightline

struct _GstSightMatch {
  GstBaseTransform parent;
  sightline::SightMatch* self;
};

G_DEFINE_TYPE(GstSightMatch, gst_sight_match, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightMatch& self_of(gpointer element) { return *GST_SIGHT_MATCH(element)->self; }

void warn_once(GstElement* element, const std::string& text) {
  SightMatch& self = self_of(element);
  if (!text.empty() && text != self.last_warning) post_warning(element, text);
  self.last_warning = text;
}

std::unique_ptr<Matcher> open_matcher(const SightMatch& self) {
  if (self.gallery.empty())
    throw Error(
        ErrorCode::kConfig,
        "the property gallery is not set. Set it to a gallery file, such as "
        "gallery=people.db; `sightline enroll NAME IMAGE... --gallery people.db` makes one");
  DecisionRule rule;
  if (self.threshold != kShipped) rule.threshold = self.threshold;
  if (self.margin != kShipped) rule.margin = self.margin;
  return Matcher::open(self.gallery, rule);
}

gboolean start(GstBaseTransform* base) {
  SightMatch& self = self_of(base);
  const std::lock_guard lock(self.mutex);
  try {
    self.matcher = open_matcher(self);
    self.tensor = self.tensor_name;
    GST_INFO_OBJECT(base, "%s: %d persons", self.gallery.c_str(), self.matcher->person_count());
    return TRUE;
  } catch (const Error& error) {
    post_error(GST_ELEMENT(base), error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(base), Error(ErrorCode::kGallery, self.gallery + ": " + error.what()));
  }
  return FALSE;
}

gboolean stop(GstBaseTransform* base) {
  SightMatch& self = self_of(base);
  self.matcher.reset();
  self.last_warning.clear();
  return TRUE;
}

// The objects that carry an embedding, by their index.
std::vector<guint> objects_to_match(const SightMatch& self, const SightFrame* frame) {
  std::vector<guint> indexes;
  const guint count = frame != nullptr ? sight_frame_get_n_objects(frame) : 0;
  for (guint i = 0; i < count; ++i)
    if (sight_object_find_tensor(sight_frame_get_object(frame, i), self.tensor.c_str()) != nullptr)
      indexes.push_back(i);
  return indexes;
}

std::string describe(const ModelFingerprint& model) {
  return "model " + model.id.substr(0, 12) + "… (" + model.name + ", " +
         std::to_string(model.dimensions) + "-d)";
}

// Throws Error(kGallery) if the gallery holds embeddings of another model.
void require_same_model(const std::string& gallery, const ModelFingerprint& expected,
                        const SightFrame* frame, const SightTensor* tensor, std::size_t count) {
  const auto found = find_fingerprint(frame, sight_tensor_get_stage_id(tensor));
  const bool same_model = !found || found->id == expected.id;
  if (same_model && count == static_cast<std::size_t>(expected.dimensions)) return;
  throw Error(ErrorCode::kGallery,
              gallery + " was made with " + describe(expected) + "; this pipeline runs " +
                  (found ? describe(*found) : std::to_string(count) + "-d embeddings") +
                  ". Use that model, or enrol again with this one: sightline enroll NAME "
                  "IMAGE... --gallery NEW.db");
}

std::span<const float> embedding_of(const SightTensor* tensor) {
  gsize count = 0;
  const gfloat* values = sight_tensor_get_floats(tensor, &count);
  if (values == nullptr)
    throw Error(
        ErrorCode::kInput,
        std::string("the tensor \"") + sight_tensor_get_name(tensor) +
            "\" is not float32 in host memory, so it is no embedding. Is tensor-name right?");
  return {values, count};
}

Verdict ask(SightMatch& self, const SightFrame* frame, const SightObject* object) {
  const SightTensor* tensor = sight_object_find_tensor(object, self.tensor.c_str());
  const std::span<const float> embedding = embedding_of(tensor);
  if (const auto expected = self.matcher->fingerprint())
    require_same_model(self.gallery, *expected, frame, tensor, embedding.size());
  Decision decision = self.matcher->decide(embedding);
  const auto quality = find_quality(object);
  if (quality && !self.quality.accepts(*quality)) decision.known = false;
  return {sight_object_get_id(object), {make_identity(decision), {}}};
}

void set_identities(GstBuffer* buffer, const std::vector<Verdict>& verdicts) {
  GError* problem = nullptr;
  SightFrame* frame = sight_buffer_edit_frame(buffer, &problem);
  for (const Verdict& verdict : verdicts) {
    if (problem != nullptr) break;
    SightObject* object = sight_frame_edit_object(frame, verdict.object, &problem);
    if (object != nullptr) sight_object_set_identity(object, verdict.identity.get(), &problem);
  }
  if (problem == nullptr) return;
  const Error error(ErrorCode::kFailed, problem->message);
  g_error_free(problem);
  throw error;
}

void match(GstElement* element, GstBuffer* buffer) {
  SightMatch& self = self_of(element);
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  const std::vector<guint> indexes = objects_to_match(self, frame);
  if (indexes.empty()) return;
  std::string warning = self.matcher->problem();
  std::vector<Verdict> verdicts;
  for (const guint index : indexes) {
    try {
      verdicts.push_back(ask(self, frame, sight_frame_get_object(frame, index)));
    } catch (const Error& error) {
      // A gallery of another model is wrong for every frame; no frame can be let off.
      if (self.on_error == GST_SIGHT_ON_ERROR_STOP || error.code() != ErrorCode::kInput) throw;
      warning = error.what();
    }
  }
  if (!verdicts.empty()) set_identities(buffer, verdicts);
  warn_once(element, warning);
}

// Only a buffer that will be changed is copied (its metadata, not its pixels), should others hold
// it.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  if (!objects_to_match(self_of(base), sight_buffer_get_frame(input)).empty())
    input = gst_buffer_make_writable(input);
  return GST_BASE_TRANSFORM_CLASS(gst_sight_match_parent_class)
      ->submit_input_buffer(base, is_discont, input);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  try {
    match(GST_ELEMENT(base), buffer);
    return GST_FLOW_OK;
  } catch (const Error& error) {
    post_error(GST_ELEMENT(base), error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(base), Error(ErrorCode::kFailed, error.what()));
  }
  return GST_FLOW_ERROR;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightMatch& self = self_of(object);
  const auto text = [&](const char* otherwise) {
    const char* given = g_value_get_string(value);
    return std::string(given != nullptr ? given : otherwise);
  };
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropGallery:
      self.gallery = text("");
      break;
    case kPropThreshold:
      self.threshold = g_value_get_float(value);
      break;
    case kPropMargin:
      self.margin = g_value_get_float(value);
      break;
    case kPropMaxResidual:
      self.quality.max_residual = g_value_get_float(value);
      break;
    case kPropMaxMagnification:
      self.quality.max_magnification = g_value_get_float(value);
      break;
    case kPropMinBrightness:
      self.quality.min_brightness = g_value_get_float(value);
      break;
    case kPropTensorName:
      self.tensor_name = text(kDefaultTensor);
      break;
    case kPropOnError:
      self.on_error = static_cast<GstSightOnError>(g_value_get_enum(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightMatch& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropGallery:
      g_value_set_string(value, self.gallery.empty() ? nullptr : self.gallery.c_str());
      break;
    case kPropThreshold:
      g_value_set_float(value, self.threshold);
      break;
    case kPropMargin:
      g_value_set_float(value, self.margin);
      break;
    case kPropMaxResidual:
      g_value_set_float(value, self.quality.max_residual);
      break;
    case kPropMaxMagnification:
      g_value_set_float(value, self.quality.max_magnification);
      break;
    case kPropMinBrightness:
      g_value_set_float(value, self.quality.min_brightness);
      break;
    case kPropTensorName:
      g_value_set_string(value, self.tensor_name.c_str());
      break;
    case kPropOnError:
      g_value_set_enum(value, self.on_error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_MATCH(object)->self;
  G_OBJECT_CLASS(gst_sight_match_parent_class)->finalize(object);
}

// With the constant that stands in gallery.h, so that it is written down once.
const char* with_default(const char* blurb, float value) {
  gchar digits[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(digits, sizeof digits, "%.3g", value);
  gchar* text = g_strdup_printf("%s. -1: the default of galleries, %s", blurb, digits);
  const char* kept = g_intern_string(text);
  g_free(text);
  return kept;
}

void install_properties(GObjectClass* klass) {
  constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  const DecisionRule shipped;
  g_object_class_install_property(
      klass, kPropGallery,
      g_param_spec_string("gallery", "Gallery",
                          "File of known persons, made by `sightline enroll`. It must exist and be "
                          "of the model that made the embeddings, or the element fails with an "
                          "error. What other processes change is seen within a second",
                          nullptr, kFlags));
  g_object_class_install_property(
      klass, kPropThreshold,
      g_param_spec_float("threshold", "Threshold",
                         with_default("Cosine similarity from which on the nearest person is "
                                      "accepted, 0 to 1",
                                      shipped.threshold),
                         -1, 1, kShipped, kFlags));
  g_object_class_install_property(
      klass, kPropMargin,
      g_param_spec_float("margin", "Margin",
                         with_default("By how much the nearest person's cosine similarity must "
                                      "exceed the second person's to be accepted, 0 to 2",
                                      shipped.margin),
                         -1, 2, kShipped, kFlags));
  const QualityRule quality;
  g_object_class_install_property(
      klass, kPropMaxResidual,
      g_param_spec_float("max-residual", "Max residual",
                         "An aligned face whose landmarks lie farther from the template than this "
                         "(root mean square, in pixels of a 150-pixel crop) is turned too far away "
                         "to be named: it is unknown. 0: no limit",
                         0, 1000, quality.max_residual, kFlags));
  g_object_class_install_property(
      klass, kPropMaxMagnification,
      g_param_spec_float(
          "max-magnification", "Max magnification",
          "An aligned face that is so small that its 150-pixel crop is enlarged more "
          "than this many times is unknown. 0: no limit",
          0, 1000, quality.max_magnification, kFlags));
  g_object_class_install_property(
      klass, kPropMinBrightness,
      g_param_spec_float(
          "min-brightness", "Min brightness",
          "An aligned face whose mean pixel value is below this is unknown, 0 to 255", 0, 255,
          quality.min_brightness, kFlags));
  g_object_class_install_property(
      klass, kPropTensorName,
      g_param_spec_string("tensor-name", "Tensor name",
                          "Name of the objects' tensor that holds the embedding (float32, any "
                          "length of vector). Objects without it are left as they are",
                          kDefaultTensor, kFlags));
  g_object_class_install_property(
      klass, kPropOnError,
      g_param_spec_enum("on-error", "On error",
                        "What a tensor does that is no embedding (another type, not finite, all "
                        "zero). stop: an error ends the stream. continue: a warning is posted and "
                        "the object gets no identity. A wrong gallery always ends the stream",
                        GST_TYPE_SIGHT_ON_ERROR, GST_SIGHT_ON_ERROR_STOP, kFlags));
}

}  // namespace
}  // namespace sightline

static void gst_sight_match_init(GstSightMatch* element) {
  element->self = new sightline::SightMatch();
  // Pixels pass through; submit_input_buffer() makes the metadata writable where it will change.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_match_class_init(GstSightMatchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_match_debug, "sightmatch", 0, "Sightline: identities");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);
  gst_type_mark_as_plugin_api(GST_TYPE_SIGHT_ON_ERROR, static_cast<GstPluginAPIFlags>(0));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline match", "Filter/Analyzer/Video",
      "Compares the embedding of each object with a gallery of known persons and gives the object "
      "an identity: the person, or unknown. Looks at no pixels; any memory passes",
      "The Sightline authors");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = sightline::start;
  base_class->stop = sightline::stop;
  base_class->submit_input_buffer = sightline::submit_input_buffer;
  base_class->transform_ip = sightline::transform_ip;
}
