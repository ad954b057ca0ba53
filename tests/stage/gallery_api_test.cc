// SPDX-License-Identifier: LGPL-2.1-or-later
//
// include/sightline/gallery.h as a C program uses it.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <thread>

#include <sightline/gallery.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "../gallery/scratch.h"
#include "../meta/gerror_matcher.h"
#include "../patience.h"
#include "critical.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct Unref {
  void operator()(SightGallery* it) const { sight_gallery_unref(it); }
  void operator()(SightIdentity* it) const { sight_identity_unref(it); }
  void operator()(SightTensor* it) const { sight_tensor_unref(it); }
};
using GalleryPtr = std::unique_ptr<SightGallery, Unref>;
using IdentityPtr = std::unique_ptr<SightIdentity, Unref>;
using TensorPtr = std::unique_ptr<SightTensor, Unref>;

constexpr int kDimensions = 16;

TensorPtr tensor(const std::vector<float>& values) {
  const gint64 shape[] = {static_cast<gint64>(values.size())};
  GBytes* bytes = g_bytes_new(values.data(), values.size() * sizeof(float));
  TensorPtr result(sight_tensor_new("embedding", SIGHT_ELEMENT_FLOAT32, shape, 1, bytes, nullptr));
  g_bytes_unref(bytes);
  return result;
}

struct Stored {
  std::string name;
  std::vector<float> values;
};

// `persons` people with three embeddings each.
std::vector<Stored> fill(const fs::path& path, unsigned persons) {
  std::vector<Stored> all;
  const auto gallery = make_gallery(path);
  gallery->begin();
  for (unsigned person = 0; person < persons; ++person) {
    const std::string name = "Person " + std::to_string(person);
    const std::string id = gallery->add_person(name).id;
    for (unsigned i = 0; i < 3; ++i) {
      all.push_back({name, unit_vector(100 * person + i, kDimensions)});
      gallery->add_embedding(id, all.back().values, "a.jpg", {});
    }
  }
  gallery->commit();
  return all;
}

// By the definition: each person's best cosine, the best person and the second.
struct Expected {
  std::string name;
  double similarity = -1, second = -1;
};

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return product / std::sqrt(aa * bb);
}

Expected nearest_person(const std::vector<Stored>& all, const std::vector<float>& query) {
  std::map<std::string, double> best;
  for (const Stored& stored : all) {
    const double similarity = cosine(stored.values, query);
    const auto [place, fresh] = best.emplace(stored.name, similarity);
    if (!fresh) place->second = std::max(place->second, similarity);
  }
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [name, similarity] : best) ranked.emplace_back(similarity, name);
  std::sort(ranked.rbegin(), ranked.rend());
  return {ranked[0].second, ranked[0].first, ranked[1].first};
}

std::string text(const char* words) { return words == nullptr ? "(null)" : words; }

class GalleryApi : public testing::Test {
 protected:
  GalleryPtr open(float threshold = 0.5f, float margin = 0) const {
    GError* error = nullptr;
    GalleryPtr gallery(sight_gallery_open(path_.c_str(), threshold, margin, &error));
    EXPECT_EQ(error, nullptr) << error->message;
    return gallery;
  }

  static IdentityPtr identify(const GalleryPtr& gallery, const std::vector<float>& values) {
    GError* error = nullptr;
    IdentityPtr identity(sight_gallery_identify(gallery.get(), tensor(values).get(), &error));
    EXPECT_EQ(error, nullptr) << error->message;
    return identity;
  }

  void expect_refused(SightError code, const fs::path& path, const char* words) {
    expect_error(code, path.filename().c_str(),
                 [&](GError** error) { return sight_gallery_open(path.c_str(), 0, 0, error); });
    expect_error(code, words,
                 [&](GError** error) { return sight_gallery_open(path.c_str(), 0, 0, error); });
  }

  Scratch scratch_;
  fs::path path_ = scratch_ / "people.db";
};

