// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/gstsightoverlay.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <sightline/frame.h>

#include <gst/video/video.h>

#include "core/error.h"
#include "elements/element_error.h"
#include "elements/gst_ptr.h"
#include "elements/overlay/blur.h"
#include "elements/overlay/canvas.h"
#include "elements/overlay/cuda_canvas.h"
#include "elements/overlay/painter.h"
#include "stage/gst_cuda.h"

GST_DEBUG_CATEGORY_STATIC(gst_sight_overlay_debug);
#define GST_CAT_DEFAULT gst_sight_overlay_debug

typedef enum {
  GST_SIGHT_OVERLAY_MODE_AUTO,
  GST_SIGHT_OVERLAY_MODE_BLEND,
  GST_SIGHT_OVERLAY_MODE_ATTACH,
} GstSightOverlayMode;

G_DEFINE_ENUM_TYPE(GstSightOverlayMode, gst_sight_overlay_mode,
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_MODE_AUTO, "auto"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_MODE_BLEND, "blend"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_MODE_ATTACH, "attach"))

typedef enum {
  GST_SIGHT_OVERLAY_COLOR_BY_CLASS,
  GST_SIGHT_OVERLAY_COLOR_BY_IDENTITY,
  GST_SIGHT_OVERLAY_COLOR_BY_TRACK,
} GstSightOverlayColorBy;

G_DEFINE_ENUM_TYPE(GstSightOverlayColorBy, gst_sight_overlay_color_by,
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_COLOR_BY_CLASS, "class"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_COLOR_BY_IDENTITY, "identity"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_COLOR_BY_TRACK, "track"))

typedef enum {
  GST_SIGHT_OVERLAY_BLUR_NONE,
  GST_SIGHT_OVERLAY_BLUR_UNKNOWN,
  GST_SIGHT_OVERLAY_BLUR_ALL,
} GstSightOverlayBlur;

G_DEFINE_ENUM_TYPE(GstSightOverlayBlur, gst_sight_overlay_blur,
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_BLUR_NONE, "none"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_BLUR_UNKNOWN, "unknown"),
                   G_DEFINE_ENUM_VALUE(GST_SIGHT_OVERLAY_BLUR_ALL, "all"))

