// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/pipeline.h"

#include <map>

#include <gst/pbutils/missing-plugins.h>
#include <gst/pbutils/pbutils.h>

#include "core/error.h"

namespace sightline {

namespace {

bool is_missing_plugin(GstMessage* message) {
  return GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && gst_is_missing_plugin_message(message);
}

std::string advice(const GError* error) {
  if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
    return " Make room, or choose another place.";
  if (g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND) ||
      g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    return " The Debian packages gstreamer1.0-libav, gstreamer1.0-plugins-good and "
           "gstreamer1.0-plugins-bad bring most decoders.";
  return "";
}

// What GStreamer says to programmers after the file, line and function that said it.
std::string last_line(const char* debug) {
  if (debug == nullptr) return "";
  const std::string text(debug);
  const std::size_t line = text.find('\n');
  return line == std::string::npos ? ""
                                   : text.substr(line + 1, text.find('\n', line + 1) - line - 1);
}

void on_pad_added(GstElement*, GstPad* pad, gpointer sink) {
  CapsPtr caps(gst_pad_get_current_caps(pad));
  if (caps == nullptr) caps.reset(gst_pad_query_caps(pad, nullptr));
  const GstStructure* structure =
      gst_caps_get_size(caps.get()) == 0 ? nullptr : gst_caps_get_structure(caps.get(), 0);
  if (structure == nullptr || !gst_structure_has_name(structure, "video/x-raw")) return;
  const PadPtr target(gst_element_get_static_pad(GST_ELEMENT(sink), "sink"));
  if (!gst_pad_is_linked(target.get())) gst_pad_link(pad, target.get());
}

void on_no_more_pads(GstElement* source, gpointer sink) {
  const PadPtr target(gst_element_get_static_pad(GST_ELEMENT(sink), "sink"));
  if (gst_pad_is_linked(target.get())) return;
  GST_ELEMENT_ERROR(source, STREAM, WRONG_TYPE, ("There is no video in it."), (nullptr));
}

gboolean decode_further(GstElement*, GstPad*, GstCaps* caps, gpointer) {
  return g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "audio/") ==
         FALSE;
}

}  // namespace

void prepare_gstreamer(const std::filesystem::path& plugin) {
  GError* raw = nullptr;
  if (!gst_init_check(nullptr, nullptr, &raw)) {
    const ErrorPtr error(raw);
    throw Error(ErrorCode::kFailed, std::string("GStreamer does not start: ") +
                                        (error ? error->message : "no reason given") + ".");
  }
  gst_pb_utils_init();
  const PluginPtr loaded(gst_plugin_load_file(plugin.c_str(), &raw));
  if (loaded == nullptr) {
    const ErrorPtr error(raw);
    throw Error(ErrorCode::kNotFound, plugin.string() +
                                          ": Sightline's elements cannot be loaded: " +
                                          (error ? error->message : "no reason given") +
                                          ". Build or install sightline again.");
  }
  // Not used by default in GStreamer 1.22, but it alone reads which way up a JPEG file is.
  const FactoryPtr jpegparse(gst_element_factory_find("jpegparse"));
  if (jpegparse != nullptr)
    gst_plugin_feature_set_rank(GST_PLUGIN_FEATURE(jpegparse.get()), GST_RANK_PRIMARY + 1);
}

std::string package_of(const std::string& factory) {
  static const std::map<std::string, std::string> packages = {
      {"appsrc", "gstreamer1.0-plugins-base"},
      {"appsink", "gstreamer1.0-plugins-base"},
      {"decodebin", "gstreamer1.0-plugins-base"},
      {"uridecodebin", "gstreamer1.0-plugins-base"},
      {"videoconvert", "gstreamer1.0-plugins-base"},
      {"videoscale", "gstreamer1.0-plugins-base"},
      {"videoflip", "gstreamer1.0-plugins-good"},
      {"videocrop", "gstreamer1.0-plugins-good"},
      {"jpegdec", "gstreamer1.0-plugins-good"},
      {"jpegenc", "gstreamer1.0-plugins-good"},
      {"pngdec", "gstreamer1.0-plugins-good"},
      {"pngenc", "gstreamer1.0-plugins-good"},
      {"mp4mux", "gstreamer1.0-plugins-good"},
      {"matroskamux", "gstreamer1.0-plugins-good"},
      {"qtdemux", "gstreamer1.0-plugins-good"},
      {"rtspsrc", "gstreamer1.0-plugins-good"},
      {"souphttpsrc", "gstreamer1.0-plugins-good"},
      {"v4l2src", "gstreamer1.0-plugins-good"},
      {"autovideosink", "gstreamer1.0-plugins-good"},
      {"xvimagesink", "gstreamer1.0-x"},
      {"textoverlay", "gstreamer1.0-x"},
      {"compositor", "gstreamer1.0-plugins-base"},
      {"jpegparse", "gstreamer1.0-plugins-bad"},
      {"h264parse", "gstreamer1.0-plugins-bad"},
      {"openh264enc", "gstreamer1.0-plugins-bad"},
      {"webpdec", "gstreamer1.0-plugins-bad"},
      {"x264enc", "gstreamer1.0-plugins-ugly"},
      {"avdec_h264", "gstreamer1.0-libav"},
      {"avdec_h265", "gstreamer1.0-libav"},
  };
  const auto found = packages.find(factory);
  return found == packages.end() ? "" : found->second;
}

