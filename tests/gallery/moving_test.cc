// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Galleries on their way: JSON Lines, arrays of NumPy, and files of other programs.

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gallery/exchange.h"
#include "gallery/foreign_galleries.h"
#include "gallery/npy.h"
#include "gallery/npz_exchange.h"
#include "gallery/zip_archive.h"
#include "scratch.h"

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTime[] = "2026-01-31T23:59:59Z";

ExchangedEmbedding embedding(unsigned seed, const std::string& source) {
  const std::vector<std::uint8_t> jpeg = {0xff, 0xd8, 0xff, 0xd9};
  return {{0, "", unit_vector(seed, 16), source, kTime, jpeg}, {jpeg, {{1.25f, -2}, {3, 4}}}};
}

GalleryDocument two_persons() {
  GalleryDocument document{{kModel, {0.95f, {}, Compare::kMean}, Calibration{12.5, -11.3}}, {}};
  document.persons.push_back({{}, {embedding(1, "1.jpg"), embedding(2, "2.jpg")}});
  document.persons.back().person.id = "9c1f0a6be2d48357";
  document.persons.back().person.name = "Ann Lee";
  document.persons.back().person.rule = {0.97f, 0.02f};
  document.persons.back().person.created = kTime;
  document.persons.push_back({{}, {}});
  document.persons.back().person.id = "0011223344556677";
  document.persons.back().person.name = "Zoë 李";
  document.persons.back().person.created = kTime;
  return document;
}

void expect_equal_pictures(const ExchangedEmbedding& a, const ExchangedEmbedding& b) {
  EXPECT_EQ(a.thumbnail, b.thumbnail);
  EXPECT_EQ(a.crop.picture, b.crop.picture);
  EXPECT_EQ(a.crop.landmarks, b.crop.landmarks);
}

// `whole`: with what is no array.
void expect_equal(const GalleryDocument& a, const GalleryDocument& b, bool whole) {
  EXPECT_EQ(whole ? a.rule : OwnRule{}, b.rule);
  EXPECT_EQ(whole ? a.calibration : std::nullopt, b.calibration);
  ASSERT_EQ(a.model.has_value(), b.model.has_value());
  if (a.model) {
    EXPECT_EQ(*a.model, *b.model);
  }
  ASSERT_EQ(a.persons.size(), b.persons.size());
  for (std::size_t i = 0; i < a.persons.size(); ++i) {
    EXPECT_EQ(a.persons[i].person.name, b.persons[i].person.name);
    EXPECT_EQ(a.persons[i].person.created, b.persons[i].person.created);
    EXPECT_EQ(whole ? a.persons[i].person.rule : OwnRule{}, b.persons[i].person.rule);
    ASSERT_EQ(a.persons[i].embeddings.size(), b.persons[i].embeddings.size());
    for (std::size_t j = 0; j < a.persons[i].embeddings.size(); ++j) {
      const ExchangedEmbedding& x = a.persons[i].embeddings[j];
      const ExchangedEmbedding& y = b.persons[i].embeddings[j];
      EXPECT_EQ(x.values, y.values);  // to the bit
      EXPECT_EQ(x.source, y.source);
      EXPECT_EQ(x.created, y.created);
      expect_equal_pictures(whole ? x : ExchangedEmbedding{}, y);
    }
  }
}

std::string to_npz(const GalleryDocument& document) {
  return sightline::to_npz(*contents_of(document));
}

TEST(JsonLines, ComeBackAsTheyWere) {
  const GalleryDocument document = two_persons();
  const std::string text = to_json_lines(document);
  EXPECT_TRUE(is_json_lines(text));
  EXPECT_FALSE(is_json_lines(to_json(document)));
  expect_equal(document, from_json_lines(text), true);
  expect_equal({}, from_json_lines(to_json_lines({})), true);
}

