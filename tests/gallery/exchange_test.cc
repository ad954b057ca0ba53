// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/exchange.h"

#include <atomic>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include "gallery/gallery.h"
#include "gallery/gallery_file.h"
#include "gallery/strict_json.h"
#include "scratch.h"
#include "stores.h"

namespace sightline {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::uint8_t> kJpeg = {0xff, 0xd8, 0xff, 0xd9};

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() {
    const std::string ann = gallery_->add_person("Ann \"Æ\" 山田").id;
    gallery_->add_embedding(ann, unit_vector(1, 16), "ann.jpg", kJpeg);
    gallery_->add_embedding(ann, unit_vector(2, 16), "", {});
    const std::string bob = gallery_->add_person("Bob").id;
    gallery_->add_embedding(bob, unit_vector(3, 16), "bob.jpg", {});
    gallery_->add_person("Cat");
  }

  Scratch scratch_;
  std::unique_ptr<Gallery> gallery_ = make_gallery(scratch_ / "people.db");
};

TEST_F(ExchangeTest, ExportIsTheDocumentedJson) {
  const json root = json::parse(gallery_->export_json());
  EXPECT_EQ(root["format"], "sightline-gallery");
  EXPECT_EQ(root["version"], 1);
  EXPECT_EQ(root["model"],
            (json{{"id", kModel.id}, {"name", kModel.name}, {"dimensions", kModel.dimensions}}));
  ASSERT_EQ(root["persons"].size(), 3u);
  const json& ann = root["persons"][0];
  EXPECT_EQ(ann["name"], "Ann \"Æ\" 山田");
  EXPECT_EQ(ann["id"], gallery_->persons()[0].id);
  EXPECT_EQ(ann["embeddings"][0]["thumbnail"], "/9j/2Q==");  // of RFC 4648, by hand
  EXPECT_FALSE(ann["embeddings"][1].contains("thumbnail"));
  EXPECT_EQ(ann["embeddings"][0]["values"].get<std::vector<float>>(), unit_vector(1, 16));
}

TEST_F(ExchangeTest, ImportIntoANewGalleryGivesTheSameAndOnlyOnce) {
  const std::string document = gallery_->export_json();
  const auto copy = Gallery::open(scratch_ / "copy.db", Gallery::Mode::kCreate);
  EXPECT_EQ(copy->import_json(document), 3);
  EXPECT_EQ(copy->import_json(document), 0);
  EXPECT_EQ(copy->fingerprint(), kModel);
  json before = json::parse(document), after = json::parse(copy->export_json());
  for (json* root : {&before, &after})
    for (json& person : (*root)["persons"]) EXPECT_EQ(person.erase("id"), 1u);
  EXPECT_EQ(before, after);
  EXPECT_THAT(copy->check(), IsEmpty());
}

TEST_F(ExchangeTest, ImportMergesPersonsOfEqualName) {
  const auto other = make_gallery(scratch_ / "other.db");
  const std::string bob = other->add_person("Bob").id;
  other->add_embedding(bob, unit_vector(9, 16), "new.jpg", {});
  EXPECT_EQ(gallery_->import_json(other->export_json()), 1);
  EXPECT_EQ(gallery_->persons().size(), 3u);
  EXPECT_EQ(gallery_->find_by_name("Bob").at(0).embeddings, 2);
}

GalleryDocument with_settings() {
  const Scratch scratch;
  const auto source = make_gallery(scratch / "source.db");
  const std::string ann = source->add_person("Ann").id;
  source->add_embedding(ann, unit_vector(1, 16), "1.jpg", kJpeg);
  const auto second = source->add_embedding(ann, unit_vector(2, 16), "2.jpg", {});
  source->set_crop(second, {kJpeg, {{1.5f, 2}, {3, -4.25f}}});
  source->add_person("Bob");
  source->set_rule(ann, {0.97f, std::nullopt});
  source->set_rule("", {0.95f, 0.01f, Compare::kMean});
  source->set_calibration(Calibration{12.5, -11.3});
  return from_json(source->export_json());
}

class ExchangeStoreTest : public StoreTest {};