std::string describe(GstMessage* message) {
  if (is_missing_plugin(message)) {
    const TextPtr what(gst_missing_plugin_message_get_description(message));
    return std::string("needs a ") + what.get() + ", which is not installed.";
  }
  GError* raw = nullptr;
  char* raw_debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning(message, &raw, &raw_debug);
  else
    gst_message_parse_error(message, &raw, &raw_debug);
  const ErrorPtr error(raw);
  const TextPtr debug(raw_debug);
  std::string text = error->message;
  const std::string details = last_line(debug.get());
  if (!details.empty() && text.find(details) == std::string::npos) text += " (" + details + ")";
  return text + advice(error.get());
}

void link_video_pad(GstElement* source, GstElement* sink) {
  g_signal_connect(source, "pad-added", G_CALLBACK(on_pad_added), sink);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_pads), sink);
  g_signal_connect(source, "autoplug-continue", G_CALLBACK(decode_further), nullptr);
}

CapsPtr readable_caps() {
  return CapsPtr(gst_caps_from_string(
      "video/x-raw, format = (string) { NV12, I420, YV12, NV21, YUY2, UYVY, RGB, BGR, RGBA, BGRA, "
      "RGBx, BGRx, ARGB, GRAY8 }"));
}

Pipeline::Pipeline()
    : pipeline_(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr)))),
      bus_(gst_element_get_bus(pipeline_.get())) {}

Pipeline::~Pipeline() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

GstElement* Pipeline::add(const char* factory, const char* name) {
  GstElement* element = gst_element_factory_make(factory, name);
  if (element == nullptr) {
    const std::string package = package_of(factory);
    throw Error(ErrorCode::kNotFound,
                std::string("GStreamer's element ") + factory + " is not installed. " +
                    (package.empty() ? "`sightline doctor` says what is missing."
                                     : "Install the Debian package " + package + "."));
  }
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

GstElement* Pipeline::add_fragment(const std::string& description) {
  GError* raw = nullptr;
  // The added element takes caps at the end, and waits for pads that come later. Only its pad
  // becomes the bin's: an input inside that waits for a demuxer's pad is unlinked, too.
  GstElement* bin = gst_parse_bin_from_description_full(
      (description + " ! identity").c_str(), FALSE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
  const ErrorPtr error(raw);
  if (bin == nullptr)
    throw Error(ErrorCode::kInput,
                description + ": " + (error ? error->message : "is no pipeline") +
                    ". Expected a fragment as gst-launch-1.0 takes it, whose end "
                    "gives video: without a sink.");
  gst_bin_add(GST_BIN(pipeline_.get()), bin);
  const PadPtr open_end(gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SRC));
  gst_element_add_pad(bin, gst_ghost_pad_new("src", open_end.get()));
  return bin;
}

void Pipeline::link(std::initializer_list<GstElement*> elements) {
  GstElement* before = nullptr;
  for (GstElement* element : elements) {
    if (before != nullptr && !gst_element_link(before, element)) {
      const TextPtr from(gst_element_get_name(before)), to(gst_element_get_name(element));
      throw Error(ErrorCode::kFailed,
                  std::string(from.get()) + " cannot be linked to " + to.get() + ".");
    }
    before = element;
  }
}

GstElement* Pipeline::download_behind(GstElement* last) {
  if (FactoryPtr(gst_element_factory_find("cudadownload")) == nullptr) return last;
  GstElement* download = add("cudadownload");
  link({last, download});
  return download;
}

GstStateChangeReturn Pipeline::set_state(GstState state, const std::string& subject) {
  const GstStateChangeReturn result = gst_element_set_state(pipeline_.get(), state);
  if (result == GST_STATE_CHANGE_FAILURE) {
    throw_pending_error(subject);
    throw Error(ErrorCode::kFailed, subject + ": the pipeline does not start.");
  }
  return result;
}

void Pipeline::throw_pending_error(const std::string& subject) const {
  const MessagePtr message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (message == nullptr) return;
  throw Error(ErrorCode::kFailed, subject + ": " + describe(message.get()));
}

}  // namespace sightline