TEST_F(GalleryApi, IdentifiesAsTheDefinitionSays) {
  const std::vector<Stored> all = fill(path_, 40);
  constexpr float kThreshold = 0.6f, kMargin = 0.1f;
  const GalleryPtr gallery = open(kThreshold, kMargin);
  EXPECT_EQ(sight_gallery_get_n_persons(gallery.get()), 40u);
  int known = 0, unknown = 0;
  for (unsigned seed = 5000; seed < 5300; ++seed) {
    std::vector<float> query = unit_vector(seed, kDimensions);
    for (float& value : query) value *= 7;  // need not be of unit length
    const Expected expected = nearest_person(all, query);
    const IdentityPtr found = identify(gallery, query);
    // Sums of 16 products of numbers below 1, each rounded to 24 bits.
    EXPECT_NEAR(sight_identity_get_similarity(found.get()), expected.similarity, 2e-6);
    EXPECT_EQ(sight_identity_get_nearest_name(found.get()), expected.name);
    const double slack = std::min(std::abs(expected.similarity - kThreshold),
                                  std::abs(expected.similarity - expected.second - kMargin));
    if (slack < 1e-5) continue;  // either answer is right
    const bool accepted =
        expected.similarity >= kThreshold && expected.similarity - expected.second >= kMargin;
    ++(accepted ? known : unknown);
    EXPECT_EQ(sight_identity_is_known(found.get()) != FALSE, accepted);
    EXPECT_EQ(text(sight_identity_get_name(found.get())), accepted ? expected.name : "(null)");
    EXPECT_EQ(text(sight_identity_get_person(found.get())),
              accepted ? text(sight_identity_get_nearest_person(found.get())) : "(null)");
  }
  EXPECT_GT(known, 10);
  EXPECT_GT(unknown, 10);
}

TEST_F(GalleryApi, AnEmptyGalleryKnowsNobody) {
  make_gallery(path_).reset();
  const GalleryPtr gallery = open(-1);
  EXPECT_EQ(sight_gallery_get_n_persons(gallery.get()), 0u);
  const IdentityPtr nobody = identify(gallery, unit_vector(1, kDimensions));
  EXPECT_FALSE(sight_identity_is_known(nobody.get()));
  EXPECT_EQ(sight_identity_get_nearest_name(nobody.get()), nullptr);
  EXPECT_EQ(sight_identity_get_nearest_person(nobody.get()), nullptr);
}

TEST_F(GalleryApi, SeesWhatOthersCommit) {
  make_gallery(path_).reset();
  const GalleryPtr gallery = open();
  fill(path_, 2);
  EXPECT_TRUE(eventually([&] { return sight_gallery_get_n_persons(gallery.get()) == 2; }));
  EXPECT_STREQ(sight_identity_get_name(identify(gallery, unit_vector(100, kDimensions)).get()),
               "Person 1");
}

TEST_F(GalleryApi, WhatIsNoGalleryIsNamedAndLeftAlone) {
  expect_refused(SIGHT_ERROR_NOT_FOUND, path_, "does not exist");
  EXPECT_FALSE(fs::exists(path_));
  const std::string words(3000, 'x');
  std::ofstream(path_) << words;
  expect_refused(SIGHT_ERROR_GALLERY, path_, "is not a gallery");
  EXPECT_TRUE(file_has(path_, words));
  std::ofstream(path_).close();
  expect_refused(SIGHT_ERROR_GALLERY, path_, "empty");
  EXPECT_EQ(fs::file_size(path_), 0u);
  expect_refused(SIGHT_ERROR_GALLERY, scratch_.path(), "directory");
}

TEST_F(GalleryApi, AGalleryThatMayOnlyBeReadAnswers) {
  fill(path_, 3);
  EXPECT_EQ(in_child([&] {
              fs::permissions(path_, fs::perms(0444));
              fs::permissions(scratch_.path(), fs::perms(0555));
              constexpr uid_t kNobody = 65534;
              if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
                return false;
              const GalleryPtr gallery = open();
              const IdentityPtr found = identify(gallery, unit_vector(200, kDimensions));
              return text(sight_identity_get_name(found.get())) == "Person 2";
            }),
            0);
}