TEST_P(ExchangeStoreTest, RulesCalibrationAndCropsGoThroughToo) {
  const GalleryDocument document = with_settings();
  const json root = json::parse(to_json(document));
  EXPECT_EQ(root["calibration"], (json{{"slope", 12.5}, {"offset", -11.3}}));
  EXPECT_EQ(root["compare"], "mean");
  EXPECT_EQ(root["persons"][0]["embeddings"][1]["crop"],
            (json{{"picture", "/9j/2Q=="}, {"landmarks", {{1.5, 2.0}, {3.0, -4.25}}}}));

  EXPECT_EQ(gallery_->import_json(to_json(from_json_lines(to_json_lines(document)))), 2);
  EXPECT_EQ(gallery_->rule(), (OwnRule{0.95f, 0.01f, Compare::kMean}));
  EXPECT_EQ(gallery_->calibration(), (Calibration{12.5, -11.3}));
  const std::vector<Person> persons = gallery_->persons();
  ASSERT_EQ(persons.size(), 2u);
  EXPECT_EQ(persons[0].rule, (OwnRule{0.97f, std::nullopt}));
  EXPECT_EQ(persons[1].rule, OwnRule{});
  const std::vector<StoredEmbedding> stored = gallery_->embeddings(persons[0].id);
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_THAT(gallery_->crop(stored[0].id).picture, IsEmpty());
  const FaceCrop crop = gallery_->crop(stored[1].id);
  EXPECT_EQ(crop.picture, kJpeg);
  EXPECT_THAT(crop.landmarks, testing::ElementsAre(Point{1.5f, 2}, Point{3, -4.25f}));

  json again = json::parse(gallery_->export_json());
  for (std::size_t i = 0; i < 2; ++i) again["persons"][i]["id"] = root["persons"][i]["id"];
  EXPECT_EQ(again, root);
}

TEST_P(ExchangeStoreTest, WhoIsThereAlreadyIsJudgedAsBefore) {
  const std::string ann = gallery_->add_person("Ann").id;
  gallery_->import_json(to_json(with_settings()));
  EXPECT_EQ(gallery_->rule(), OwnRule{});
  EXPECT_EQ(gallery_->calibration(), std::nullopt);
  EXPECT_EQ(gallery_->persons()[0].rule, OwnRule{});
  EXPECT_EQ(gallery_->persons()[0].embeddings, 2);
}

TEST_P(ExchangeStoreTest, WhatAGalleryHasSetItselfStays) {
  gallery_->set_rule("", {0.9f, std::nullopt, Compare::kBest});
  gallery_->import_json(to_json(with_settings()));
  EXPECT_EQ(gallery_->rule(), (OwnRule{0.9f, 0.01f, Compare::kBest}));
}

// More persons than are read by one statement, some without embeddings.
void add_crowd(Gallery& gallery, unsigned persons) {
  gallery.begin();
  for (unsigned i = 0; i < persons; ++i) {
    const std::string id = gallery.add_person("Person " + std::to_string(i)).id;
    for (unsigned k = 0; k < i % 3; ++k)
      gallery.add_embedding(id, unit_vector(3 * i + k, 16), std::to_string(k), {});
  }
  gallery.commit();
}

TEST_P(ExchangeStoreTest, ContentsAreOfOneMomentWhateverIsChangedMeanwhile) {
  add_crowd(*gallery_, 600);
  const std::string before = gallery_->export_json();
  const auto reader = open(Gallery::Mode::kReadOnly);
  const auto contents = reader->contents();
  ExchangedRow row;
  ASSERT_TRUE(contents->next(row));
  const std::vector<Person> persons = gallery_->persons();
  gallery_->rename(persons[599].id, "Somebody else");
  gallery_->merge_persons(persons[300].id, persons[301].id);
  gallery_->add_embedding(persons[598].id, unit_vector(5000, 16), "late.jpg", {});
  gallery_->set_rule("", {0.5f, {}});
  GalleryDocument document{contents->head(), {}};
  std::vector<std::string> names;
  std::size_t rows = 0, embeddings = 0;
  do {
    ++rows;
    embeddings += row.embedding ? 1 : 0;
    if (names.empty() || names.back() != row.person.name) names.push_back(row.person.name);
  } while (contents->next(row));
  EXPECT_EQ(names.size(), 600u);
  EXPECT_EQ(names[599], "Person 599");
  EXPECT_EQ(embeddings, 600u);
  EXPECT_EQ(rows, 800u);  // a third of them have none
  EXPECT_FALSE(document.rule.threshold.has_value());
  EXPECT_NE(open(Gallery::Mode::kReadOnly)->export_json(), before);
}

