// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer: the GObject around InferStage. Properties, pads, states.

#include "elements/gstsightinfer.h"

#include <memory>
#include <optional>
#include <string>

#include "elements/element_error.h"
#include "elements/infer_stage.h"
#include "elements/key_properties.h"
#include "stage/gst_cuda.h"
#include "stage/mapped_frame.h"

using sightline::InferStage;

GST_DEBUG_CATEGORY_STATIC(sight_infer_debug);
#define GST_CAT_DEFAULT sight_infer_debug

struct _GstSightInfer {
  GstElement parent;
  std::unique_ptr<InferStage> stage;
};

G_DEFINE_TYPE_WITH_CODE(GstSightInfer, gst_sight_infer, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(sight_infer_debug, "sightinfer", 0,
                                                "runs a neural network on frames or objects"))

namespace {

enum Property {
  kConfigFile = 1,
  kConfigFilePath,
  kCompat,
  kUniqueId,
  kDevice,
  kBatchSize,
  kMaxInFlight,
  kOnError,
  kMirror,
  kStream,
  kReinferInterval,
  kInterval,
  kPriority,
  kDeadline,
  kBatchWait,
  kQos,
  kEngine,
  kStats,
};

GType mirror_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(sightline::MirrorKind::kNone), "SightFrameMeta only", "none"},
        {static_cast<int>(sightline::MirrorKind::kRoi),
         "GstVideoRegionOfInterestMeta as well, with DL Streamer's parameters", "roi"},
        {static_cast<int>(sightline::MirrorKind::kAnalytics),
         "GstAnalyticsRelationMeta as well, as GStreamer 1.24 and later know it", "analytics"},
        {static_cast<int>(sightline::MirrorKind::kBoth), "Both of them", "both"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightMirror", values);
  }();
  return type;
}

GType compat_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(sightline::Compat::kOwn), "Sightline's defaults", "own"},
        {static_cast<int>(sightline::Compat::kDeepStream), "nvinfer's defaults", "deepstream"},
        {0, nullptr, nullptr}};
    return g_enum_register_static("GstSightCompat", values);
  }();
  return type;
}

InferStage& stage_of(gpointer element) { return *GST_SIGHT_INFER(element)->stage; }

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text == nullptr ? std::string() : std::string(text);
}

// A number that stands for a key, unless it is the one that stands for the file's.
void set_number(sightline::ModelOverrides& overrides, const char* key, const char* property,
                int value, int otherwise) {
  if (value == otherwise)
    overrides.unset(key);
  else
    overrides.set(key, std::to_string(value), property);
}

int number_of(const sightline::ModelOverrides& overrides, const char* key, int otherwise) {
  const auto* value = overrides.find(key);
  return value == nullptr ? otherwise : std::stoi(value->text);
}

// The file, whichever property names it. False: `id` is none of these.
bool set_file(sightline::ModelWish& wish, guint id, const GValue* value) {
  if (id != kConfigFile && id != kConfigFilePath) return false;
  wish.config_file = text_of(value);
  if (id == kConfigFilePath) wish.overrides.compat = sightline::Compat::kDeepStream;
  return true;
}

// What a stage is opened with. False: `id` is none of these.
bool set_opening(sightline::InferSettings& settings, guint id, const GValue* value) {
  sightline::ModelOverrides& overrides = settings.wish.overrides;
  if (set_file(settings.wish, id, value) || sightline::set_key_property(overrides, id, value))
    return true;
  switch (id) {
    case kCompat:
      overrides.compat = static_cast<sightline::Compat>(g_value_get_enum(value));
      return true;
    case kUniqueId:
      set_number(overrides, "gie-unique-id", "unique-id", g_value_get_int(value), 0);
      return true;
    case kDevice:
      overrides.unset("device");
      if (const std::string device = text_of(value); !device.empty())
        overrides.set("device", device);
      return true;
    case kBatchSize:
      set_number(overrides, "batch-size", "batch-size", g_value_get_int(value), 0);
      return true;
    case kMaxInFlight:
      settings.max_in_flight = g_value_get_int(value);
      return true;
    case kOnError:
      settings.on_error = static_cast<GstSightOnError>(g_value_get_enum(value));
      return true;
    case kMirror:
      settings.mirror = static_cast<sightline::MirrorKind>(g_value_get_enum(value));
      return true;
    case kStream:
      settings.stream = text_of(value);
      return true;
    case kReinferInterval:
      set_number(overrides, "secondary-reinfer-interval", "secondary-reinfer-interval",
                 g_value_get_int(value), -1);
      return true;
    default:
      return false;
  }
}

