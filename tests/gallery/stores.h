// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a gallery can be stored in, so that one set of tests holds for all.

#pragma once

#include <memory>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {

enum class StoreKind { kSqlite, kPostgresql };

// Room for one gallery, which is not there yet.
class Store {
 public:
  virtual ~Store() = default;
  virtual std::string location() const = 0;
  // Whether the bytes are anywhere in the files; of PostgreSQL's own log nothing is promised.
  virtual bool has_bytes(std::span<const std::uint8_t> bytes) = 0;
  // Another program is in the middle of reading, as long as what comes back is there.
  virtual std::shared_ptr<void> hold_snapshot() = 0;

  bool has_bytes(const std::string& text);
  bool has_bytes(const std::vector<float>& vector);
};

std::unique_ptr<Store> make_store(StoreKind kind);

// A test for each kind; skipped where the kind is not there.
class StoreTest : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override;

  std::unique_ptr<Gallery> open(Gallery::Mode mode = Gallery::Mode::kReadWrite) const {
    return Gallery::open(location_, mode);
  }

  std::unique_ptr<Store> store_;
  std::string location_;
  std::unique_ptr<Gallery> gallery_;  // of kModel
};

std::string store_name(const testing::TestParamInfo<StoreKind>& info);

#define SIGHTLINE_FOR_ALL_STORES(suite) \
  INSTANTIATE_TEST_SUITE_P(             \
      Stores, suite, testing::Values(StoreKind::kSqlite, StoreKind::kPostgresql), store_name)

}  // namespace sightline
