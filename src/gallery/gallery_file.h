// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The gallery's file format (docs/gallery.md): its tables, what a sound file looks like, and the
// rules that names and vectors obey.

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gallery/gallery.h"
#include "gallery/sqlite.h"

namespace sightline {

inline constexpr int kMaxDimensions = 65536;
inline constexpr int kMaxNameCharacters = 200;
inline constexpr std::size_t kMaxSourceBytes = 4096;
inline constexpr std::size_t kMaxThumbnailBytes = 1 << 20;

// Beside a gallery's file, under its name with this at the end, may be an index that is made of it.
// Removing a person deletes it: it is rebuilt.
inline constexpr char kIndexSuffix[] = ".index";

// Opens a gallery, makes sure that it is one and brings it up to this version. Throws as
// Gallery::open promises.
std::unique_ptr<SqliteDatabase> open_gallery_file(const std::filesystem::path& path,
                                                  Gallery::Mode mode,
                                                  int patience = Database::kDefaultPatience);

// "3f2a91bc… (face-embed, 128-d)"
std::string describe(const ModelFingerprint& model);

// A name as it is stored: composed (NFC) and trimmed. Throws Error(kInput) if it is empty, longer
// than kMaxNameCharacters, not UTF-8, or has control characters or line breaks in it.
std::string clean_name(const std::string& name);
bool is_utf8(const std::string& text);
std::string valid_utf8(const std::string& text);  // what is not UTF-8 replaced by U+FFFD

// Throw Error(kInput) with what is expected.
void require_plausible(const ModelFingerprint& model);
void require_source(const std::string& source);
void require_thumbnail(std::span<const std::uint8_t> thumbnail);  // JPEG, or nothing

void require_crop(const FaceCrop& crop);

// float32, little endian.
std::vector<std::uint8_t> encode_vector(std::span<const float> values);
// Writes `into.size()` values; false if the blob has another length, or its vector not unit length.
bool decode_vector(std::span<const std::uint8_t> blob, std::span<float> into);
bool is_unit_length(std::span<const float> values);
std::vector<std::uint8_t> encode_points(std::span<const Point> points);
std::vector<Point> decode_points(std::span<const std::uint8_t> blob);

// The current time, "2026-01-31T23:59:59Z", and whether a text is one, of a day that there is.
std::string time_now();
bool is_time(const std::string& text);

}  // namespace sightline