TEST(JsonLines, WhatIsWrongIsNamedWithItsLine) {
  const std::string good = to_json_lines(two_persons());
  const std::string header = good.substr(0, good.find('\n') + 1);
  const auto complaint = [](const std::string& text) {
    return complaint_of(ErrorCode::kGallery, [&] { from_json_lines(text); });
  };
  EXPECT_THAT(complaint(""), HasSubstr("no lines"));
  EXPECT_THAT(complaint("{"), HasSubstr("line 1"));
  EXPECT_THAT(complaint("{\"format\": \"other\", \"version\": 1}"), HasSubstr("line 1.format"));
  EXPECT_THAT(complaint(good.substr(0, good.size() / 2)), HasSubstr("line 2"));
  EXPECT_THAT(complaint(header + R"({"person": "Ann"})"), HasSubstr("\"created\" is missing"));
  EXPECT_THAT(complaint(header + R"({"person": "", "created": "2026-01-31T23:59:59Z"})"),
              HasSubstr("line 2.person"));
  EXPECT_THAT(complaint(header + R"({"person": "A", "created": "now"})"), HasSubstr("a time like"));
  EXPECT_THAT(complaint(header + R"({"person": "A", "created": "2026-01-31T23:59:59Z", )"
                                 R"("embedding": "AAAA", "source": "x", "added": ""})"),
              HasSubstr("line 2.embedding: expected base64 of 16 float32"));
  EXPECT_THAT(complaint(header + R"({"person": "A", "surprise": 1})"), HasSubstr("surprise"));
  EXPECT_THAT(complaint(header + R"({"person": 1})"),
              HasSubstr("gallery document: line 2.person: expected a string"));
  EXPECT_THAT(complaint(header + R"({"person": "A", "person": "B"})"),
              HasSubstr("line 2: \"person\" is there twice"));
  EXPECT_THAT(complaint(R"({"format": "sightline-gallery-lines", "version": 1, "compare": "all"})"),
              HasSubstr("line 1.compare: expected \"best\" or \"mean\", found \"all\""));
  EXPECT_THAT(complaint(R"({"format": "sightline-gallery-lines", "version": 7})"),
              HasSubstr("newer Sightline (version 7"));
}

TEST(Contents, OfADocumentAreTheDocumentHoweverMuchIsReadAhead) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{300}, kReadAhead})
    expect_equal(two_persons(), document_of(*read_ahead(contents_of(two_persons()), bytes)), true);
  EXPECT_TRUE(document_of(*read_ahead(contents_of({}))).persons.empty());
}

TEST(Contents, WhatIsWrongInALaterLineIsFoundByReadingAhead) {
  std::istringstream lines(to_json_lines(two_persons()) + "{}\n");
  const auto next_line = [&](std::string& line) {
    return static_cast<bool>(std::getline(lines, line));
  };
  EXPECT_THAT(complaint_of(ErrorCode::kGallery,
                           [&] { read_ahead(read_json_lines(next_line, "people.jsonl")); }),
              HasSubstr("people.jsonl: not a gallery document: line 5: \"person\" is missing"));
}

TEST(Npz, ComesBackAsItWasWithoutThumbnails) {
  const GalleryDocument document = two_persons();
  const std::string bytes = to_npz(document);
  EXPECT_TRUE(is_npz(bytes));
  expect_equal(document, from_npz(bytes), false);
  expect_equal({}, from_npz(to_npz({})), false);
}

TEST(Npz, AFileThatIsCutOffOrChangedAnywhereIsAnErrorAndNothingWorse) {
  const std::string bytes = to_npz(two_persons());
  for (std::size_t length = 0; length < bytes.size(); length += 7)
    EXPECT_NE(complaint_of(ErrorCode::kGallery, [&] { from_npz(bytes.substr(0, length)); }), "")
        << length;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    complaint_of(ErrorCode::kGallery, [&] { from_npz(damaged); });  // or not: a name, a date
  }
}

std::string zipped(const std::vector<std::pair<std::string, std::string>>& files) {
  ZipWriter zip;
  for (const auto& [name, contents] : files) zip.add(name, contents);
  return std::move(zip).finish();
}