TEST_P(ExchangeStoreTest, OneGalleryGoesIntoAnotherRowByRow) {
  const Scratch scratch;
  const auto source = make_gallery(scratch / "source.db");
  add_crowd(*source, 300);
  source->set_rule("", {{}, {}, Compare::kMean});
  EXPECT_EQ(gallery_->import_from(*source->contents()), 300);
  EXPECT_EQ(gallery_->import_from(*source->contents()), 0);
  EXPECT_EQ(gallery_->persons().size(), 300u);
  EXPECT_EQ(gallery_->rule().compare, Compare::kMean);
  const auto same = open(Gallery::Mode::kReadOnly);  // into itself, too
  EXPECT_EQ(gallery_->import_from(*same->contents()), 0);
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

TEST_P(ExchangeStoreTest, WhatAnotherProgramHasPutIntoAGalleryIsNotImported) {
  const Scratch scratch;
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE persons SET name = 'a' || char(10) || 'b'", "a control character"},
      {"UPDATE persons SET created = 'long ago'", "expected a time like"},
      {"UPDATE embeddings SET source = printf('%5000d', 1)", "source"},
      {"UPDATE embeddings SET vector = x'00'", "is damaged: embedding 1 is not sound"},
      {"UPDATE embeddings SET vector = zeroblob(100000000)", "is damaged"},
      {"UPDATE thumbnails SET jpeg = x'00'", "a thumbnail must be a JPEG"},
      {"UPDATE gallery SET compare = 'all'", "expected best or mean"},
      {"UPDATE gallery SET dimensions = 1 << 40", "makes no sense"},
  };
  for (const auto& [sql, complaint] : changes) {
    const auto file = scratch / (std::to_string(std::hash<std::string>()(sql)) + ".db");
    {
      const auto source = make_gallery(file);
      source->add_embedding(source->add_person("Ann").id, unit_vector(1, 16), "1.jpg", kJpeg);
    }
    raw_sql(file, sql);
    EXPECT_THAT(complaint_of([&] {
                  const auto source = Gallery::open(file, Gallery::Mode::kReadOnly);
                  gallery_->import_from(*source->contents());
                }),
                HasSubstr(complaint))
        << sql;
    EXPECT_THAT(gallery_->persons(), IsEmpty());
  }
}

SIGHTLINE_FOR_ALL_STORES(ExchangeStoreTest);

// What SQLite does on connections that are opened meanwhile, counted in hundreds of its machine's
// steps.
class SqliteWork {
 public:
  SqliteWork() {
    work_ = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
  }
  ~SqliteWork() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch)); }
  SqliteWork(const SqliteWork&) = delete;
  SqliteWork& operator=(const SqliteWork&) = delete;
  double amount() const { return static_cast<double>(work_); }

 private:
  static int watch(sqlite3* database, char**, const sqlite3_api_routines*) {
    const auto count = [](void*) { return ++work_, 0; };
    sqlite3_progress_handler(database, 100, count, nullptr);
    return SQLITE_OK;
  }
  static inline std::atomic<long> work_ = 0;
};

TEST(Import, OfFourTimesAsManyEmbeddingsOfOnePersonIsFourTimesTheWork) {
  const Scratch scratch;
  std::vector<double> work;
  for (const unsigned count : {250u, 1000u}) {
    const std::string name = std::to_string(count);
    const auto source = make_gallery(scratch / ("source" + name));
    source->begin();
    const std::string ann = source->add_person("Ann").id;
    for (unsigned i = 0; i < count; ++i) source->add_embedding(ann, unit_vector(i, 16), "", {});
    source->commit();
    const std::string document = source->export_json();
    const SqliteWork meter;
    const auto copy = make_gallery(scratch / ("copy" + name));
    EXPECT_EQ(copy->import_json(document), static_cast<int>(count));
    EXPECT_EQ(copy->import_json(document), 0);
    work.push_back(meter.amount());
  }
  EXPECT_GT(work[0], 10);
  EXPECT_LT(work[1], 5 * work[0]);  // 16 times, if each were compared with all others
}

TEST_F(ExchangeTest, AnEmptyGalleryGoesThroughToo) {
  const auto empty = Gallery::open(scratch_ / "empty.db", Gallery::Mode::kCreate);
  EXPECT_EQ(gallery_->import_json(empty->export_json()), 0);
  EXPECT_EQ(gallery_->persons().size(), 3u);
}