// What may change while frames come. False: `id` is none of these.
bool set_running(sightline::InferSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case kInterval:
      settings.interval = g_value_get_int(value);
      return true;
    case kPriority:
      settings.priority = g_value_get_int(value);
      return true;
    case kDeadline:
      settings.deadline = g_value_get_uint64(value);
      return true;
    case kBatchWait:
      settings.batch_wait = g_value_get_int64(value);
      return true;
    case kQos:
      settings.qos = g_value_get_boolean(value);
      return true;
    default:
      return false;
  }
}

// With what a stage that is open is asked for another model. Nothing: `id` does not name one.
std::optional<sightline::ModelWish> another_model(const sightline::InferSettings& settings,
                                                  guint id, const GValue* value) {
  sightline::ModelWish wish = settings.wish;
  if (!set_file(wish, id, value)) return std::nullopt;
  return wish;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  InferStage& stage = stage_of(object);
  sightline::InferSettings& settings = stage.settings();
  if (set_running(settings, id, value)) return;
  auto* element = GST_ELEMENT(object);
  GST_OBJECT_LOCK(element);  // the element's state is under it
  const bool closed =
      GST_STATE(element) <= GST_STATE_READY && GST_STATE_NEXT(element) <= GST_STATE_READY;
  const auto another = closed ? std::nullopt : another_model(settings, id, value);
  const bool known = !closed || set_opening(settings, id, value);
  GST_OBJECT_UNLOCK(element);
  if (another) stage.change_model(*another);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  if (!closed && !another)
    sightline::post_warning(element, std::string(g_param_spec_get_name(spec)) +
                                         " can be set in the states NULL and READY only; what was "
                                         "set before stays");
}