namespace sightline {
namespace {

enum Property {
  kPropMode = 1,
  kPropShowBoxes,
  kPropShowLabels,
  kPropShowConfidence,
  kPropShowTracks,
  kPropShowClassifications,
  kPropShowLandmarks,
  kPropShowMasks,
  kPropShowSkeletons,
  kPropShowSegmentation,
  kPropShowShapes,
  kPropLineWidth,
  kPropFont,
  kPropColorBy,
  kPropBlur,
};

constexpr const char* kTemplate = GST_VIDEO_CAPS_MAKE(
    GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES("ANY",
                                                                                       GST_VIDEO_FORMATS_ALL);

const GstCaps* blendable_caps() {
  static const GstCaps* caps = [] {
    std::string text = GST_VIDEO_CAPS_MAKE(GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS);
    const std::string formats = cuda_drawing_formats();
    if (!formats.empty())
      text += std::string("; video/x-raw(") + kCudaMemory + "), format=" + formats;
    return gst_caps_from_string(text.c_str());
  }();
  return caps;
}

bool has_composition(const GstCapsFeatures* features) {
  return gst_caps_features_contains(features,
                                    GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION) != FALSE;
}

bool has_composition(const GstCaps* caps) {
  return !gst_caps_is_empty(caps) && !gst_caps_is_any(caps) &&
         has_composition(gst_caps_get_features(caps, 0));
}

// `caps` with the feature added to, or taken from, those of its structures that can be so.
GstPtr<GstCaps> with_composition(const GstCaps* caps) {
  GstPtr<GstCaps> result(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    GstCapsFeatures* features = gst_caps_get_features(result.get(), i);
    if (!gst_caps_features_is_any(features) && !has_composition(features))
      gst_caps_features_add(features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
  }
  return result;
}

GstPtr<GstCaps> without_composition(const GstCaps* caps) {
  GstPtr<GstCaps> result(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    GstCapsFeatures* features = gst_caps_features_copy(gst_caps_get_features(caps, i));
    if (!gst_caps_features_is_any(features))
      gst_caps_features_remove(features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
    gst_caps_append_structure_full(result.get(),
                                   gst_structure_copy(gst_caps_get_structure(caps, i)), features);
  }
  return result;
}

// The structures of `caps` that have the feature already.
GstPtr<GstCaps> only_composition(const GstCaps* caps) {
  GstPtr<GstCaps> result(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    GstCapsFeatures* features = gst_caps_get_features(caps, i);
    if (has_composition(features) || gst_caps_features_is_any(features))
      gst_caps_append_structure_full(result.get(),
                                     gst_structure_copy(gst_caps_get_structure(caps, i)),
                                     gst_caps_features_copy(features));
  }
  return result;
}

GstPtr<GstCaps> merged(GstPtr<GstCaps> first, GstPtr<GstCaps> second) {
  return GstPtr<GstCaps>(gst_caps_merge(first.release(), second.release()));
}

// The part of `caps` that we can draw on.
GstPtr<GstCaps> blendable(const GstCaps* caps) {
  return GstPtr<GstCaps>(gst_caps_intersect_full(const_cast<GstCaps*>(caps),
                                                 const_cast<GstCaps*>(blendable_caps()),
                                                 GST_CAPS_INTERSECT_FIRST));
}

}  // namespace

// What the element is besides a GObject.
struct SightOverlay {
  std::mutex mutex;  // guards style, mode and blur, which are set from other threads
  OverlayStyle style;
  Blur blur = Blur::kNone;
  GstSightOverlayMode mode = GST_SIGHT_OVERLAY_MODE_AUTO;

  // Of the streaming thread.
  Painter painter;
  GstVideoInfo info;
  bool attach = false;
  bool in_cuda_memory = false;
  std::unique_ptr<CudaCanvas> cuda_canvas;
  std::string last_problem;
};

}  // namespace sightline

struct _GstSightOverlay {
  GstBaseTransform parent;
  sightline::SightOverlay* self;
};

G_DEFINE_TYPE(GstSightOverlay, gst_sight_overlay, GST_TYPE_BASE_TRANSFORM)

namespace sightline {
namespace {

SightOverlay& self_of(gpointer element) { return *GST_SIGHT_OVERLAY(element)->self; }

GstSightOverlayMode mode_of(SightOverlay& self) {
  const std::lock_guard lock(self.mutex);
  return self.mode;
}

Blur blur_of(SightOverlay& self) {
  const std::lock_guard lock(self.mutex);
  return self.blur;
}

// What leaves if `caps` come in, the attached variant first.
GstPtr<GstCaps> output_caps(const GstCaps* caps, GstSightOverlayMode mode) {
  GstPtr<GstCaps> result =
      mode == GST_SIGHT_OVERLAY_MODE_BLEND ? only_composition(caps) : with_composition(caps);
  if (mode == GST_SIGHT_OVERLAY_MODE_ATTACH) return result;
  return merged(std::move(result), blendable(caps));
}

// What may come in if `caps` may leave.
GstPtr<GstCaps> input_caps(const GstCaps* caps, GstSightOverlayMode mode) {
  GstPtr<GstCaps> result = only_composition(caps);
  if (mode != GST_SIGHT_OVERLAY_MODE_BLEND) {
    GstPtr<GstCaps> plain = without_composition(result.get());
    result = merged(std::move(plain), std::move(result));
  }
  if (mode == GST_SIGHT_OVERLAY_MODE_ATTACH) return result;
  return merged(std::move(result), blendable(caps));
}

GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                        GstCaps* filter) {
  const GstSightOverlayMode mode = mode_of(self_of(base));
  GstPtr<GstCaps> result =
      direction == GST_PAD_SINK ? output_caps(caps, mode) : input_caps(caps, mode);
  if (filter != nullptr)
    result.reset(gst_caps_intersect_full(filter, result.get(), GST_CAPS_INTERSECT_FIRST));
  return result.release();
}

// Whether downstream says in its answer to ALLOCATION that it shows compositions. An element that
// takes any caps, such as fakesink, accepts the feature without knowing what it means. ALLOCATION
// is answered only after CAPS, so these go first; if the answer is no, others follow.
bool shows_compositions(GstBaseTransform* base, GstCaps* caps) {
  GstPad* pad = GST_BASE_TRANSFORM_SRC_PAD(base);
  if (!gst_pad_push_event(pad, gst_event_new_caps(caps))) return false;
  const GstPtr<GstQuery> query(gst_query_new_allocation(caps, FALSE));
  return gst_pad_peer_query(pad, query.get()) &&
         gst_query_find_allocation_meta(query.get(), GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE,
                                        nullptr);
}

// Takes `candidates`; the first with (`composition`) or without the feature, or null.
GstPtr<GstCaps> first_candidate(const GstCaps* candidates, bool composition) {
  for (guint i = 0; i < gst_caps_get_size(candidates); ++i)
    if (has_composition(gst_caps_get_features(candidates, i)) == composition)
      return GstPtr<GstCaps>(gst_caps_fixate(gst_caps_copy_nth(candidates, i)));
  return nullptr;
}

GstCaps* fixate_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                     GstCaps* candidates) {
  if (direction != GST_PAD_SINK || gst_caps_is_empty(candidates) || gst_caps_is_any(candidates))
    return gst_caps_fixate(candidates);
  const GstPtr<GstCaps> owned(candidates);
  GstPtr<GstCaps> attached = first_candidate(owned.get(), true);
  GstPtr<GstCaps> plain = first_candidate(owned.get(), false);
  if (plain == nullptr) return attached.release();
  if (attached == nullptr) return plain.release();
  // Not drawing at all would be worse than asking: a foreign composition must stay attached.
  if (has_composition(caps) || shows_compositions(base, attached.get())) return attached.release();
  return plain.release();
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* out) {
  SightOverlay& self = self_of(base);
  if (!gst_video_info_from_caps(&self.info, in)) {
    gchar* text = gst_caps_to_string(in);
    post_error(GST_ELEMENT(base),
               Error(ErrorCode::kInput, std::string("not the caps of raw video: ") + text));
    g_free(text);
    return FALSE;
  }
  self.attach = has_composition(out);
  self.in_cuda_memory = are_in_cuda_memory(in);
  GST_INFO_OBJECT(base, "%s",
                  self.attach           ? "attaching to the buffers"
                  : self.in_cuda_memory ? "drawing on the pixels in CUDA memory"
                                        : "drawing on the pixels");
  return TRUE;
}

bool may_draw(SightOverlay& self, GstBuffer* buffer) {
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  const std::lock_guard lock(self.mutex);
  return frame != nullptr && Painter::may_paint(frame, self.style);
}

// Only a buffer that will be drawn on is copied, should others hold it too.
GstFlowReturn submit_input_buffer(GstBaseTransform* base, gboolean is_discont, GstBuffer* input) {
  if (may_draw(self_of(base), input)) input = gst_buffer_make_writable(input);
  return GST_BASE_TRANSFORM_CLASS(gst_sight_overlay_parent_class)
      ->submit_input_buffer(base, is_discont, input);
}

// Lends the pixels of `buffer` for reading and writing. Throws Error(kInput) if they can't be
// reached, or if `work` says that it can't work on their format.
void change_pixels(const GstVideoInfo& info, GstBuffer* buffer, const char* to_do,
                   const std::function<bool(GstVideoFrame*)>& work) {
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), buffer, GST_MAP_READWRITE))
    throw Error(ErrorCode::kInput,
                "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                    " bytes cannot be mapped as " + gst_video_format_to_string(info.finfo->format) +
                    " " + std::to_string(info.width) + "x" + std::to_string(info.height) +
                    ", which its caps say. Is an element before this one setting wrong caps?");
  const bool done = work(&frame);
  gst_video_frame_unmap(&frame);
  if (!done)
    throw Error(ErrorCode::kInput, std::string("cannot ") + to_do + " format " +
                                       gst_video_format_to_string(info.finfo->format) +
                                       ". Put videoconvert before sightoverlay.");
}

