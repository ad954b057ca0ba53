// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/input.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>

#include <glob.h>

#include <gst/base/gstbasesrc.h>
#include <gst/base/gsttypefindhelper.h>

#include "app/gst_pointer.h"
#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHeadBytes = 1 << 16;  // enough for every type that is known by its beginning
constexpr glong kLongestLabel = 60;          // characters

bool begins_with(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}

bool is_address(const std::string& text) {
  static const std::regex scheme("^[a-zA-Z][a-zA-Z0-9+.-]*://.*");
  return std::regex_match(text, scheme);
}

bool is_live_address(const std::string& text) {
  static const std::regex live("^(rtsps?[uth]?|rtmps?|srt|udp|rtp|rist|mms[hut]?|v4l2)://.*",
                               std::regex::icase);
  return std::regex_match(text, live);
}

// Of a bin's element.
bool is_live_source(GstElement* element) {
  const auto has = [&](const char* property) {
    return g_object_class_find_property(G_OBJECT_GET_CLASS(element), property) != nullptr;
  };
  if (GST_IS_BASE_SRC(element) && gst_base_src_is_live(GST_BASE_SRC(element))) return true;
  GstElementFactory* factory = gst_element_get_factory(element);
  if (factory != nullptr && g_str_equal(GST_OBJECT_NAME(factory), "rtspsrc")) return true;
  if (has("is-live")) {  // imagefreeze, which is no source
    gboolean live = FALSE;
    g_object_get(element, "is-live", &live, nullptr);
    return live != FALSE;
  }
  if (!has("uri")) return false;
  char* uri = nullptr;
  g_object_get(element, "uri", &uri, nullptr);
  const TextPtr address(uri);
  return address != nullptr && is_live_address(address.get());
}

bool is_live_fragment(const std::string& description) {
  GError* raw = nullptr;
  const std::string closed = description + " ! identity";  // takes caps at the end
  const ElementPtr bin(gst_parse_bin_from_description(closed.c_str(), FALSE, &raw));
  const ErrorPtr error(raw);
  if (bin == nullptr) return false;  // running it says why
  gst_object_ref_sink(bin.get());
  const Owned<GstIterator> elements(gst_bin_iterate_recurse(GST_BIN(bin.get())));
  const auto look = [](const GValue* value, gpointer live) {
    if (is_live_source(GST_ELEMENT(g_value_get_object(value)))) *static_cast<bool*>(live) = true;
  };
  bool live = false;
  gst_iterator_foreach(elements.get(), look, &live);
  return live;
}