bool get_setting(const sightline::InferSettings& settings, guint id, GValue* value) {
  const sightline::ModelOverrides& overrides = settings.wish.overrides;
  if (sightline::get_key_property(overrides, id, value)) return true;
  switch (id) {
    case kConfigFile:
    case kConfigFilePath:
      g_value_set_string(value, settings.wish.config_file.c_str());
      return true;
    case kCompat:
      g_value_set_enum(value, static_cast<int>(overrides.compat));
      return true;
    case kUniqueId:
      g_value_set_int(value, number_of(overrides, "gie-unique-id", 0));
      return true;
    case kDevice: {
      const auto* device = overrides.find("device");
      g_value_set_string(value, device == nullptr ? "" : device->text.c_str());
      return true;
    }
    case kBatchSize:
      g_value_set_int(value, number_of(overrides, "batch-size", 0));
      return true;
    case kMaxInFlight:
      g_value_set_int(value, settings.max_in_flight);
      return true;
    case kOnError:
      g_value_set_enum(value, static_cast<int>(settings.on_error));
      return true;
    case kMirror:
      g_value_set_enum(value, static_cast<int>(settings.mirror));
      return true;
    case kStream:
      g_value_set_string(value, settings.stream.c_str());
      return true;
    case kReinferInterval:
      g_value_set_int(value, number_of(overrides, "secondary-reinfer-interval", -1));
      return true;
    case kInterval:
      g_value_set_int(value, settings.interval);
      return true;
    case kPriority:
      g_value_set_int(value, settings.priority);
      return true;
    case kDeadline:
      g_value_set_uint64(value, settings.deadline);
      return true;
    case kBatchWait:
      g_value_set_int64(value, settings.batch_wait);
      return true;
    case kQos:
      g_value_set_boolean(value, settings.qos);
      return true;
    default:
      return false;
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  InferStage& stage = stage_of(object);
  GST_OBJECT_LOCK(object);
  const bool is_setting = get_setting(stage.settings(), id, value);
  GST_OBJECT_UNLOCK(object);
  if (is_setting) return;
  if (id == kEngine)
    g_value_set_string(value, stage.engine_description().c_str());
  else if (id == kStats)
    g_value_take_boxed(value, stage.statistics());
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

// What is wrong with the settings is said by open(). Where GStreamer has no CUDA library, no frame
// comes in CUDA memory either.
void announce_gpu(GstElement* element) {
  try {
    stage_of(element).announce_gpu();
  } catch (const std::exception& error) {
    GST_INFO_OBJECT(element, "no CUDA context to share: %s", error.what());
  }
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  InferStage& stage = stage_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) announce_gpu(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    try {
      stage.open();
    } catch (const sightline::Error& error) {
      sightline::post_error(element, error);
      return GST_STATE_CHANGE_FAILURE;
    } catch (const std::exception& error) {
      sightline::post_error(element, sightline::Error(sightline::ErrorCode::kFailed, error.what()));
      return GST_STATE_CHANGE_FAILURE;
    }
    GST_INFO_OBJECT(element, "%s", stage.engine_description().c_str());
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_sight_infer_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) stage.close();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) stage.release_model();
  return result;
}

void finalize(GObject* object) {
  std::destroy_at(&GST_SIGHT_INFER(object)->stage);
  G_OBJECT_CLASS(gst_sight_infer_parent_class)->finalize(object);
}

std::string caps_text() {
  const std::string formats = sightline::supported_formats();
  const std::string size =
      ", width=(int)[1,32767], height=(int)[1,32767], framerate=" GST_VIDEO_FPS_RANGE;
  std::string text =
      "video/x-raw, format=" + formats + size +
      "; video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=" + formats +
      size;
  if (const std::string on_gpu = sightline::cuda_formats(); !on_gpu.empty())
    text += "; video/x-raw(memory:CUDAMemory), format=" + on_gpu + size +
            "; video/x-raw(memory:CUDAMemory, meta:GstVideoOverlayComposition), format=" + on_gpu +
            size;
  return text;
}

void add_template(GstElementClass* element_class, const char* name, GstPadDirection direction) {
  GstCaps* caps = gst_caps_from_string(caps_text().c_str());
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
}

GstPad* add_pad(GstSightInfer* self, const char* name) {
  GstPad* pad = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), name), name);
  GST_PAD_SET_PROXY_CAPS(pad);
  gst_element_add_pad(GST_ELEMENT(self), pad);
  return pad;
}

}  // namespace

