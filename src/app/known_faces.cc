// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/known_faces.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <utility>

#include <glib.h>

#include "gallery/contents.h"
#include "gallery/dot_products.h"

namespace sightline {

namespace {

constexpr std::size_t kHashDigits = 16;

// Null if there is none yet.
std::unique_ptr<Gallery> gallery_at(const std::string& location) {
  std::error_code ignored;
  if (!is_database_url(location) && !std::filesystem::exists(location, ignored)) return nullptr;
  try {
    return Gallery::open(location, Gallery::Mode::kReadOnly);
  } catch (const Error& error) {  // a database without a gallery
    if (error.code() != ErrorCode::kNotFound) throw;
    return nullptr;
  }
}

}  // namespace

std::string hash_in(const std::string& source) {
  const std::size_t mark = source.rfind('#');
  const bool has_hash = mark != std::string::npos && source.size() - mark - 1 == kHashDigits;
  return has_hash ? source.substr(mark + 1) : "";
}

std::string source_of(const std::filesystem::path& file, const std::string& hash) {
  const std::string name = file.filename().string();
  return hash.empty() ? name : name + "#" + hash;
}

std::string content_hash(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::unique_ptr<GChecksum, decltype(&g_checksum_free)> sum(
      g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  std::vector<char> part(1 << 16);
  bool any = false;
  while (stream.read(part.data(), static_cast<std::streamsize>(part.size())), stream.gcount() > 0) {
    any = true;
    g_checksum_update(sum.get(), reinterpret_cast<const guchar*>(part.data()), stream.gcount());
  }
  return any ? std::string(g_checksum_get_string(sum.get())).substr(0, kHashDigits) : "";
}

KnownFaces::KnownFaces(const std::string& location) {
  const auto gallery = gallery_at(location);
  if (gallery == nullptr) return;
  model_ = gallery->fingerprint();
  // Of one moment: somebody may be removed meanwhile.
  const auto contents = gallery->contents(Gallery::Pictures::kLeftOut);
  for (ExchangedRow row; contents->next(row);)
    if (row.embedding) add(row.person.name, row.embedding->values, hash_in(row.embedding->source));
}

bool KnownFaces::has_picture(const std::string& person, const std::string& hash) const {
  const auto found = numbers_.find(person);
  return !hash.empty() && found != numbers_.end() && pictures_.contains({found->second, hash});
}

std::optional<KnownFaces::Resemblance> KnownFaces::nearest_other(
    const std::string& person, std::span<const float> unit) const {
  const auto own = numbers_.find(person);
  std::vector<float> similarities(owners_.size());
  dot_products(rows_, unit, similarities);
  std::optional<std::size_t> nearest;
  for (std::size_t row = 0; row < owners_.size(); ++row) {
    if (own != numbers_.end() && owners_[row] == own->second) continue;
    if (!nearest || similarities[row] > similarities[*nearest]) nearest = row;
  }
  if (!nearest) return std::nullopt;
  return Resemblance{names_[owners_[*nearest]], similarities[*nearest]};
}

std::vector<Embedding> KnownFaces::views_of(const std::string& person) const {
  std::vector<Embedding> views;
  const auto own = numbers_.find(person);
  if (own == numbers_.end()) return views;
  const std::size_t width = rows_.size() / owners_.size();
  for (std::size_t row = 0; row < owners_.size(); ++row)
    if (owners_[row] == own->second)
      views.emplace_back(rows_.begin() + static_cast<std::ptrdiff_t>(row * width),
                         rows_.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
  return views;
}

void KnownFaces::add(const std::string& person, const Embedding& unit, const std::string& hash) {
  const auto [found, is_new] = numbers_.try_emplace(person, names_.size());
  if (is_new) names_.push_back(person);
  owners_.push_back(found->second);
  rows_.insert(rows_.end(), unit.begin(), unit.end());
  if (!hash.empty()) pictures_.emplace(found->second, hash);
}

}  // namespace sightline
