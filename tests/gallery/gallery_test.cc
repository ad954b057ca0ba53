// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery.h"

#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scratch.h"
#include "stores.h"

namespace sightline {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kDimensions = 16;
const std::vector<std::uint8_t> kJpeg = {0xff, 0xd8, 0xff, 0xd9};

class GalleryTest : public StoreTest {
 protected:
  std::string add(const std::string& name, unsigned seed) {
    const std::string id = gallery_->add_person(name).id;
    gallery_->add_embedding(id, unit_vector(seed, kDimensions), "a.jpg", kJpeg);
    return id;
  }
  void reopen(Gallery::Mode mode = Gallery::Mode::kReadWrite) {
    gallery_.reset();
    gallery_ = open(mode);
  }
};
SIGHTLINE_FOR_ALL_STORES(GalleryTest);

TEST_P(GalleryTest, WhatWasAddedIsThereAfterReopening) {
  const Person ann = gallery_->add_person("Ann");
  const std::vector<float> values = unit_vector(1, kDimensions);
  const std::int64_t id = gallery_->add_embedding(ann.id, values, "ann.jpg", kJpeg);
  gallery_->add_embedding(ann.id, unit_vector(2, kDimensions), "ann2.jpg", {});
  reopen(Gallery::Mode::kReadOnly);

  ASSERT_EQ(gallery_->persons().size(), 1u);
  EXPECT_EQ(gallery_->persons()[0].id, ann.id);
  EXPECT_EQ(gallery_->persons()[0].name, "Ann");
  EXPECT_EQ(gallery_->persons()[0].embeddings, 2);
  EXPECT_EQ(gallery_->persons()[0].created, ann.created);
  EXPECT_EQ(gallery_->fingerprint(), kModel);
  EXPECT_EQ(gallery_->fingerprint()->name, kModel.name);
  const std::vector<StoredEmbedding> stored = gallery_->embeddings(ann.id);
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].id, id);
  EXPECT_EQ(stored[0].person, ann.id);
  EXPECT_EQ(stored[0].values, values);
  EXPECT_EQ(stored[0].source, "ann.jpg");
  EXPECT_EQ(stored[0].thumbnail, kJpeg);
  EXPECT_THAT(stored[1].thumbnail, IsEmpty());
  EXPECT_EQ(stored[0].created.size(), std::string("2026-01-31T23:59:59Z").size());
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

TEST_P(GalleryTest, EmbeddingsAreStoredWithUnitLength) {
  const std::string id = gallery_->add_person("Ann").id;
  std::vector<float> values(kDimensions, 0);
  values[3] = 3;
  values[4] = -4;
  gallery_->add_embedding(id, values, "a", {});
  for (float& value : values) value *= 1e-30f;
  gallery_->add_embedding(id, values, "b", {});
  for (const StoredEmbedding& stored : gallery_->embeddings(id)) {
    EXPECT_FLOAT_EQ(stored.values[3], 0.6f);
    EXPECT_FLOAT_EQ(stored.values[4], -0.8f);
    EXPECT_EQ(stored.values[0], 0);
  }
}

TEST_P(GalleryTest, EmbeddingsThatAreNoneAreRefused) {
  const std::string id = gallery_->add_person("Ann").id;
  const auto refused = [&](std::vector<float> values) {
    return complaint_of(ErrorCode::kInput,
                        [&] { gallery_->add_embedding(id, values, "a.jpg", {}); });
  };
  EXPECT_THAT(refused(std::vector<float>(kDimensions, 0)), HasSubstr("zero"));
  std::vector<float> values = unit_vector(1, kDimensions);
  values[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refused(values), HasSubstr("finite"));
  values[2] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refused(values), HasSubstr("finite"));
  EXPECT_THAT(refused(unit_vector(1, kDimensions - 1)), HasSubstr("15 numbers"));
  EXPECT_THAT(refused({}), HasSubstr("0 numbers"));
  const std::vector<std::uint8_t> no_picture = {1, 2, 3};
  EXPECT_THAT(
      complaint_of(
          ErrorCode::kInput,
          [&] { gallery_->add_embedding(id, unit_vector(1, kDimensions), "a", no_picture); }),
      HasSubstr("JPEG"));
  EXPECT_THAT(complaint_of(
                  ErrorCode::kNotFound,
                  [&] { gallery_->add_embedding("nobody", unit_vector(1, kDimensions), "a", {}); }),
              HasSubstr("nobody"));
  EXPECT_EQ(gallery_->persons()[0].embeddings, 0);
}