static void gst_sight_infer_class_init(GstSightInferClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  element_class->change_state = change_state;

  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_READY);
  const auto any_time = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_PLAYING);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [&](Property id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  install(kConfigFile, g_param_spec_string("config-file", "Configuration file",
                                           "The configuration of model, pre- and post-processing: "
                                           "an INI or YAML file as docs/configuration.md "
                                           "describes it. Needed. Set while playing, it is loaded "
                                           "beside the model that runs and taken between two "
                                           "frames; if it is wrong, a warning says why and the old "
                                           "one stays",
                                           nullptr, any_time));
  install(kConfigFilePath,
          g_param_spec_string("config-file-path", "Configuration file of nvinfer",
                              "As config-file, with compat=deepstream: nvinfer's file as it is, "
                              "with nvinfer's defaults where it says nothing",
                              nullptr, any_time));
  install(kCompat,
          g_param_spec_enum("compat", "Compatible with",
                            "Whose defaults hold where the configuration says nothing. "
                            "deepstream: nvinfer's, such as nearest scaling, black padding and "
                            "crops of even pixels; a message on the bus lists them",
                            compat_type(), static_cast<int>(sightline::Compat::kOwn), flags));
  install(kUniqueId,
          g_param_spec_int("unique-id", "Unique id",
                           "Id of this stage, which its objects and tensors carry and "
                           "operate-on-gie-id of other stages names. "
                           "0: gie-unique-id of the configuration, else a number of 1000 or more",
                           0, G_MAXINT, 0, flags));
  install(kDevice, g_param_spec_string("device", "Device",
                                       "Where the network runs: \"cpu\", \"cuda:0\" (the number of "
                                       "a GPU) or \"auto\" (the first GPU "
                                       "if networks run on it, else the CPU). Empty: as the "
                                       "configuration says. A device that is not "
                                       "there is an error",
                                       "", flags));
  install(kBatchSize, g_param_spec_int("batch-size", "Batch size",
                                       "The largest number of frames or crops in one run of the "
                                       "network. 0: as the configuration says, else "
                                       "the engine's choice",
                                       0, 1024, 0, flags));
  install(kMaxInFlight, g_param_spec_int("max-in-flight", "Max in flight",
                                         "Frames that may be under way in this stage. 1: each "
                                         "frame waits for its results before the next is "
                                         "taken. More: finished frames are pushed meanwhile, "
                                         "in order. 0: one more than this stage's share of the "
                                         "runs that the engine does side by side, at least 2",
                                         0, 64, 0, flags));
  install(
      kOnError,
      g_param_spec_enum(
          "on-error", "On error",
          "What becomes of a frame for which the network failed. stop: an error ends the stream. "
          "continue: a warning is posted and the frame goes on, marked as failed",
          GST_TYPE_SIGHT_ON_ERROR, GST_SIGHT_ON_ERROR_STOP, flags));
  install(kMirror,
          g_param_spec_enum(
              "mirror", "Mirror",
              "Other metadata in which the objects are written as well, for elements that do not "
              "know SightFrameMeta. What one stage begins, sightinfer, sighttrack and sightmatch "
              "behind it carry on with what they add: tracks, identities, expected objects",
              mirror_type(), static_cast<int>(sightline::MirrorKind::kNone), flags));
  install(kStream, g_param_spec_string("stream", "Stream",
                                       "Name of the stream, put into frames that carry none yet. "
                                       "Empty: the id of the STREAM_START event",
                                       "", flags));
  install(
      kReinferInterval,
      g_param_spec_int(
          "secondary-reinfer-interval", "Secondary reinfer interval",
          "A stage that looks at objects runs its network on an object that has a track only when "
          "the track is new, when this many frames of its stream have passed, or when it is seen "
          "better (larger, sharper, turned to the camera; docs/configuration.md). In between, "
          "embeddings, classifications and tensors are taken over from the last look, and the "
          "object says from which frame. 0: each object of each frame is looked at. -1: as the "
          "configuration says",
          -1, G_MAXINT, -1, flags));
  install(kInterval,
          g_param_spec_int("interval", "Interval",
                           "Frames that pass without being looked at between two that are, counted "
                           "for each stream. They carry user data sightline-skipped:<unique-id> "
                           "with the text \"interval\". -1: as the configuration says, else 0",
                           -1, G_MAXINT, -1, any_time));
  install(kPriority,
          g_param_spec_int("priority", "Priority",
                           "Of stages that share an engine the ones with a higher priority are "
                           "served first, and the others wait as long as it takes. Streams of one "
                           "priority take turns",
                           -1000, 1000, 0, any_time));
  install(kDeadline,
          g_param_spec_uint64("deadline", "Deadline",
                              "Nanoseconds that a frame waits in the engine's queue before it goes "
                              "ahead of all of its priority that may wait longer. It is part of "
                              "the latency that this element states. 0: none, streams take turns",
                              0, 3600 * GST_SECOND, 0, any_time));
  install(
      kBatchWait,
      g_param_spec_int64(
          "batch-wait", "Batch wait",
          "A batch of the engine that is not full begins so many nanoseconds after the one before "
          "it at the earliest, so that frames of many live streams share runs; a frame that comes "
          "alone does not wait, and none longer than its deadline. It is part of the latency that "
          "this element states. -1: 5 ms where "
          "the source is live and the network runs on a GPU, else 0",
          -1, 3600 * GST_SECOND, -1, any_time));
  install(kQos,
          g_param_spec_boolean("qos", "Handle Quality-of-Service events",
                               "Pass frames on without looking that would come too late for the "
                               "sink, as its QoS events say. They carry user data "
                               "sightline-skipped:<unique-id> with the text \"late\"",
                               FALSE, any_time));
  install(kEngine,
          g_param_spec_string(
              "engine", "Engine",
              "What the network runs on and how, for people; empty while no model is loaded", "",
              read_only));
  install(
      kStats,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Figures of this stage: frames (that left), failures, skipped (by interval), late (by "
          "qos), fps (frames a second, over the last five seconds), latency-p50, latency-p95, "
          "latency-p99 (seconds from entering until leaving, of the frames that the network saw "
          "among the last 512), in-flight (frames inside now); objects that it was asked about, "
          "objects-looked-at (the network ran) and objects-taken-over (an earlier result of the "
          "track was used). Of its engine, which others may "
          "share: runs, items, batch-fill (mean items a run, as a share of the largest batch), "
          "run-p50, run-p95 (seconds a run, over the last 512), queue (requests that wait now)",
          GST_TYPE_STRUCTURE, read_only));

  sightline::install_key_properties(object_class, flags);
  // After a model change was asked for: 0 and the file that now runs, or 1 and the one that does
  // not.
  g_signal_new("model-updated", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
               nullptr, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_STRING);
  gst_element_class_set_static_metadata(
      element_class, "Sightline inference", "Filter/Analyzer/Video",
      "Runs a neural network on whole frames or on each object found before, and adds objects, "
      "landmarks, labels and tensors as "
      "metadata (SightFrameMeta). Crops, alignment and conversion are read straight from the "
      "frame, which is neither copied nor changed. Frames in CUDA memory stay there, for networks "
      "on the same GPU",
      "The Sightline developers");
  add_template(element_class, "sink", GST_PAD_SINK);
  add_template(element_class, "src", GST_PAD_SRC);
  for (const GType type : {mirror_type(), compat_type(), sightline::process_mode_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

static void gst_sight_infer_init(GstSightInfer* self) {
  GstPad* sink = add_pad(self, "sink");
  GstPad* source = add_pad(self, "src");
  std::construct_at(&self->stage, std::make_unique<InferStage>(GST_ELEMENT(self), sink, source));

  gst_pad_set_chain_function(sink, [](GstPad*, GstObject* parent, GstBuffer* buffer) {
    return stage_of(parent).chain(buffer);
  });
  gst_pad_set_event_function(sink, [](GstPad*, GstObject* parent, GstEvent* event) -> gboolean {
    return stage_of(parent).sink_event(event);
  });
  gst_pad_set_query_function(sink, [](GstPad*, GstObject* parent, GstQuery* query) -> gboolean {
    return stage_of(parent).sink_query(query);
  });
  gst_pad_set_query_function(source, [](GstPad*, GstObject* parent, GstQuery* query) -> gboolean {
    return stage_of(parent).source_query(query);
  });
  gst_pad_set_event_function(source, [](GstPad*, GstObject* parent, GstEvent* event) -> gboolean {
    return stage_of(parent).source_event(event);
  });
  gst_pad_set_activatemode_function(
      source, [](GstPad*, GstObject* parent, GstPadMode mode, gboolean active) -> gboolean {
        return mode == GST_PAD_MODE_PUSH && stage_of(parent).activate(active);
      });
}
