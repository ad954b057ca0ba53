// SPDX-License-Identifier: LGPL-2.1-or-later

#include "clip.h"

#include <stdexcept>

#include <gst/app/gstappsink.h>

namespace sightline::bench {

Clip::Clip(const std::string& path) {
  const Ptr<GstElement> pipeline =
      parse_pipeline("filesrc location=\"" + path +
                     "\" ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! "
                     "appsink name=out sync=false");
  const Ptr<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  if (gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    throw std::runtime_error(path + " cannot be read as H.264");
  }
  while (GstSample* const sample = gst_app_sink_pull_sample(GST_APP_SINK(out.get()))) {
    if (caps_.empty()) {
      GstCaps* const caps = gst_caps_copy(gst_sample_get_caps(sample));
      gst_structure_remove_field(gst_caps_get_structure(caps, 0), "framerate");
      gchar* const text = gst_caps_to_string(caps);
      caps_ = text;
      g_free(text);
      gst_caps_unref(caps);
    }
    GstBuffer* const unit = gst_buffer_copy_deep(gst_sample_get_buffer(sample));
    GST_BUFFER_PTS(unit) = GST_BUFFER_DTS(unit) = GST_BUFFER_DURATION(unit) = GST_CLOCK_TIME_NONE;
    units_.emplace_back(unit);
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  throw_error_of(pipeline.get());
  if (units_.empty()) throw std::runtime_error(path + ": no frame of H.264 in it");
}

Frames Clip::frames() const {
  return {caps_, [this](std::uint64_t number) {
            return units_[static_cast<std::size_t>(number % units_.size())].get();
          }};
}

double Clip::bits_a_frame() const {
  double bytes = 0;
  for (const auto& unit : units_) bytes += static_cast<double>(gst_buffer_get_size(unit.get()));
  return 8 * bytes / static_cast<double>(units_.size());
}

}  // namespace sightline::bench