void draw_on_pixels(const Sprites& sprites, const GstVideoInfo& info, GstBuffer* buffer) {
  change_pixels(info, buffer, "draw on",
                [&](GstVideoFrame* frame) { return blend(sprites, frame); });
}

// Faces that shall be hidden never pass as they are: where it can't be done, that is an error, also
// of a frame in which there are none.
void require_pixels(const SightOverlay& self) {
  if (self.in_cuda_memory)
    throw Error(ErrorCode::kInput,
                "blur hides faces of frames in system memory only, and these are in CUDA memory. "
                "Put cudadownload before sightoverlay, or set blur=none.");
}

void hide_faces(const SightOverlay& self, Blur blur, GstBuffer* buffer) {
  const std::vector<PixelBounds> areas =
      areas_to_blur(sight_buffer_get_frame(buffer), blur, {self.info.width, self.info.height});
  if (areas.empty()) return;
  change_pixels(self.info, buffer, "blur faces in", [&](GstVideoFrame* frame) {
    return std::ranges::all_of(areas,
                               [&](const PixelBounds& area) { return pixelate(area, frame); });
  });
}

// The canvas of the GPU that the buffer is on.
CudaCanvas& canvas_for(SightOverlay& self, GstBuffer* buffer) {
  if (!is_in_cuda_memory(buffer))
    throw Error(ErrorCode::kInput,
                "a buffer is in system memory although its caps say memory:CUDAMemory");
  const int gpu = gpu_of(buffer);
  if (self.cuda_canvas == nullptr || self.cuda_canvas->gpu() != gpu) {
    self.painter = Painter();  // whose sprites may lie on another one
    self.cuda_canvas = CudaCanvas::open(gpu);
  }
  return *self.cuda_canvas;
}