TEST_F(ExchangeTest, AnotherModelIsRefused) {
  json root = json::parse(gallery_->export_json());
  root["model"]["id"] = "91bc000000000000";
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->import_json(root.dump()); }),
              testing::AllOf(HasSubstr("3f2a91bc"), HasSubstr("91bc0000"), HasSubstr("people.db")));
}

TEST_F(ExchangeTest, EveryFaultIsNamedWithItsPlaceAndNothingIsImported) {
  const json good = json::parse(gallery_->export_json());
  const std::string before = gallery_->export_json();
  struct Fault {
    const char* pointer;
    json value;
    const char* place;
  };
  const std::vector<Fault> faults = {
      {"/format", "gallery", "format"},
      {"/version", 2, "version"},
      {"/version", 2, "written by a newer Sightline (version 2, this one knows up to 1)"},
      {"/version", 0, "version: expected an integer from 1 to 1, found 0"},
      {"/version", 1.5, "version: expected an integer from 1 to 1, found 1.5"},
      {"/version", 18446744073709551615u, "version"},
      {"/extra", 1, "extra"},
      {"/compare", "all", "compare: expected \"best\" or \"mean\", found \"all\""},
      {"/persons/1/compare", "mean", "persons[1]: unknown member \"compare\""},
      {"/threshold", 1.5, "threshold: expected a number from -1.0 to 1.0, found 1.5"},
      {"/margin", "x", "margin: expected a number, found string"},
      {"/calibration", {{"slope", 1}}, "calibration: \"offset\" is missing"},
      {"/calibration", {{"slope", 1}, {"offset", "1"}}, "calibration.offset"},
      {"/persons/1/threshold", -2, "persons[1].threshold"},
      {"/persons/1/margin", -0.1, "persons[1].margin"},
      {"/persons/1/embeddings/0/crop",
       "/9j/2Q==", "persons[1].embeddings[0].crop: expected an obj"},
      {"/persons/1/embeddings/0/crop",
       {{"picture", "!!!"}, {"landmarks", json::array()}},
       "embeddings[0].crop.picture: expected base64"},
      {"/persons/1/embeddings/0/crop",
       {{"picture", "aGFsbG8="}, {"landmarks", json::array()}},
       "embeddings[0].crop: a face's crop must be"},
      {"/persons/1/embeddings/0/crop",
       {{"picture", "/9j/2Q=="}, {"landmarks", {{1, 2, 3}}}},
       "crop.landmarks[0]: expected x and y"},
      {"/persons/1/embeddings/0/crop",
       {{"picture", "/9j/2Q=="}, {"landmarks", {{1, 2}, {1, 1e9}}}},
       "crop.landmarks[1][1]: "},
      {"/model/dimensions", 0, "model.dimensions"},
      {"/model/dimensions", "16", "model.dimensions"},
      {"/model/dimensions", 17, "persons[0].embeddings[0].values"},
      {"/model/id", "", "model"},
      {"/model", nullptr, "model"},
      {"/persons", json::object(), "persons"},
      {"/persons/2", 7, "persons[2]"},
      {"/persons/2/name", "a\nb", "persons[2].name"},
      {"/persons/2/name", "Bob", "persons[2]"},
      {"/persons/2/name", nullptr, "persons[2].name"},
      {"/persons/2/name", nullptr, "document: persons[2].name: expected a string, found null"},
      {"/persons/2/name", std::string("An\0", 3), "persons[2].name: a person's name must"},
      {"/persons/2/created", "today", "persons[2].created"},
      {"/persons/2/created", "2026-02-31T00:00:00Z", "persons[2].created"},
      {"/persons/2/created", "2025-02-29T00:00:00Z", "persons[2].created"},
      {"/persons/2/created", "2026-13-01T00:00:00Z", "persons[2].created"},
      {"/persons/2/created", "2026-00-01T00:00:00Z", "persons[2].created"},
      {"/persons/2/created", "2026-01-01T24:00:00Z", "persons[2].created"},
      {"/persons/2/created", "2026-01-01T00:60:00Z", "persons[2].created"},
      {"/persons/2/created", "2026-01-01T00:00:60Z", "persons[2].created"},
      {"/persons/2/age", 7, "age"},
      {"/persons/1/embeddings", "none", "persons[1].embeddings"},
      {"/persons/1/embeddings/0/values/3", "x", "persons[1].embeddings[0].values"},
      {"/persons/1/embeddings/0/values/3", 1e39, "persons[1].embeddings[0].values"},
      {"/persons/1/embeddings/0/values", json::array(), "persons[1].embeddings[0].values"},
      {"/persons/1/embeddings/0/values", std::vector<int>(16, 0), "persons[1].embeddings[0].val"},
      {"/persons/1/embeddings/0/source", 3, "persons[1].embeddings[0].source"},
      {"/persons/1/embeddings/0/source", std::string(5000, 'x'), "persons[1].embeddings[0].so"},
      {"/persons/1/embeddings/0/thumbnail", "!!!", "persons[1].embeddings[0].thumbnail"},
      {"/persons/1/embeddings/0/thumbnail", "aGFsbG8=", "persons[1].embeddings[0].thumbnail"},
  };
  for (const Fault& fault : faults) {
    json bad = good;
    bad["persons"][0]["name"] = "Somebody new";
    bad[json::json_pointer(fault.pointer)] = fault.value;
    EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->import_json(bad.dump()); }),
                HasSubstr(fault.place))
        << fault.pointer << " = " << fault.value.dump().substr(0, 80);
  }
  for (const char* gone : {"format", "version", "persons", "model"}) {
    json bad = good;
    bad.erase(gone);
    EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->import_json(bad.dump()); }),
                HasSubstr(gone));
  }
  EXPECT_EQ(gallery_->export_json(), before);
}

