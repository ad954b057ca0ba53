// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/yaml_document.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "complaint.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class YamlDocumentTest : public testing::Test {
 protected:
  YamlValue read(const std::string& text) const {
    return YamlValue::read(folder_.write("site.yaml", text));
  }

  test::TemporaryFolder folder_;
};

TEST_F(YamlDocumentTest, ReadsEveryKindOfValue) {
  YamlMap map(
      read("text: \"a: b\"\nyes: on\nno: false\nint: 7\nnumber: 0.25\npath: clips/a.mp4\n"
           "list: [a, b]\n"));
  EXPECT_EQ(map.find("text")->as_text(), "a: b");
  EXPECT_TRUE(map.find("yes")->as_bool());
  EXPECT_FALSE(map.find("no")->as_bool());
  EXPECT_EQ(map.find("int")->as_int(0, 10), 7);
  EXPECT_EQ(map.find("number")->as_number(0, 1), 0.25);
  EXPECT_EQ(map.find("path")->as_path(), folder_.path() / "clips/a.mp4");
  EXPECT_EQ(map.find("list")->as_list().size(), 2u);
  EXPECT_FALSE(map.find("absent"));
  EXPECT_EQ(complaint([&] { map.reject_unknown(); }), "no complaint");
}

TEST_F(YamlDocumentTest, ComplaintsNameFileLineColumnAndKey) {
  YamlMap map(read("a: 1\nb:\n  c: eleven\n"));
  YamlMap inner(*map.find("b"));
  EXPECT_THAT(complaint([&] { inner.find("c")->as_int(0, 10); }),
              AllOf(HasSubstr("site.yaml:3:6: c: found \"eleven\""), HasSubstr("from 0 to 10")));
}

// As nvtracker's files do; OpenCV writes a second line "---" as well.
TEST_F(YamlDocumentTest, MayBeginAsFilesOfOpenCv) {
  for (const char* begin : {"%YAML:1.0\n", "%YAML:1.0\n---\n", "%YAML 1.1\n---\n"}) {
    YamlMap map(read(begin + std::string("age: 4\n")));
    EXPECT_EQ(map.find("age")->as_int(0, 10), 4) << begin;
  }
  EXPECT_EQ(YamlMap(read("%YAML:1.0\nage: 4\n")).find("age")->where(),
            (folder_.path() / "site.yaml:2:6").string());
}

TEST_F(YamlDocumentTest, RefusesValuesOutOfTheirRange) {
  YamlMap map(read("int: 11\nnan: .nan\nnan2: nan\ninf: inf\nflag: maybe\nempty:\nlist: [1]\n"));
  EXPECT_THAT(complaint([&] { map.find("int")->as_int(0, 10); }), HasSubstr("from 0 to 10"));
  for (const char* key : {"nan", "nan2", "inf"})
    EXPECT_THAT(complaint([&] { map.find(key)->as_number(0, 1); }), HasSubstr("from 0 to 1"));
  EXPECT_THAT(complaint([&] { map.find("flag")->as_bool(); }), HasSubstr("true or false"));
  EXPECT_THAT(complaint([&] { map.find("empty")->as_text(); }), HasSubstr("has no value"));
  EXPECT_THAT(complaint([&] { map.find("list")->as_text(); }), HasSubstr("found a list"));
  EXPECT_THAT(complaint([&] { map.find("int")->as_list(); }), HasSubstr("expected a list"));
  EXPECT_THAT(complaint([&] { YamlMap{*map.find("int")}; }), HasSubstr("key: value"));
}

TEST_F(YamlDocumentTest, RefusesUnknownKeysWithTheNearestKnownOne) {
  YamlMap map(read("inputs: 1\ngalery: people.db\n"));
  map.find("inputs");
  map.find("gallery");
  EXPECT_THAT(complaint([&] { map.reject_unknown(); }),
              HasSubstr("site.yaml:2:1: galery: no such key. Did you mean gallery?"));
}

TEST_F(YamlDocumentTest, RefusesAKeyThatIsThereTwice) {
  EXPECT_THAT(complaint([&] { YamlMap{read("a: 1\nb: 2\na: 3\n")}; }),
              AllOf(HasSubstr("site.yaml:3:1: a"), HasSubstr("site.yaml:1:1")));
}

TEST_F(YamlDocumentTest, SaysWhereAFileIsNoYaml) {
  for (const std::string text : {"a: [1, 2\nb: 3\n", "\tb: 1\n", "a: 'open\n", "a: *nowhere\n",
                                 "a: b: c\n", "- a\nb: 1\n", "&x : @\n"})
    EXPECT_THAT(complaint([&] { read(text); }), testing::ContainsRegex("site.yaml:[0-9]+:[0-9]+: "))
        << text;
}

TEST_F(YamlDocumentTest, RefusesFilesThatHoldNoDocumentOrTwo) {
  for (const std::string text : {"", "# only a comment\n", "\n\n"})
    EXPECT_THAT(complaint([&] { read(text); }), HasSubstr("is empty"));
  EXPECT_THAT(complaint([&] { read("a: 1\n---\nb: 2\n"); }), HasSubstr("second document"));
  EXPECT_THAT(complaint([&] { read(std::string("a\0b: 1", 6)); }), HasSubstr("site.yaml"));
  EXPECT_THAT(complaint([&] { read("\xff\xfe\xfd"); }), HasSubstr("site.yaml"));
  EXPECT_THAT(complaint([&] { YamlValue::read(folder_.path() / "."); }), HasSubstr("is a folder"));
  EXPECT_THAT(complaint([&] { YamlValue::read(folder_.path() / "none.yaml"); }),
              HasSubstr("none.yaml: no such file"));
}

TEST_F(YamlDocumentTest, ADocumentThatHoldsItselfOrIsVeryDeepIsNoAccident) {
  YamlMap map(read("a: &a [*a]\n"));
  const auto list = map.find("a")->as_list();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_THAT(complaint([&] { list.front().as_text(); }), HasSubstr("found a list"));
  const std::string complaint_or_none = complaint([&] { read(std::string(50'000, '[')); });
  EXPECT_THAT(complaint_or_none, HasSubstr("site.yaml"));
}

}  // namespace
}  // namespace sightline
