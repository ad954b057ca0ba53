// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/element_error.h"

namespace sightline {
namespace {

struct BusCode {
  GQuark domain;
  gint code;
};

BusCode bus_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConfig:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    case ErrorCode::kModel:
    case ErrorCode::kGallery:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
    case ErrorCode::kDevice:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ};
    case ErrorCode::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::kInput:
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
    case ErrorCode::kReadOnly:
    case ErrorCode::kFailed:
      break;
  }
  return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
}

}  // namespace

void post_error(GstElement* element, const Error& error) {
  const BusCode bus = bus_code(error.code());
  gst_element_message_full(element, GST_MESSAGE_ERROR, bus.domain, bus.code,
                           g_utf8_make_valid(error.what(), -1), nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

void post_warning(GstElement* element, const std::string& text) {
  gst_element_message_full(element, GST_MESSAGE_WARNING, GST_LIBRARY_ERROR,
                           GST_LIBRARY_ERROR_FAILED, g_utf8_make_valid(text.c_str(), -1), nullptr,
                           __FILE__, GST_FUNCTION, __LINE__);
}

void post_info(GstElement* element, const std::string& text) {
  gst_element_message_full(element, GST_MESSAGE_INFO, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                           g_utf8_make_valid(text.c_str(), -1), nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

}  // namespace sightline