TEST(Npz, WhatIsMissingOrDoesNotFitIsNamed) {
  const std::vector<std::string> names = {"Ann"}, times = {kTime}, model = {"3f2a", "face"};
  const std::vector<float> values(16, 0.25f);
  const auto file = [&](std::int64_t person, std::size_t columns,
                        const std::string& embeddings = "") {
    const std::vector<std::int64_t> persons = {person};
    return zipped({{"names.npy", NpyArray::write(names)},
                   {"created.npy", NpyArray::write(times)},
                   {"embeddings.npy",
                    embeddings.empty() ? NpyArray::write(values, values.size() / columns, columns)
                                       : embeddings},
                   {"model.npy", NpyArray::write(model)},
                   {"person.npy", NpyArray::write(persons)},
                   {"source.npy", NpyArray::write(names)},
                   {"added.npy", NpyArray::write(times)}});
  };
  const auto complaint = [](const std::string& bytes) {
    return complaint_of(ErrorCode::kGallery, [&] { from_npz(bytes); });
  };
  EXPECT_EQ(complaint(file(0, 16)), "");
  EXPECT_THAT(complaint(file(1, 16)), HasSubstr("of person 1"));
  EXPECT_THAT(complaint(file(-1, 16)), HasSubstr("of person -1"));
  EXPECT_THAT(complaint(file(0, 8)), HasSubstr("\"person\" has 1 elements, there are 2"));
  EXPECT_THAT(complaint(file(0, 16, NpyArray::write(names))), HasSubstr("\"embeddings\": "));
  EXPECT_THAT(complaint(file(0, 16, "nonsense of a length")), HasSubstr("no .npy file"));
  EXPECT_THAT(complaint(zipped({})), HasSubstr("no array \"names\""));
  EXPECT_THAT(complaint("words"), HasSubstr("no ZIP archive"));
}

TEST(Npz, WithoutEmbeddingsIsWhatAGalleryWithoutAModelExportsAndNothingElse) {
  GalleryDocument persons_only = two_persons();
  persons_only.model.reset();
  persons_only.persons[0].embeddings.clear();
  expect_equal(persons_only, from_npz(to_npz(persons_only)), false);

  std::map<std::string, std::string> files = read_zip(to_npz(two_persons()), 1 << 20);
  ASSERT_EQ(files.erase("embeddings.npy"), 1u);
  const auto complaint = [&] {
    const std::string bytes = zipped({files.begin(), files.end()});
    return complaint_of(ErrorCode::kGallery, [&] { from_npz(bytes); });
  };
  EXPECT_THAT(complaint(), HasSubstr("no array \"embeddings\""));
  files.erase("model.npy");  // its rows still belong to persons
  EXPECT_THAT(complaint(), HasSubstr("no array \"embeddings\""));
  files.erase("person.npy");
  EXPECT_THAT(complaint(), HasSubstr("no array \"embeddings\""));
}

// The bytes that NumPy's documentation describes, written by hand.
std::string npy(const std::string& header, const std::string& data) {
  std::string bytes = "\x93NUMPY\x01";
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + data;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
}

TEST(Npz, ADirectoryThatPromisesMoreThanItsBytesCanBeIsRefusedBeforeThereIsRoomForIt) {
  // Of one file: a header of 30 bytes and the name, the contents; 46 bytes and the name; 22 bytes.
  std::string bytes = zipped({{"a.npy", std::string(100, 'x')}});
  const std::size_t directory = 30 + 5 + 100;
  ASSERT_EQ(bytes.substr(directory, 2), "PK");
  bytes[directory + 10] = 8;  // deflated
  put_number(bytes, directory + 24, 0xfffffff0);
  EXPECT_THAT(complaint_of(ErrorCode::kInput, [&] { read_zip(bytes, kLargestArchive << 10); }),
              HasSubstr("a.npy: the archive's directory says that 100 bytes are 4294967280"));
  EXPECT_THAT(complaint_of(ErrorCode::kInput, [&] { read_zip(bytes, 1 << 20); }),
              HasSubstr("more than 1048576 bytes"));
}

TEST(Npz, AShapeWithMoreColumnsThanAModelHasDimensionsIsRefused) {
  std::map<std::string, std::string> files = read_zip(to_npz(two_persons()), 1 << 20);
  // 2^32 + 16 would be 16 in an int.
  files["embeddings.npy"] =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967312), }\n", "");
  const std::string bytes = zipped({files.begin(), files.end()});
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { from_npz(bytes); }),
              HasSubstr("\"embeddings\": it has 4294967312 columns; expected the dimensions"));
}