void draw(GstElement* element, GstBuffer* buffer) {
  SightOverlay& self = self_of(element);
  const bool draws_there = self.in_cuda_memory && !self.attach;
  CudaCanvas* const canvas = draws_there ? &canvas_for(self, buffer) : nullptr;
  {
    const std::lock_guard lock(self.mutex);
    self.painter.configure(self.style, {self.info.width, self.info.height});
  }
  const Sprites sprites = self.painter.paint(sight_buffer_get_frame(buffer));
  const std::string& problem = self.painter.problem();
  if (!problem.empty() && problem != self.last_problem) post_warning(element, problem);
  self.last_problem = problem;
  if (sprites.empty()) return;
  if (self.attach)
    attach(sprites, buffer);
  else if (canvas != nullptr)
    canvas->draw(sprites, self.info, buffer);
  else
    draw_on_pixels(sprites, self.info, buffer);
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  SightOverlay& self = self_of(base);
  try {
    const Blur blur = blur_of(self);
    if (blur != Blur::kNone) require_pixels(self);
    // Who switches something on meanwhile sees it from the next frame on: this one may be
    // another's.
    if (!gst_buffer_is_writable(buffer) || !may_draw(self, buffer)) return GST_FLOW_OK;
    hide_faces(self, blur, buffer);
    draw(GST_ELEMENT(base), buffer);
    return GST_FLOW_OK;
  } catch (const Error& error) {
    post_error(GST_ELEMENT(base), error);
  } catch (const std::exception& error) {
    post_error(GST_ELEMENT(base), Error(ErrorCode::kFailed, error.what()));
  }
  return GST_FLOW_ERROR;
}

