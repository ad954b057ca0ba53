// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A gallery's contents as a JSON document and as JSON Lines, for other programs and for moving
// persons between galleries. docs/gallery.md describes the formats.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gallery/contents.h"

namespace sightline {

// Of a text or an archive that is read at once, and of a line, in bytes. The longest line has a
// thumbnail and a crop of the largest size, and an embedding of the most dimensions.
inline constexpr std::size_t kLargestDocument = std::size_t{1} << 30;
inline constexpr std::size_t kLongestLine = std::size_t{8} << 20;

std::string to_json(const GalleryDocument& document);

// Throws Error(kGallery) that says where in the document what is wrong. What comes back has passed
// all checks that need no gallery: clean names, each once, vectors of unit length and of the
// model's dimensions.
GalleryDocument from_json(const std::string& text);

// JSON Lines: the first says which model it is, each other one has one embedding, in base64, with
// its person. For galleries that are too large for one document.
void write_json_lines(GalleryContents& contents,
                      const std::function<void(std::string_view)>& write);
// `next_line` is as TextStream::next_line(). Throws as from_json(), now and by next(), with the
// line; `name`, of the file, begins the message.
std::unique_ptr<GalleryContents> read_json_lines(std::function<bool(std::string&)> next_line,
                                                 std::string name);

// Whether a text that begins so is such lines rather than a document.
bool is_json_lines(std::string_view beginning);

}  // namespace sightline