TEST(Npy, ReadsWhatTheFormatDescribes) {
  const double values[] = {1, 2, 3, 4, 5, 6};
  const NpyArray array =
      NpyArray::read(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n",
                         std::string(reinterpret_cast<const char*>(values), sizeof values)));
  EXPECT_THAT(array.shape(), ElementsAre(2, 3));
  EXPECT_THAT(array.floats(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Npy, RefusesPickledObjectsAndWhatItDoesNotKnow) {
  const auto complaint = [](const std::string& header, const std::string& data = "") {
    return complaint_of(ErrorCode::kInput, [&] { NpyArray::read(npy(header, data)); });
  };
  EXPECT_THAT(complaint("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"),
              HasSubstr("pickled Python objects, which are never read"));
  EXPECT_THAT(complaint("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", "1234"),
              HasSubstr("of type >f4"));
  EXPECT_THAT(complaint("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", "1234"),
              HasSubstr("Fortran order"));
  EXPECT_THAT(complaint("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", "1234"),
              HasSubstr("4 bytes of data, its shape has 12"));
  EXPECT_THAT(complaint("{'descr': '<f4', 'fortran_order': False, "
                        "'shape': (4294967296, 4294967296, 4294967296), }\n",
                        "1234"),
              HasSubstr("larger than the file"));
  EXPECT_THAT(complaint("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n"),
              HasSubstr("several fields"));
  EXPECT_THAT(complaint("{}"), HasSubstr("no 'descr'"));
  EXPECT_THAT(complaint_of(ErrorCode::kInput, [] { NpyArray::read(std::string("\x93NUMPY")); }),
              HasSubstr("no .npy file"));
}

class ForeignTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& contents) {
    const std::filesystem::path path = scratch_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }
  std::string floats(std::initializer_list<float> values) {
    return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(float)};
  }

  Scratch scratch_;
  const ModelFingerprint model_{"3f2a91bc", "reid", 2};
};

TEST_F(ForeignTest, GvaidentifyNamesFilesOfFloats) {
  write("ann/1.tensor", floats({3, 4}));
  write("ann/2.tensor", floats({0, 2}));
  for (const char* text : {R"({"Ann": {"features": ["ann/1.tensor", "ann/2.tensor"]}})",
                           R"([{"name": "Ann", "features": ["ann/1.tensor", "ann/2.tensor"]}])"}) {
    const GalleryDocument document = from_gvaidentify(write("gallery.json", text), model_);
    ASSERT_EQ(document.persons.size(), 1u);
    EXPECT_EQ(*document.model, model_);
    EXPECT_EQ(document.persons[0].person.name, "Ann");
    ASSERT_EQ(document.persons[0].embeddings.size(), 2u);
    EXPECT_THAT(document.persons[0].embeddings[0].values, ElementsAre(0.6f, 0.8f));
    EXPECT_EQ(document.persons[0].embeddings[0].source, "1.tensor");
  }
}

TEST_F(ForeignTest, GvaidentifyWhatIsWrongIsNamed) {
  write("short.tensor", "abc");
  write("long.tensor", floats({1, 2, 3}));
  write("zero.tensor", floats({0, 0}));
  const auto complaint = [&](const std::string& text) {
    const auto path = write("gallery.json", text);
    return complaint_of(ErrorCode::kGallery, [&] { from_gvaidentify(path, model_); });
  };
  EXPECT_THAT(complaint("{"), HasSubstr("no JSON"));
  EXPECT_THAT(complaint("{}"), HasSubstr("nobody"));
  EXPECT_THAT(complaint(R"({"Ann": ["1.tensor"]})"), HasSubstr("Ann: expected"));
  EXPECT_THAT(complaint(R"([{"features": []}])"), HasSubstr("expected"));
  EXPECT_THAT(complaint(R"({"Ann": {"features": ["none.tensor"]}})"), HasSubstr("none.tensor"));
  EXPECT_THAT(complaint(R"({"Ann": {"features": ["short.tensor"]}})"), HasSubstr("3 bytes"));
  EXPECT_THAT(complaint(R"({"Ann": {"features": ["long.tensor"]}})"),
              HasSubstr("has 3 numbers, the model that was named has 2"));
  EXPECT_THAT(complaint(R"({"Ann": {"features": ["zero.tensor"]}})"), HasSubstr("Ann: "));
  EXPECT_THAT(complaint(R"({"Ann": {"features": [7]}})"), HasSubstr("no name of a file"));
}

