// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/config_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "complaint.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConfigFile, ReadsGroupsKeysAndKindsOfValues) {
  const ConfigFile file = ConfigFile::parse(
      "# a comment\n[property]\nbatch-size = 8\n offsets=1;2.5;-3;\nonnx-file = "
      "m.onnx\r\nlabels=cat ; dog;\n"
      "[class-attrs-all]\nthreshold=0.5\nflag=yes",
      "a.ini", "/models");
  EXPECT_EQ(file.get("property", "batch-size").as_int(1, 10), 8);
  EXPECT_THAT(file.get("property", "offsets").as_floats(), ElementsAre(1, 2.5, -3));
  EXPECT_EQ(file.get("property", "onnx-file").as_path(), "/models/m.onnx");
  EXPECT_THAT(file.get("property", "labels").as_strings(), ElementsAre("cat", "dog"));
  EXPECT_FLOAT_EQ(file.get("class-attrs-all", "threshold").as_float(0, 1), 0.5f);
  EXPECT_TRUE(file.get("class-attrs-all", "flag").as_bool());
  EXPECT_FALSE(file.find("property", "threshold"));
  EXPECT_NO_THROW(file.reject_unknown());
}

TEST(ConfigFile, EveryComplaintNamesFileLineKeyAndWhatWasExpected) {
  const ConfigFile file =
      ConfigFile::parse("[property]\nn = 12x\nf = nan\nw = blue\np =\n", "a.ini");
  EXPECT_THAT(complaint([&] { file.get("property", "n").as_int(0, 5); }),
              AllOf(HasSubstr("a.ini:2: n = 12x"), HasSubstr("from 0 to 5")));
  EXPECT_THAT(complaint([&] { file.get("property", "f").as_float(0, 1); }),
              HasSubstr("a.ini:3: f = nan"));
  EXPECT_THAT(complaint([&] {
                file.get("property", "w").as_one_of<int>({{"red", 0}, {"green", 1}});
              }),
              HasSubstr("a.ini:4: w = blue: no such value. Known: red, green"));
  EXPECT_THAT(complaint([&] { static_cast<void>(file.get("property", "p").as_path()); }),
              HasSubstr("a.ini:5"));
  EXPECT_THAT(complaint([&] { static_cast<void>(file.get("property", "q")); }),
              HasSubstr("the key q is missing"));
}

TEST(ConfigFile, UnknownKeysAndGroupsAreErrorsThatNameTheNearest) {
  const ConfigFile file = ConfigFile::parse("[property]\nbatch-sise = 8\n", "a.ini");
  static_cast<void>(file.find("property", "batch-size"));
  EXPECT_EQ(complaint([&] { file.reject_unknown(); }),
            "a.ini:2: batch-sise: no such key in [property]. Did you mean batch-size?");
  const ConfigFile groups = ConfigFile::parse("[proprty]\n", "b.ini");
  EXPECT_EQ(complaint([&] { groups.reject_unknown(); }), "b.ini:1: [proprty]: no such group");
}

TEST(ConfigFile, LinesThatAreNoneAreErrors) {
  EXPECT_THAT(complaint([] { ConfigFile::parse("[property]\nhello\n", "a.ini"); }),
              HasSubstr("a.ini:2: expected \"key = value\""));
  EXPECT_THAT(complaint([] { ConfigFile::parse("x=1\n", "a.ini"); }),
              HasSubstr("a.ini:1: a key before any group"));
  EXPECT_THAT(complaint([] { ConfigFile::parse("[property\n", "a.ini"); }),
              HasSubstr("no closing bracket"));
  EXPECT_THAT(complaint([] { ConfigFile::parse("[p]\na=1\na=2\n", "a.ini"); }),
              HasSubstr("a.ini:3: a: already set in line 2"));
  EXPECT_THAT(complaint([] { ConfigFile::parse(std::string_view("[p]\n\0x=1\n", 10), "a.ini"); }),
              HasSubstr("zero byte"));
  EXPECT_THAT(complaint([] { ConfigFile::read("/nowhere/a.ini"); }),
              HasSubstr("/nowhere/a.ini: no such configuration file"));
  EXPECT_THAT(complaint([] { ConfigFile::read("/"); }), HasSubstr("is a folder"));
}

TEST(ConfigFile, YamlSaysWhatIniSays) {
  const ConfigFile file = ConfigFile::parse_yaml(
      "# nvinfer's\nproperty:\n  batch-size: 8\n  offsets: 1;2.5;-3\n  labels: [cat, 'a dog']\n"
      "  onnx-file: m.onnx\n  nothing:\nclass-attrs-all:\n  topk: 20\nclass-attrs-1:\n",
      "a.yml", "/models");
  EXPECT_EQ(file.get("property", "batch-size").as_int(1, 10), 8);
  EXPECT_THAT(file.get("property", "offsets").as_floats(), ElementsAre(1, 2.5, -3));
  EXPECT_THAT(file.get("property", "labels").as_strings(), ElementsAre("cat", "a dog"));
  EXPECT_EQ(file.get("property", "onnx-file").as_path(), "/models/m.onnx");
  EXPECT_EQ(file.get("property", "nothing").text(), "");
  EXPECT_THAT(file.groups(), ElementsAre("property", "class-attrs-all", "class-attrs-1"));
  EXPECT_THAT(file.keys("class-attrs-all"), ElementsAre("topk"));
  EXPECT_THAT(complaint([&] { file.get("class-attrs-all", "topk").fail("no"); }),
              HasSubstr("a.yml:9:9: topk = 20: no"));
}

TEST(ConfigFile, YamlThatHoldsNoGroupsIsAnError) {
  for (const char* text :
       {"- a\n", "property: 3\n", "property: [1]\n", "property:\n  a: {b: 1}\n",
        "property:\n  a: [[1]]\n", "property:\n  a: 1\n  a: 2\n", "", "a: b: c\n"})
    EXPECT_THAT(complaint([&] { ConfigFile::parse_yaml(text, "a.yml"); }), HasSubstr("a.yml"))
        << text;
}

TEST(ConfigFile, ValuesAreLaidOverAndUnderTheFile) {
  ConfigFile file = ConfigFile::parse("[property]\na=1\nb=2\n", "a.ini", "/models");
  file.set("property", "a", "9", "the property a");
  file.set("property", "c", "x", "the property c");
  file.set_default("property", "b", "7", "somebody's default");
  file.set_default("property", "d", "7", "somebody's default");
  EXPECT_THAT(complaint([&] { file.get("property", "a").fail("no"); }),
              HasSubstr("the property a: a = 9: no"));
  EXPECT_EQ(file.get("property", "b").text(), "2");
  EXPECT_EQ(file.get("property", "c").as_path(), "x");
  EXPECT_EQ(file.peek("property", "d")->where(), "somebody's default");
  EXPECT_NO_THROW(file.reject_unknown());  // nobody asked for d
  EXPECT_THAT(file.keys("property"), ElementsAre("a", "b", "c"));
}

TEST(ConfigFile, TheLastOfTwoMayCount) {
  const ConfigFile file =
      ConfigFile::parse("[p]\na=1\na=2\n", "a.ini", {}, ConfigFile::Repeats::kLastCounts);
  EXPECT_EQ(file.get("p", "a").text(), "2");
  EXPECT_THAT(file.keys("p"), ElementsAre("a"));
}

}  // namespace
}  // namespace sightline
