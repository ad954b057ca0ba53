// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightmatch.h"

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <sightline/frame.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "elements/object_matcher.h"
#include "elements/on_error.h"
#include "meta/mirrors.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_match_debug);
#define GST_CAT_DEFAULT gst_sight_match_debug

namespace sightline {
namespace {

constexpr float kShipped = -1;  // of threshold, margin and hysteresis: the rules' defaults
constexpr int kMostCandidates = 100;

enum Property {
  kPropGallery = 1,
  kPropDecideBy,
  kPropThreshold,
  kPropMargin,
  kPropCompare,
  kPropTopK,
  kPropHysteresis,
  kPropMinVotes,
  kPropAllowDuplicates,
  kPropMaxResidual,
  kPropMaxMagnification,
  kPropMinBrightness,
  kPropMinSharpness,
  kPropTensorName,
  kPropOnError,
  kPropStats
};

GType decide_by_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(DecideBy::kTrack),
         "By the embeddings of its track, where an object has one", "track"},
        {static_cast<int>(DecideBy::kFrame), "By the object's own embedding alone", "frame"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightDecideBy", values);
  }();
  return type;
}

constexpr int kAsTheGallery = -1;  // of compare_type(): no Compare

GType compare_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {kAsTheGallery,
         "As the gallery's own rule says (sightline gallery set-threshold --compare), else best",
         "auto"},
        {static_cast<int>(Compare::kBest),
         "With each embedding of a person; the most similar counts", "best"},
        {static_cast<int>(Compare::kMean),
         "With the mean of a person's embeddings, without those that do not fit the others",
         "mean"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightCompare", values);
  }();
  return type;
}

}  // namespace

struct SightMatch {
  MatchSettings settings;  // which change in READY only
  std::mutex mutex;        // guards the settings

