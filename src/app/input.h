// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What INPUT on the command line means.

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sightline {

enum class InputKind {
  kFile,     // a clip or a picture on disk
  kAddress,  // rtsp://, http:// and whatever else GStreamer can open
  kCamera,   // /dev/video0
  kFragment  // a piece of a pipeline that gives video: "videotestsrc num-buffers=100"
};

struct Input {
  InputKind kind = InputKind::kFile;
  std::string text;  // path, address, device or fragment
  std::string name;  // as the stream's name: what people chose, else `text` without a password

  // For lines about it: `name`, of a long fragment the beginning.
  std::string label() const;
};

// A file, a glob, a folder, an address, a camera or a fragment; globs and folders become their
// files, in order of their names. An existing file is one, whatever its name looks like. Of a
// folder, files that hold neither picture nor video are passed over. Throws Error that names the
// text and what could have been meant; GStreamer must be initialised.
std::vector<Input> resolve_input(const std::string& text);

// Whether it gives frames at its own pace, as cameras do, so that whoever is too slow has to leave
// some out. Known before it is opened; GStreamer must be initialised.
bool is_live(const Input& input);

// Paths of pictures: as resolve_input(), but nothing else than files makes sense.
std::vector<std::string> resolve_pictures(std::span<const std::string> texts);

// An address as it may be shown.
std::string without_password(const std::string& address);

// An address, without looking whether anything answers. Throws Error that names it if nothing here
// opens such addresses.
Input input_at(const std::string& address);

// What a file holds by its first bytes.
struct Content {
  std::string type;           // "image/jpeg", "video/quicktime"; empty if nobody knows
  int width = 0, height = 0;  // of a picture, where its first bytes tell
};

// Throws Error that names the file: not there, not readable, empty, a folder.
Content content_of(const std::filesystem::path& path);

// Whether a file is worth opening, rather than a text or sound that lies beside pictures. What
// can't be read is, so that whoever opens it says what is wrong.
bool holds_video_or_picture(const std::filesystem::path& path);

}  // namespace sightline