gboolean stop(GstBaseTransform* base) {
  SightOverlay& self = self_of(base);
  self.painter = Painter();
  self.cuda_canvas.reset();
  self.last_problem.clear();
  return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SightOverlay& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropMode:
      self.mode = static_cast<GstSightOverlayMode>(g_value_get_enum(value));
      break;
    case kPropShowBoxes:
      self.style.boxes = g_value_get_boolean(value);
      break;
    case kPropShowLabels:
      self.style.labels = g_value_get_boolean(value);
      break;
    case kPropShowConfidence:
      self.style.confidence = g_value_get_boolean(value);
      break;
    case kPropShowTracks:
      self.style.tracks = g_value_get_boolean(value);
      break;
    case kPropShowClassifications:
      self.style.classifications = g_value_get_boolean(value);
      break;
    case kPropShowLandmarks:
      self.style.landmarks = g_value_get_boolean(value);
      break;
    case kPropShowMasks:
      self.style.masks = g_value_get_boolean(value);
      break;
    case kPropShowSkeletons:
      self.style.skeletons = g_value_get_boolean(value);
      break;
    case kPropShowSegmentation:
      self.style.segmentation = g_value_get_boolean(value);
      break;
    case kPropShowShapes:
      self.style.shapes = g_value_get_boolean(value);
      break;
    case kPropLineWidth:
      self.style.line_width = g_value_get_int(value);
      break;
    case kPropFont: {
      const char* font = g_value_get_string(value);
      self.style.font = font != nullptr ? font : OverlayStyle().font;
      break;
    }
    case kPropColorBy:
      self.style.color_by = static_cast<ColorBy>(g_value_get_enum(value));
      break;
    case kPropBlur:
      self.blur = static_cast<Blur>(g_value_get_enum(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SightOverlay& self = self_of(object);
  const std::lock_guard lock(self.mutex);
  switch (id) {
    case kPropMode:
      g_value_set_enum(value, self.mode);
      break;
    case kPropShowBoxes:
      g_value_set_boolean(value, self.style.boxes);
      break;
    case kPropShowLabels:
      g_value_set_boolean(value, self.style.labels);
      break;
    case kPropShowConfidence:
      g_value_set_boolean(value, self.style.confidence);
      break;
    case kPropShowTracks:
      g_value_set_boolean(value, self.style.tracks);
      break;
    case kPropShowClassifications:
      g_value_set_boolean(value, self.style.classifications);
      break;
    case kPropShowLandmarks:
      g_value_set_boolean(value, self.style.landmarks);
      break;
    case kPropShowMasks:
      g_value_set_boolean(value, self.style.masks);
      break;
    case kPropShowSkeletons:
      g_value_set_boolean(value, self.style.skeletons);
      break;
    case kPropShowSegmentation:
      g_value_set_boolean(value, self.style.segmentation);
      break;
    case kPropShowShapes:
      g_value_set_boolean(value, self.style.shapes);
      break;
    case kPropLineWidth:
      g_value_set_int(value, self.style.line_width);
      break;
    case kPropFont:
      g_value_set_string(value, self.style.font.c_str());
      break;
    case kPropColorBy:
      g_value_set_enum(value, static_cast<gint>(self.style.color_by));
      break;
    case kPropBlur:
      g_value_set_enum(value, static_cast<gint>(self.blur));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SIGHT_OVERLAY(object)->self;
  G_OBJECT_CLASS(gst_sight_overlay_parent_class)->finalize(object);
}

void install_properties(GObjectClass* klass) {
  constexpr auto kAnyTime = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  const OverlayStyle style;
  const auto add_switch = [&](Property id, const char* name, const char* nick, const char* blurb,
                              bool on = true) {
    g_object_class_install_property(klass, id,
                                    g_param_spec_boolean(name, nick, blurb, on, kAnyTime));
  };
  g_object_class_install_property(
      klass, kPropMode,
      g_param_spec_enum("mode", "Mode",
                        "blend: draw on the pixels, in the format as it is; in CUDA memory NV12, "
                        "RGBA and BGRA. attach: add a "
                        "GstVideoOverlayCompositionMeta and leave the pixels alone; fails to "
                        "negotiate if the next element refuses it. auto: attach if the next "
                        "element's answer to ALLOCATION lists that meta, else blend",
                        gst_sight_overlay_mode_get_type(), GST_SIGHT_OVERLAY_MODE_AUTO, kReady));
  add_switch(kPropShowBoxes, "show-boxes", "Show boxes",
             "Draw the box of each object, of an oriented one the turned box");
  add_switch(kPropShowLabels, "show-labels", "Show labels",
             "Write over each box the name that the gallery gave, \"unknown\" if it knew none, or "
             "the object's label if no gallery was asked");
  add_switch(kPropShowConfidence, "show-confidence", "Show confidence",
             "Add to a label the similarity (of an identity: cosine, -1 to 1) or the confidence "
             "(of a label: 0 to 1), with two digits");
  add_switch(kPropShowTracks, "show-tracks", "Show tracks",
             "Write the track's number in front of a label: \"#12 Ada\"", false);
  add_switch(kPropShowClassifications, "show-classifications", "Show classifications",
             "Write what later stages said of an object behind its label: \"car, black\"", false);
  add_switch(kPropShowLandmarks, "show-landmarks", "Show landmarks",
             "Draw a dot at each landmark of each object, but not where the network is less than "
             "0.5 sure of it");
  add_switch(kPropShowMasks, "show-masks", "Show masks",
             "Lay the object's colour over the pixels of its mask that are more likely than not "
             "its own");
  add_switch(
      kPropShowSkeletons, "show-skeletons", "Show skeletons",
      "Draw the limbs of a pose of COCO's 17 keypoints with confidences, where both ends are "
      "at least 0.5 sure");
  add_switch(kPropShowSegmentation, "show-segmentation", "Show segmentation",
             "Lay the colour of each pixel's class over it, where a sightinfer attached a map of "
             "classes (the tensor \"segmentation\")",
             false);
  add_switch(kPropShowShapes, "show-shapes", "Show shapes",
             "Draw the lines and polygons of the user data \"overlay\" of frames and objects: a "
             "GstStructure \"line\" or \"polygon\" (points=<x0,y0,x1,y1,...>, units=pixels or "
             "relative, color=#rrggbb or #rrggbbaa, width in pixels, label), or \"shapes\" with "
             "an array \"items\" of such. A wrong one posts a warning and is not drawn");
  g_object_class_install_property(
      klass, kPropLineWidth,
      g_param_spec_int("line-width", "Line width",
                       "Width of lines in pixels; landmarks are dots twice as wide. 0: a 360th of "
                       "the frame's height, at least 2",
                       0, 256, style.line_width, kAnyTime));
  g_object_class_install_property(
      klass, kPropFont,
      g_param_spec_string("font", "Font",
                          "Pango font description. Its size counts pixels in a frame of 1080 lines "
                          "and scales with the frame's height (8 to 500 pixels); without a size 26",
                          style.font.c_str(), kAnyTime));
  g_object_class_install_property(
      klass, kPropColorBy,
      g_param_spec_enum("color-by", "Color by",
                        "What chooses an object's colour. identity: the person, grey for unknown "
                        "ones, the class if no gallery was asked. track: the track, the class of "
                        "what has none. class: the class number",
                        gst_sight_overlay_color_by_get_type(), static_cast<gint>(style.color_by),
                        kAnyTime));
  g_object_class_install_property(
      klass, kPropBlur,
      g_param_spec_enum("blur", "Blur",
                        "Whose faces are made unrecognisable in the pixels, under all that is "
                        "drawn: none, unknown (no identity, or one that says unknown), all. A face "
                        "is what is labelled \"face\", has an identity, or has landmarks that are "
                        "no pose of COCO's 17 keypoints; its box, 15 % around it and its landmarks "
                        "become at most 6 by 6 patches of one colour. Of a face that no stage "
                        "found, nothing is hidden: with a detector's interval, put sighttrack "
                        "behind it. In mode=attach, too; frames in CUDA memory are an error",
                        gst_sight_overlay_blur_get_type(), GST_SIGHT_OVERLAY_BLUR_NONE, kAnyTime));
}

}  // namespace
}  // namespace sightline

static void gst_sight_overlay_init(GstSightOverlay* element) {
  element->self = new sightline::SightOverlay();
  // BaseTransform sees an element that passes buffers through, so it asks for no pool of its own
  // and forwards ALLOCATION; submit_input_buffer() makes writable what will be changed.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(element), TRUE);
}

static void gst_sight_overlay_class_init(GstSightOverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_sight_overlay_debug, "sightoverlay", 0, "Sightline: drawing results");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sightline::set_property;
  object_class->get_property = sightline::get_property;
  object_class->finalize = sightline::finalize;
  sightline::install_properties(object_class);
  gst_type_mark_as_plugin_api(gst_sight_overlay_mode_get_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(gst_sight_overlay_color_by_get_type(),
                              static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(gst_sight_overlay_blur_get_type(), static_cast<GstPluginAPIFlags>(0));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Sightline overlay", "Filter/Editor/Video",
      "Draws the objects that a buffer carries: boxes, names, landmarks, lines and polygons; on "
      "the "
      "pixels in the format as it is, or attached for a sink that composes",
      "The Sightline authors");
  GstCaps* caps = gst_caps_from_string(sightline::kTemplate);
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);

  GstBaseTransformClass* base_class = GST_BASE_TRANSFORM_CLASS(klass);
  base_class->transform_caps = sightline::transform_caps;
  base_class->fixate_caps = sightline::fixate_caps;
  base_class->set_caps = sightline::set_caps;
  base_class->submit_input_buffer = sightline::submit_input_buffer;
  base_class->transform_ip = sightline::transform_ip;
  base_class->stop = sightline::stop;
}