  // From start() to stop(). Set and reset with the mutex held, since statistics are asked for by
  // any thread.
  std::unique_ptr<ObjectMatcher> matcher;
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

std::unique_ptr<ObjectMatcher> open_matcher(const MatchSettings& settings) {
  if (settings.gallery.empty())
    throw Error(
        ErrorCode::kConfig,
        "the property gallery is not set. Set it to a gallery file, such as "
        "gallery=people.db; `sightline enroll NAME IMAGE... --gallery people.db` makes one");
  return std::make_unique<ObjectMatcher>(settings);
}

gboolean start(GstBaseTransform* base) {
  SightMatch& self = self_of(base);
  const std::lock_guard lock(self.mutex);
  const std::string& gallery = self.settings.gallery;
  try {
    self.matcher = open_matcher(self.settings);
    GST_INFO_OBJECT(base, "%s: %d persons", shown_location(gallery).c_str(),
                    self.matcher->person_count());
    return TRUE;
  } catch (const Error& error) {
    post_error(GST_ELEMENT(base), error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(base),
               Error(ErrorCode::kGallery, shown_location(gallery) + ": " + error.what()));
  }
  return FALSE;
}

gboolean stop(GstBaseTransform* base) {
  SightMatch& self = self_of(base);
  const std::lock_guard lock(self.mutex);
  self.matcher.reset();
  self.last_warning.clear();
  return TRUE;
}

void set_identities(GstBuffer* buffer, const std::vector<ObjectMatcher::Verdict>& verdicts) {
  GError* problem = nullptr;
  SightFrame* frame = sight_buffer_edit_frame(buffer, &problem);
  for (const ObjectMatcher::Verdict& verdict : verdicts) {
    if (problem != nullptr) break;
    SightObject* object =
        sight_frame_edit_object(frame, sight_frame_find_object(frame, verdict.object), &problem);
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
  if (frame == nullptr) return;
  const ObjectMatcher::Verdicts verdicts = self.matcher->match(frame);
  if (!verdicts.objects.empty()) {
    set_identities(buffer, verdicts.objects);
    update_mirrors(buffer);
  }
  warn_once(element, verdicts.warning);
}

// Only a buffer that will be changed is copied (its metadata, not its pixels), should others hold
// it.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  if (self_of(base).matcher->concerns(sight_buffer_get_frame(input)))
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

// Tracks end with their stream.
gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  SightMatch& self = self_of(base);
  if ((type == GST_EVENT_EOS || type == GST_EVENT_FLUSH_STOP) && self.matcher != nullptr)
    self.matcher->forget_tracks();
  return GST_BASE_TRANSFORM_CLASS(gst_sight_match_parent_class)->sink_event(base, event);
}

float or_shipped(const GValue* value, float shipped) {
  const float given = g_value_get_float(value);
  return given == kShipped ? shipped : given;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightMatch& self = self_of(object);
  MatchSettings& settings = self.settings;
  const auto text = [&](const std::string& otherwise) {
    const char* given = g_value_get_string(value);
    return given != nullptr ? std::string(given) : otherwise;
  };
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropGallery:
      settings.gallery = text("");
      break;
    case kPropDecideBy:
      settings.decide_by = static_cast<DecideBy>(g_value_get_enum(value));
      break;
    case kPropThreshold:
      settings.decision.threshold.reset();
      if (const float given = g_value_get_float(value); given != kShipped)
        settings.decision.threshold = given;
      break;
    case kPropMargin:
      settings.decision.margin = or_shipped(value, DecisionRule{}.margin);
      break;
    case kPropCompare:
      settings.decision.compare.reset();
      if (const int given = g_value_get_enum(value); given != kAsTheGallery)
        settings.decision.compare = static_cast<Compare>(given);
      break;
    case kPropTopK:
      settings.decision.candidates = static_cast<std::size_t>(g_value_get_int(value));
      break;
    case kPropHysteresis:
      settings.voting.hysteresis = or_shipped(value, VotingRule{}.hysteresis);
      break;
    case kPropMinVotes:
      settings.voting.min_votes = g_value_get_int(value);
      break;
    case kPropAllowDuplicates:
      settings.voting.allow_duplicates = g_value_get_boolean(value);
      break;
    case kPropMaxResidual:
      settings.quality.max_residual = g_value_get_float(value);
      break;
    case kPropMaxMagnification:
      settings.quality.max_magnification = g_value_get_float(value);
      break;
    case kPropMinBrightness:
      settings.quality.min_brightness = g_value_get_float(value);
      break;
    case kPropMinSharpness:
      settings.quality.min_sharpness = g_value_get_float(value);
      break;
    case kPropTensorName:
      settings.tensor_name = text(MatchSettings{}.tensor_name);
      break;
    case kPropOnError:
      settings.on_error = static_cast<GstSightOnError>(g_value_get_enum(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

// All zero while no gallery is open.
GstStructure* statistics_of(const SightMatch& self) {
  const MatcherStatistics figures =
      self.matcher == nullptr ? MatcherStatistics{} : self.matcher->statistics();
  return gst_structure_new(
      "sightmatch-stats", "persons", G_TYPE_UINT, static_cast<guint>(figures.persons), "embeddings",
      G_TYPE_UINT64, static_cast<guint64>(figures.embeddings), "searches", G_TYPE_UINT64,
      static_cast<guint64>(figures.searches), "mean-search-time", G_TYPE_DOUBLE,
      figures.mean_search_seconds, "index", G_TYPE_STRING, figures.index.c_str(), nullptr);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightMatch& self = self_of(object);
  const MatchSettings& settings = self.settings;
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropGallery:
      g_value_set_string(value, settings.gallery.empty() ? nullptr : settings.gallery.c_str());
      break;
    case kPropDecideBy:
      g_value_set_enum(value, static_cast<int>(settings.decide_by));
      break;
    case kPropThreshold:
      g_value_set_float(value, settings.decision.threshold.value_or(kShipped));
      break;
    case kPropMargin:
      g_value_set_float(value, settings.decision.margin);
      break;
    case kPropCompare:
      g_value_set_enum(value, settings.decision.compare
                                  ? static_cast<int>(*settings.decision.compare)
                                  : kAsTheGallery);
      break;
    case kPropTopK:
      g_value_set_int(value, static_cast<int>(settings.decision.candidates));
      break;
    case kPropHysteresis:
      g_value_set_float(value, settings.voting.hysteresis);
      break;
    case kPropMinVotes:
      g_value_set_int(value, settings.voting.min_votes);
      break;
    case kPropAllowDuplicates:
      g_value_set_boolean(value, settings.voting.allow_duplicates);
      break;
    case kPropMaxResidual:
      g_value_set_float(value, settings.quality.max_residual);
      break;
    case kPropMaxMagnification:
      g_value_set_float(value, settings.quality.max_magnification);
      break;
    case kPropMinBrightness:
      g_value_set_float(value, settings.quality.min_brightness);
      break;
    case kPropMinSharpness:
      g_value_set_float(value, settings.quality.min_sharpness);
      break;
    case kPropTensorName:
      g_value_set_string(value, settings.tensor_name.c_str());
      break;
    case kPropOnError:
      g_value_set_enum(value, settings.on_error);
      break;
    case kPropStats:
      g_value_take_boxed(value, statistics_of(self));
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
  g_ascii_formatd(digits, sizeof digits, "%g", value);
  gchar* text = g_strdup_printf("%s. -1: the default of galleries, %s", blurb, digits);
  const char* kept = g_intern_string(text);
  g_free(text);
  return kept;
}

constexpr auto kFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

void install_rule_properties(GObjectClass* klass) {
  const DecisionRule shipped;
  g_object_class_install_property(
      klass, kPropThreshold,
      g_param_spec_float("threshold", "Threshold",
                         "Cosine similarity from which on the nearest person is accepted, 0 to 1, "
                         "where neither the gallery nor the person has a threshold of its own. "
                         "-1: by the size of the gallery, so that about a hundredth of strangers "
                         "are taken for somebody: 0.9847 + 0.0026 · log₁₀(0.57 · embeddings), at "
                         "least 0.9847 (docs/gallery.md)",
                         -1, 1, kShipped, kFlags));
  g_object_class_install_property(
      klass, kPropMargin,
      g_param_spec_float("margin", "Margin",
                         with_default("By how much the nearest person's cosine similarity must "
                                      "exceed the second person's to be accepted, 0 to 2",
                                      shipped.margin),
                         -1, 2, kShipped, kFlags));
  g_object_class_install_property(
      klass, kPropCompare,
      g_param_spec_enum("compare", "Compare",
                        "With what of a person an embedding is compared. auto: as the gallery's "
                        "own rule says, else best. best: with each of the "
                        "person's, the most similar counts. mean: with the mean of the person's, "
                        "without those that do not fit the others, so that one wrong picture has "
                        "no effect; a threshold of your own has to be chosen anew, since everybody "
                        "is more similar to a mean",
                        compare_type(), kAsTheGallery, kFlags));
  g_object_class_install_property(
      klass, kPropTopK,
      g_param_spec_int("top-k", "Top k",
                       "How many of the nearest persons an identity lists, accepted or not, with "
                       "their similarities (sight_identity_get_candidate()). Of a track they are "
                       "by all its votes. 0: none",
                       0, kMostCandidates, static_cast<int>(shipped.candidates), kFlags));
}

void install_track_properties(GObjectClass* klass) {
  const VotingRule voting;
  g_object_class_install_property(
      klass, kPropDecideBy,
      g_param_spec_enum("decide-by", "Decide by",
                        "track: the embeddings that were seen of an object's track vote, each "
                        "weighted by how good a view it is of, and a name once given is kept "
                        "(docs/identities.md); an object without a track is decided alone. frame: "
                        "each object is decided by its own embedding alone",
                        decide_by_type(), static_cast<int>(DecideBy::kTrack), kFlags));
  g_object_class_install_property(
      klass, kPropMinVotes,
      g_param_spec_int("min-votes", "Min votes",
                       "A track is unknown until this many embeddings have voted. A view that the "
                       "quality limits refuse has no vote, and a result that was taken over from "
                       "an earlier frame votes once",
                       1, static_cast<int>(TrackIdentities::kMostVotes), voting.min_votes, kFlags));
  g_object_class_install_property(
      klass, kPropHysteresis,
      g_param_spec_float("hysteresis", "Hysteresis",
                         with_default("A track keeps its name while the person's similarity is not "
                                      "below threshold by more than this, 0 to 2",
                                      voting.hysteresis),
                         -1, 2, kShipped, kFlags));
  g_object_class_install_property(
      klass, kPropAllowDuplicates,
      g_param_spec_boolean("allow-duplicates", "Allow duplicates",
                           "Whether two tracks of one frame may be the same person (twins, "
                           "mirrors, photographs). If not, the more similar one keeps the name and "
                           "the other is unknown",
                           voting.allow_duplicates, kFlags));
}

void install_quality_properties(GObjectClass* klass) {
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
      klass, kPropMinSharpness,
      g_param_spec_float("min-sharpness", "Min sharpness",
                         "An aligned face that is less sharp than this is unknown: mean spatial "
                         "frequency of its crop, in radians per pixel of a 150-pixel crop. "
                         "0: no limit",
                         0, 10, quality.min_sharpness, kFlags));
}

void install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropGallery,
      g_param_spec_string("gallery", "Gallery",
                          "Known persons, as `sightline enroll` stores them: a file, or "
                          "postgresql://…. It must exist and be of the model that made the "
                          "embeddings, or the element fails with an error. What other processes "
                          "change is seen within a second. Several, with commas between them, such "
                          "as staff.db,visitors.db: the first that accepts somebody decides; a "
                          "comma in a name is written \\,",
                          nullptr, kFlags));
  install_rule_properties(klass);
  install_track_properties(klass);
  install_quality_properties(klass);
  g_object_class_install_property(
      klass, kPropTensorName,
      g_param_spec_string("tensor-name", "Tensor name",
                          "Name of the objects' tensor that holds the embedding (float32, any "
                          "length of vector). Objects without it are left as they are, unless "
                          "their track has a name",
                          MatchSettings{}.tensor_name.c_str(), kFlags));
  g_object_class_install_property(
      klass, kPropOnError,
      g_param_spec_enum("on-error", "On error",
                        "What a tensor does that is no embedding (another type, not finite, all "
                        "zero). stop: an error ends the stream. continue: a warning is posted and "
                        "the object gets no identity. A wrong gallery always ends the stream",
                        GST_TYPE_SIGHT_ON_ERROR, GST_SIGHT_ON_ERROR_STOP, kFlags));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics",
                         "Of the gallery and its searches: persons, embeddings, searches "
                         "(embeddings that were compared with it), mean-search-time (of each, in "
                         "seconds), index (how it is searched: exact, bytes or graph)",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
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
  gst_type_mark_as_plugin_api(sightline::decide_by_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(sightline::compare_type(), static_cast<GstPluginAPIFlags>(0));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline match", "Filter/Analyzer/Video",
      "Compares the embeddings of each object, or of its track, with a gallery of known persons "
      "and "
      "gives the object an identity: the person, or unknown. Looks at no pixels; any memory passes",
      "The Sightline authors");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->start = sightline::start;
  base_class->stop = sightline::stop;
  base_class->sink_event = sightline::sink_event;
  base_class->submit_input_buffer = sightline::submit_input_buffer;
  base_class->transform_ip = sightline::transform_ip;
}
