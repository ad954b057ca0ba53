// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Libraries of parsers that cannot be loaded, or hold something else.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser_fixture.h"

namespace sightline {
namespace {

using test::complaint;
using test::parser_config;
using ::testing::AllOf;
using ::testing::HasSubstr;

const NetworkShape kNetwork{{16, 16}, {{"table", ElementType::kFloat32, {3, 5}}}};

TEST(ParserLibrary, EachComplaintNamesTheLineAndWhatToDo) {
  const auto folder = std::filesystem::temp_directory_path() / "sightline-parser-library";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "text.so") << "int main() {}\n";
  const auto of = [&](const std::string& path) {
    return complaint(
        "[property]\nlabels=a\ncustom-lib-path=" + path + "\nparse-bbox-func-name=Parse\n",
        kNetwork, folder);
  };
  EXPECT_THAT(of("nowhere.so"),
              AllOf(HasSubstr("test.ini:3: custom-lib-path = nowhere.so"),
                    HasSubstr("there is no " + (folder / "nowhere.so").string())));
  EXPECT_THAT(of("text.so"), AllOf(HasSubstr("test.ini:3: custom-lib-path = text.so"),
                                   HasSubstr("is no library that can be loaded")));
  EXPECT_THAT(of("."), AllOf(HasSubstr("test.ini:3"), HasSubstr("is a folder")));
  EXPECT_THAT(complaint("[property]\nlabels=a\nparse-bbox-func-name=Parse\n", kNetwork),
              AllOf(HasSubstr("test.ini:3: parse-bbox-func-name = Parse"),
                    HasSubstr("needs custom-lib-path")));
  std::filesystem::remove_all(folder);
}

TEST(ParserLibrary, AFunctionThatIsNotThereIsNamed) {
  EXPECT_THAT(
      complaint(parser_config("yolo_rows", "parse-bbox-func-name=Misspelt\nlabels=a"), kNetwork),
      AllOf(HasSubstr("parse-bbox-func-name = Misspelt"),
            HasSubstr("libyolo_rows.so exports nothing of that name")));
  EXPECT_THAT(complaint(parser_config("center_boxes", "parser=Misspelt\nlabels=a"), kNetwork),
              AllOf(HasSubstr("parser = Misspelt"), HasSubstr("exports nothing of that name")));
}

TEST(ParserLibrary, ALibraryOfAnotherHeaderIsNotCalled) {
  EXPECT_THAT(
      complaint(parser_config("other_header", "parse-bbox-func-name=ParseSomething\nlabels=a"),
                kNetwork),
      AllOf(HasSubstr("parse-bbox-func-name = ParseSomething"),
            HasSubstr("was not built with Sightline's nvdsinfer.h"),
            HasSubstr("pkg-config sightline-parser-1.0")));
}

TEST(ParserLibrary, AParserOfAnotherVersionIsNotCalled) {
  const auto of = [](const std::string& library, const std::string& name) {
    return complaint(parser_config(library, "parser=" + name + "\nlabels=a"), kNetwork);
  };
  EXPECT_THAT(
      of("bad_sight_parsers", "future"),
      AllOf(HasSubstr("parser = future"), HasSubstr("has version 2 of the interface, expected 1")));
  EXPECT_THAT(of("bad_sight_parsers", "small"), HasSubstr("is of 16 bytes, expected"));
  EXPECT_THAT(of("bad_sight_parsers", "no_kind"), HasSubstr("is of kind 77"));
  EXPECT_THAT(of("bad_sight_parsers", "no_function"), HasSubstr("has no function to parse with"));
  EXPECT_THAT(of("misbehaving", "no_parser_at_all"),
              AllOf(HasSubstr("is no SightParser"), HasSubstr("parse-bbox-func-name")));
  EXPECT_THAT(of("misbehaving", "throws"), HasSubstr("is no SightParser"));
}

TEST(ParserLibrary, OneWayOfReadingIsEnough) {
  EXPECT_THAT(
      complaint(parser_config("center_boxes", "parser=center_boxes\nlabels=a\nmodel-family=yolov8"),
                kNetwork),
      AllOf(HasSubstr("parser = center_boxes"), HasSubstr("Leave one of them out")));
  EXPECT_THAT(
      complaint(parser_config("center_boxes", "parser=center_boxes\nlabels=a\nnetwork-type=1"),
                kNetwork),
      HasSubstr("network-type = 1: parser = center_boxes is of another type"));
  EXPECT_THAT(complaint(parser_config("masks",
                                      "parse-bbox-instance-mask-func-name=NvDsInferParseMasks\n"
                                      "parse-segmentation-func-name=NvDsInferParseMap\nlabels=a"),
                        kNetwork),
              HasSubstr("network-type says which of them counts"));
}

}  // namespace
}  // namespace sightline