std::string complaint_about(const std::string& text) {
  return complaint_of(ErrorCode::kGallery, [&] { from_json(text); });
}

TEST(Document, AMemberThatIsThereTwiceIsNamedWithItsPlace) {
  EXPECT_THAT(complaint_about(R"({"version": 1, "version": 1})"),
              HasSubstr("document: \"version\" is there twice"));
  EXPECT_THAT(complaint_about(
                  R"({"persons": [{"name": "A"}, {"x": [1, {"y": 1}], "name": 1, "name": 2}]})"),
              HasSubstr("persons[1]: \"name\" is there twice"));
  EXPECT_THAT(complaint_about(R"({"model": {"id": "a"}, "persons": [[0, {"id": 1, "id": 2}]]})"),
              HasSubstr("persons[0][1]: \"id\" is there twice"));
}

TEST(Document, OneThatIsCutOffShowsNothingOfWhatItHas) {
  const std::string picture(5000, 'x');
  const std::string complaint =
      complaint_about("{\"persons\":\n [{\"thumbnail\": \"" + picture + "\n");
  EXPECT_THAT(complaint,
              testing::AllOf(HasSubstr("line 3, column 0"), testing::Not(HasSubstr("xx"))));
  EXPECT_THAT(complaint_about("[1 2]"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(complaint_about("[1 2]"), HasSubstr("expected ']'"));
  EXPECT_LT(complaint_about("[" + std::string(5000, '9') + "e999]").size(), 200u);
}

TEST(Document, OneThatIsNestedTooDeeplyIsRefused) {
  EXPECT_THAT(complaint_about(std::string(65, '[')), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(complaint_about(std::string(64, '[') + std::string(64, ']')),
              HasSubstr("expected an object, found array"));
}

TEST(Document, OneWithMoreValuesThanFitIntoMemoryIsRefused) {
  EXPECT_EQ(complaint_of([] { parse_strictly("[1, [2], 3]", 5); }), "");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [] { parse_strictly("[1, [2], 3]", 4); }),
              HasSubstr("more than 4 values"));
}

TEST(Time, IsOfADayThatThereIs) {
  EXPECT_TRUE(is_time("2024-02-29T23:59:59Z"));
  EXPECT_TRUE(is_time(time_now()));
}

TEST_F(ExchangeTest, HostileTextIsAnErrorNeverACrash) {
  const std::string good = gallery_->export_json();
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"),
        std::string("\xff\xfe"), std::string("{\"format\": \"\xff\"}"), std::string(3, '\0'),
        std::string(1 << 20, '['), std::string("{\"version\": 1e999}"),
        std::string("{\"persons\": [{\"name\": \"\\ud800\"}]}")})
    EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery_->import_json(text); }),
                HasSubstr("not a gallery document"));

  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    for (int change = 0; change < 3; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    complaint_of([&] { gallery_->import_json(text); });
    complaint_of([&] { gallery_->import_json(good.substr(0, random() % (good.size() - 2))); });
  }
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

}  // namespace
}  // namespace sightline