std::string cameras() {
  glob_t found{};
  std::string names;
  if (glob("/dev/video*", 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      names += (i == 0 ? "" : ", ") + std::string(found.gl_pathv[i]);
  globfree(&found);
  return names;
}

Input camera(const std::string& text) {
  std::error_code ignored;
  if (fs::exists(text, ignored)) return {InputKind::kCamera, text, text};
  const std::string found = cameras();
  throw Error(ErrorCode::kDevice,
              text + ": no such camera. " +
                  (found.empty() ? "No camera is connected." : "Found: " + found + "."));
}

// A word that names an element begins a fragment, and so does anything that links elements.
bool is_fragment(const std::string& text) {
  if (text.find(" ! ") != std::string::npos) return true;
  const std::string word = text.substr(0, text.find(' '));
  if (word.find('/') != std::string::npos) return false;
  return FactoryPtr(gst_element_factory_find(word.c_str())) != nullptr;
}

bool is_glob(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

Input file(const std::string& path) { return {InputKind::kFile, path, path}; }

std::vector<Input> files_of(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file() && entry.path().filename().string().front() != '.')
      names.push_back(entry.path().string());
  if (error) throw Error(ErrorCode::kInput, folder.string() + ": " + error.message() + ".");
  std::ranges::sort(names);
  std::vector<Input> inputs;
  for (const std::string& name : names)
    if (holds_video_or_picture(name)) inputs.push_back(file(name));
  if (inputs.empty())
    throw Error(ErrorCode::kInput, folder.string() + ": no picture and no clip in this folder.");
  return inputs;
}

std::vector<Input> files_like(const std::string& pattern) {
  glob_t found{};
  std::vector<Input> inputs;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (std::error_code ignored; fs::is_regular_file(found.gl_pathv[i], ignored))
        inputs.push_back(file(found.gl_pathv[i]));
  globfree(&found);
  if (inputs.empty()) throw Error(ErrorCode::kNotFound, pattern + ": no file has such a name.");
  return inputs;
}

std::vector<Input> existing(const std::string& text, fs::file_type type) {
  switch (type) {
    case fs::file_type::regular:
    case fs::file_type::fifo:
      return {file(text)};
    case fs::file_type::directory:
      return files_of(text);
    case fs::file_type::character:
      if (begins_with(text, "/dev/video")) return {camera(text)};
      [[fallthrough]];
    default:
      throw Error(ErrorCode::kInput, text + ": neither a file nor a folder nor a camera.");
  }
}

}  // namespace

std::string without_password(const std::string& address) {
  static const std::regex credentials("^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#]*@");
  return std::regex_replace(address, credentials, "$1");
}

std::string Input::label() const {
  if (kind != InputKind::kFragment || g_utf8_strlen(name.c_str(), -1) <= kLongestLabel) return name;
  return name.substr(0, g_utf8_offset_to_pointer(name.c_str(), kLongestLabel) - name.c_str()) + "…";
}

std::vector<Input> resolve_input(const std::string& text) {
  std::error_code ignored;
  const fs::file_status status = fs::status(text, ignored);
  if (fs::exists(status)) return existing(text, status.type());
  if (begins_with(text, "/dev/video")) return {camera(text)};
  if (is_address(text)) return {input_at(text)};
  if (is_fragment(text)) return {{InputKind::kFragment, text, text}};
  if (is_glob(text)) return files_like(text);
  throw Error(ErrorCode::kNotFound, text + ": no such file.");
}

Input input_at(const std::string& address) {
  Input input{InputKind::kAddress, address, without_password(address)};
  const TextPtr scheme(gst_uri_get_protocol(address.c_str()));
  if (!gst_uri_is_valid(address.c_str()) ||
      !gst_uri_protocol_is_supported(GST_URI_SRC, scheme.get()))
    throw Error(ErrorCode::kInput,
                input.name +
                    ": nothing here opens such an address. rtsp:// and http:// need the "
                    "Debian package gstreamer1.0-plugins-good.");
  return input;
}

bool is_live(const Input& input) {
  switch (input.kind) {
    case InputKind::kFile:
      return false;
    case InputKind::kAddress:
      return is_live_address(input.text);
    case InputKind::kCamera:
      return true;
    case InputKind::kFragment:
      return is_live_fragment(input.text);
  }
  return false;
}

std::vector<std::string> resolve_pictures(std::span<const std::string> texts) {
  std::vector<std::string> paths;
  for (const std::string& text : texts) {
    std::error_code ignored;
    if (!fs::exists(text, ignored) && !is_glob(text)) {
      paths.push_back(text);  // whoever reads it says that it is not there, and goes on
      continue;
    }
    for (const Input& input : resolve_input(text)) {
      if (input.kind != InputKind::kFile)
        throw Error(ErrorCode::kInput, input.name + ": not a picture on disk.");
      paths.push_back(input.text);
    }
  }
  return paths;
}

bool holds_video_or_picture(const fs::path& path) {
  try {
    const std::string type = content_of(path).type;
    return !type.empty() && !begins_with(type, "text/") && !begins_with(type, "audio/") &&
           !begins_with(type, "application/");
  } catch (const Error&) {
    return true;
  }
}

Content content_of(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    throw Error(ErrorCode::kInput, path.string() + ": is a folder, not a picture or clip.");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ErrorCode::kNotFound, path.string() + ": " + std::strerror(errno) + ".");
  std::string head(kHeadBytes, '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(stream.gcount()));
  if (head.empty())
    throw Error(ErrorCode::kInput, path.string() + ": is empty. Copy or download it again.");
  // The name says what is tried first; with thousands of pictures it counts not to try everything.
  const std::string extension = path.extension().string();
  const CapsPtr caps(gst_type_find_helper_for_data_with_extension(
      nullptr, reinterpret_cast<const guint8*>(head.data()), head.size(),
      extension.empty() ? nullptr : extension.c_str() + 1, nullptr));
  if (caps == nullptr) return {};
  const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  Content content{gst_structure_get_name(structure)};
  gst_structure_get_int(structure, "width", &content.width);
  gst_structure_get_int(structure, "height", &content.height);
  return content;
}

}  // namespace sightline