TEST_F(GalleryApi, AGalleryThatAnotherProgramHasLockedIsNamed) {
  fill(path_, 2);
  sqlite3* holder = nullptr;  // within one process SQLite's locks work as between two
  ASSERT_EQ(sqlite3_open(path_.c_str(), &holder), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(holder, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  expect_refused(SIGHT_ERROR_GALLERY, path_, "locked by another program");
  sqlite3_close(holder);
  EXPECT_EQ(sight_gallery_get_n_persons(open().get()), 2u);
}

TEST_F(GalleryApi, WhatIsNoEmbeddingOfItsModelIsRefused) {
  fill(path_, 2);
  const GalleryPtr gallery = open();
  const auto refused = [&](SightError code, const char* words, const TensorPtr& embedding) {
    expect_error(code, words, [&](GError** error) {
      return sight_gallery_identify(gallery.get(), embedding.get(), error);
    });
  };
  refused(SIGHT_ERROR_INPUT, "15 numbers", tensor(unit_vector(1, 15)));
  refused(SIGHT_ERROR_INPUT, "face-embed", tensor(unit_vector(1, 17)));
  refused(SIGHT_ERROR_INPUT, "", tensor(std::vector<float>(kDimensions, 0)));
  std::vector<float> broken = unit_vector(1, kDimensions);
  broken[3] = std::numeric_limits<float>::quiet_NaN();
  refused(SIGHT_ERROR_INPUT, "", tensor(broken));
  const gint64 shape[] = {kDimensions};
  const guint8 bytes[kDimensions] = {1};
  GBytes* data = g_bytes_new_static(bytes, sizeof bytes);
  const TensorPtr integers(
      sight_tensor_new("numbers", SIGHT_ELEMENT_UINT8, shape, 1, data, nullptr));
  g_bytes_unref(data);
  refused(SIGHT_ERROR_INPUT, "\"numbers\" is uint8", integers);
  // Whoever does not want to know why may leave it out.
  EXPECT_EQ(sight_gallery_identify(gallery.get(), integers.get(), nullptr), nullptr);
  EXPECT_EQ(sight_gallery_open("/nowhere/people.db", 0, 0, nullptr), nullptr);
}

TEST_F(GalleryApi, EachOwnerLetsGoOnItsOwn) {
  fill(path_, 2);
  GalleryPtr gallery = open();
  GalleryPtr second(sight_gallery_ref(gallery.get()));
  auto* boxed = static_cast<SightGallery*>(g_boxed_copy(SIGHT_TYPE_GALLERY, gallery.get()));
  EXPECT_EQ(second.get(), gallery.get());
  EXPECT_EQ(boxed, gallery.get());
  TensorPtr embedding = tensor(unit_vector(100, kDimensions));
  IdentityPtr identity(sight_gallery_identify(gallery.get(), embedding.get(), nullptr));
  gallery.reset();
  embedding.reset();
  EXPECT_EQ(sight_gallery_get_n_persons(second.get()), 2u);
  second.reset();
  EXPECT_EQ(sight_gallery_get_n_persons(boxed), 2u);
  g_boxed_free(SIGHT_TYPE_GALLERY, boxed);
  EXPECT_STREQ(sight_identity_get_name(identity.get()), "Person 1");  // outlives them all
}

TEST_F(GalleryApi, NothingWhereSomethingMustBeIsACritical) {
  fill(path_, 1);
  const GalleryPtr gallery = open();
  const TensorPtr embedding = tensor(unit_vector(1, kDimensions));
  GError* error = nullptr;
  expect_critical("path != nullptr",
                  [&] { EXPECT_EQ(sight_gallery_open(nullptr, 0, 0, &error), nullptr); });
  expect_critical("gallery != nullptr && embedding != nullptr", [&] {
    EXPECT_EQ(sight_gallery_identify(nullptr, embedding.get(), &error), nullptr);
  });
  expect_critical("gallery != nullptr && embedding != nullptr", [&] {
    EXPECT_EQ(sight_gallery_identify(gallery.get(), nullptr, &error), nullptr);
  });
  expect_critical("gallery != nullptr",
                  [] { EXPECT_EQ(sight_gallery_get_n_persons(nullptr), 0u); });
  expect_critical("gallery != nullptr", [] { EXPECT_EQ(sight_gallery_ref(nullptr), nullptr); });
  expect_critical("gallery != nullptr", [] { sight_gallery_unref(nullptr); });
  EXPECT_EQ(error, nullptr);
}

}  // namespace
}  // namespace sightline