TEST_F(ForeignTest, FilesWithoutBoundAreRefusedBeforeTheyAreRead) {
  const auto large = write("large.tensor", "");
  std::filesystem::resize_file(large, std::uintmax_t{1} << 40);  // without taking the room
  const auto names_it = write("gallery.json", R"({"Ann": {"features": ["large.tensor"]}})");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { from_gvaidentify(names_it, model_); }),
              HasSubstr("large.tensor: is larger than 256 KiB (it has 1099511627776 bytes)"));
  write("device.json", R"({"Ann": {"features": ["/dev/zero"]}})");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery,
                           [&] { from_gvaidentify(scratch_ / "device.json", model_); }),
              HasSubstr("/dev/zero: "));
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  const auto nested = write("nested.json", deep);
  for (const auto& import : {from_gvaidentify, from_face_recognition})
    EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { import(nested, model_); }),
                HasSubstr("nested.json: no JSON of such a gallery: arrays and objects are nested"));
}

TEST_F(ForeignTest, APersonThatIsThereTwiceIsNotLost) {
  const auto path = write("twice.json", R"({"Ann": [1, 0], "Ann": [0, 1]})");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { from_face_recognition(path, model_); }),
              HasSubstr("\"Ann\" is there twice"));
}

TEST_F(ForeignTest, FaceRecognitionInEachForm) {
  const std::vector<std::string> names = {"Ann", "Bob", "Ann"};
  const std::vector<float> rows = {3, 4, 1, 0, 0, 2};
  const std::filesystem::path files[] = {
      write("flat.json", R"({"Ann": [[3, 4], [0, 2]], "Bob": [1, 0]})"),
      write("lists.json",
            R"({"names": ["Ann", "Bob", "Ann"], "encodings": [[3, 4], [1, 0], [0, 2]]})"),
      write("lists.npz", zipped({{"names.npy", NpyArray::write(names)},
                                 {"encodings.npy", NpyArray::write(rows, 3, 2)}})),
      write("named.npz", zipped({{"Ann.npy", NpyArray::write(std::vector<float>{3, 4, 0, 2}, 2, 2)},
                                 {"Bob.npy", NpyArray::write(std::vector<float>{1, 0}, 1, 2)}})),
  };
  for (const auto& file : files) {
    const GalleryDocument document = from_face_recognition(file, model_);
    ASSERT_EQ(document.persons.size(), 2u) << file;
    EXPECT_EQ(document.persons[0].person.name, "Ann");
    ASSERT_EQ(document.persons[0].embeddings.size(), 2u);
    EXPECT_THAT(document.persons[0].embeddings[0].values, ElementsAre(0.6f, 0.8f));
    EXPECT_THAT(document.persons[0].embeddings[1].values, ElementsAre(0, 1));
    EXPECT_THAT(document.persons[1].embeddings[0].values, ElementsAre(1, 0));
  }
}

TEST_F(ForeignTest, PickledEncodingsAreRefusedWithTheWayOut) {
  const auto path = write("encodings.pickle", "\x80\x04\x95 anything");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { from_face_recognition(path, model_); }),
              HasSubstr("is pickled, and is not read"));
}

TEST_F(ForeignTest, FaceRecognitionWhatIsWrongIsNamed) {
  const auto complaint = [&](const std::string& text) {
    const auto path = write("encodings.json", text);
    return complaint_of(ErrorCode::kGallery, [&] { from_face_recognition(path, model_); });
  };
  EXPECT_THAT(complaint("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(complaint(R"({"Ann": 3})"), HasSubstr("Ann: expected"));
  EXPECT_THAT(complaint(R"({"Ann": []})"), HasSubstr("Ann: expected"));
  EXPECT_THAT(complaint(R"({"Ann": [1, "x"]})"), HasSubstr("no number"));
  EXPECT_THAT(complaint(R"({"Ann": [1, 2, 3]})"), HasSubstr("has 3 numbers"));
  EXPECT_THAT(complaint(R"({"names": ["Ann"], "encodings": []})"), HasSubstr("equal length"));
  EXPECT_THAT(complaint("PK\x03\x04"), HasSubstr("no ZIP archive"));
}

}  // namespace
}  // namespace sightline