TEST_P(GalleryTest, SourceNamesThatAreNotUtf8BecomeReadable) {
  const std::string id = gallery_->add_person("Ann").id;
  gallery_->add_embedding(id, unit_vector(1, kDimensions), "a\xff.jpg", {});
  EXPECT_EQ(gallery_->embeddings(id)[0].source, "a\xef\xbf\xbd.jpg");
  EXPECT_NE(complaint_of(ErrorCode::kInput,
                         [&] {
                           gallery_->add_embedding(id, unit_vector(1, kDimensions),
                                                   std::string(5000, 'x'), {});
                         }),
            "");
}

TEST_P(GalleryTest, NamesAreTrimmedComposedAndOfEveryScript) {
  EXPECT_EQ(gallery_->add_person(" \t Ann Lee \n").name, "Ann Lee");
  EXPECT_EQ(gallery_->add_person("Rene\xcc\x81").name, "Ren\xc3\xa9");  // e + acute
  EXPECT_EQ(gallery_->add_person("山田 太郎").name, "山田 太郎");
  EXPECT_EQ(gallery_->add_person("نجيب محفوظ").name, "نجيب محفوظ");
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "ж";
  EXPECT_EQ(gallery_->add_person(longest).name, longest);
  ASSERT_EQ(gallery_->find_by_name("  Rene\xcc\x81").size(), 1u);
  EXPECT_THAT(gallery_->find_by_name("Nobody"), IsEmpty());
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

TEST_P(GalleryTest, NamesThatAreNoneAreRefused) {
  const std::string two_lines = "Ann\nLee", zero = std::string("Ann\0Lee", 7);
  for (const std::string& name :
       {std::string(), std::string(" \t\n"), two_lines, zero, std::string("Ann\x1b[31m"),
        std::string("Ann\x7f"), std::string("a\xe2\x80\xa8z"), std::string("a\xc2\x85z"),
        std::string("\xff\xfe"), std::string("a\xc3"), std::string(201, 'a')}) {
    EXPECT_THAT(complaint_of(ErrorCode::kInput, [&] { gallery_->add_person(name); }),
                HasSubstr("name must be"))
        << testing::PrintToString(name);
  }
  EXPECT_THAT(gallery_->persons(), IsEmpty());
}

TEST_P(GalleryTest, ANameBelongsToOnePerson) {
  const std::string ann = gallery_->add_person("Ann").id;
  const std::string bob = gallery_->add_person("Bob").id;
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->add_person("Ann"); }),
              HasSubstr("already"));
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->rename(bob, " Ann"); }),
              HasSubstr("another person named \"Ann\""));
  gallery_->rename(bob, "Bob");  // its own name is no obstacle
  gallery_->rename(bob, "Robert");
  EXPECT_EQ(gallery_->find_by_name("Robert").at(0).id, bob);
  EXPECT_THAT(gallery_->find_by_name("Bob"), IsEmpty());
  complaint_of(ErrorCode::kNotFound, [&] { gallery_->rename("nobody", "X"); });
  EXPECT_EQ(gallery_->find_by_name("Ann").at(0).id, ann);
}

TEST_P(GalleryTest, IdsAreNeverUsedAgain) {
  std::set<std::string> ids;
  std::set<std::int64_t> embeddings;
  for (int i = 0; i < 20; ++i) {
    gallery_->begin();
    const std::string id = gallery_->add_person("Ann").id;
    EXPECT_TRUE(ids.insert(id).second);
    EXPECT_TRUE(embeddings.insert(gallery_->add_embedding(id, unit_vector(1, kDimensions), "a", {}))
                    .second);
    if (i % 2 == 0) {
      gallery_->remove(id);
      gallery_->commit();
    } else {
      gallery_->commit();
      gallery_->remove(id);
    }
  }
}

TEST_P(GalleryTest, AnotherModelIsRefusedWithBothNamesAndAWayOut) {
  gallery_->require_model(kModel);
  gallery_->require_model({kModel.id, "another name of the same model", kModel.dimensions});
  const std::string complaint = complaint_of(ErrorCode::kGallery, [&] {
    gallery_->require_model({"91bcaaaaaaaa", "face-embed-512", 512});
  });
  EXPECT_THAT(complaint, HasSubstr(shown_location(location_)));
  for (const char* part :
       {"3f2a91bc", "face-embed, 16-d", "91bcaaaa", "face-embed-512, 512-d", "sightline enroll"})
    EXPECT_THAT(complaint, HasSubstr(part));
  EXPECT_NE(complaint_of(ErrorCode::kInput, [&] { gallery_->require_model({"", "x", 16}); }), "");
  EXPECT_NE(complaint_of(ErrorCode::kInput, [&] { gallery_->require_model({"a", "x", 0}); }), "");
}

TEST_P(GalleryTest, AGalleryWithoutAModelTakesNoEmbeddings) {
  const auto store = make_store(GetParam());
  const std::unique_ptr<Gallery> fresh = Gallery::open(store->location(), Gallery::Mode::kCreate);
  EXPECT_FALSE(fresh->fingerprint().has_value());
  const std::string id = fresh->add_person("Ann").id;
  EXPECT_THAT(complaint_of(ErrorCode::kGallery,
                           [&] { fresh->add_embedding(id, unit_vector(1, 16), "a", {}); }),
              HasSubstr("not bound to a model"));
}

TEST_P(GalleryTest, RemovingTakesTheEmbeddingsAlong) {
  const std::string ann = add("Ann", 1), bob = add("Bob", 2);
  gallery_->remove(ann);
  complaint_of(ErrorCode::kNotFound, [&] { gallery_->embeddings(ann); });
  EXPECT_NE(complaint_of(ErrorCode::kNotFound, [&] { gallery_->remove(ann); }), "");
  ASSERT_EQ(gallery_->persons().size(), 1u);
  EXPECT_EQ(gallery_->embeddings(bob).size(), 1u);
  EXPECT_THAT(gallery_->check(), IsEmpty());  // no embedding, no thumbnail is left alone
}

TEST_P(GalleryTest, AGroupIsAllOrNothing) {
  add("Ann", 1);
  gallery_->begin();
  add("Bob", 2);
  EXPECT_THROW(gallery_->begin(), Error);
  gallery_->rollback();
  EXPECT_EQ(gallery_->persons().size(), 1u);
  gallery_->begin();
  add("Cat", 3);
  EXPECT_THROW(gallery_->add_person("Cat"), Error);  // fails alone, the group goes on
  add("Dan", 4);
  EXPECT_EQ(open(Gallery::Mode::kReadOnly)->persons().size(), 1u);
  gallery_->commit();
  EXPECT_EQ(open(Gallery::Mode::kReadOnly)->persons().size(), 3u);
  EXPECT_THROW(gallery_->commit(), Error);
  EXPECT_THROW(gallery_->rollback(), Error);
  gallery_->begin();
  add("Eve", 5);
  reopen();  // an open group is undone
  EXPECT_EQ(gallery_->persons().size(), 3u);
}

TEST_P(GalleryTest, OpenedForReadingItCannotBeChanged) {
  const std::string ann = add("Ann", 1);
  reopen(Gallery::Mode::kReadOnly);
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->add_person("Bob"); }),
              HasSubstr("reading only"));
  EXPECT_THROW(gallery_->remove(ann), Error);
  EXPECT_THROW(gallery_->rename(ann, "Bob"), Error);
  EXPECT_THROW(gallery_->begin(), Error);
  EXPECT_THROW(gallery_->import_json(gallery_->export_json()), Error);
  gallery_->require_model(kModel);
  EXPECT_EQ(gallery_->persons().size(), 1u);
}

TEST_P(GalleryTest, TheDataVersionShowsAnotherConnectionsCommits) {
  const std::unique_ptr<Gallery> other = open(Gallery::Mode::kReadOnly);
  const std::int64_t before = other->data_version();
  EXPECT_EQ(other->data_version(), before);
  add("Ann", 1);
  EXPECT_NE(other->data_version(), before);
}

class GalleryFileContents : public testing::Test {
 protected:
  Scratch scratch_;
  std::filesystem::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);

  std::string add(const std::string& name, unsigned seed) {
    const std::string id = gallery_->add_person(name).id;
    gallery_->add_embedding(id, unit_vector(seed, kDimensions), "a.jpg", kJpeg);
    return id;
  }
};

TEST_F(GalleryFileContents, ANewFileIsItsOwnersAlone) {
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(GalleryFileContents, CheckNamesWhatIsWrong) {
  const std::string ann = add("Ann", 1);
  add("Bob", 2);
  gallery_.reset();
  raw_sql(path_,
          "UPDATE embeddings SET vector = x'00112233' WHERE id = 1;"
          "UPDATE embeddings SET vector = zeroblob(64) WHERE id = 2;"
          "UPDATE thumbnails SET jpeg = x'00' WHERE embedding = 2;"
          "INSERT INTO persons(id, name, created) VALUES ('x', ' Cat', 'yesterday');"
          "INSERT INTO embeddings(person, vector, source, created) "
          "VALUES (77, zeroblob(64), 'a', '2026-01-31T23:59:59Z')");
  gallery_ = Gallery::open(path_, Gallery::Mode::kReadOnly);
  const std::string all = testing::PrintToString(gallery_->check());
  for (const char* part :
       {"embedding 1: its vector is not one of unit length",
        "embedding 2: its vector is not one of", "embedding 2: a thumbnail must be",
        "person 3: its name is not trimmed", "person 3: its time",
        "table embeddings, row 3: belongs to no row of persons"})
    EXPECT_THAT(all, HasSubstr(part));
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->embeddings(ann); }),
              HasSubstr("embedding 1"));
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Matcher::open(path_, {}); }),
              HasSubstr("embedding 1"));
}

}  // namespace
}  // namespace sightline
