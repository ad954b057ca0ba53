// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/input.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// The smallest beginnings that tell what a file is.
const std::string kJpeg("\xFF\xD8\xFF\xE0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xFF\xDB\0\x43", 24);
const std::string kPng("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16);

class InputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  std::vector<std::string> names(const std::string& text) const {
    std::vector<std::string> list;
    for (const Input& input : resolve_input(text)) {
      EXPECT_EQ(input.kind, InputKind::kFile);
      list.push_back(std::filesystem::path(input.text).filename());
    }
    return list;
  }

  static std::string complaint(const std::string& text) {
    try {
      resolve_input(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "no complaint";
  }

  ScratchFolder folder_;
};

TEST_F(InputTest, AFolderIsItsPicturesAndClipsInOrder) {
  folder_.write("b.jpg", kJpeg);
  folder_.write("a.png", kPng);
  folder_.write("notes.txt", "only words, and enough of them to be recognised as text\n");
  folder_.write(".hidden.jpg", kJpeg);
  EXPECT_THAT(names(folder_.path("").string()), ElementsAre("a.png", "b.jpg"));
}

TEST_F(InputTest, AnEmptyFolderIsAnError) {
  EXPECT_THAT(complaint(folder_.path("").string()), HasSubstr("no picture and no clip"));
}

TEST_F(InputTest, AGlobIsTheFilesThatItMatches) {
  folder_.write("2.jpg", kJpeg);
  folder_.write("1.jpg", kJpeg);
  folder_.write("1.png", kPng);
  EXPECT_THAT(names(folder_.path("*.jpg").string()), ElementsAre("1.jpg", "2.jpg"));
  EXPECT_THAT(complaint(folder_.path("*.gif").string()), HasSubstr("no file has such a name"));
}

TEST_F(InputTest, AnExistingFileIsOneWhateverItIsCalled) {
  folder_.write("a[1] ! b*.jpg", kJpeg);
  EXPECT_THAT(names(folder_.path("a[1] ! b*.jpg").string()), ElementsAre("a[1] ! b*.jpg"));
}

TEST_F(InputTest, AddressesAreShownWithoutTheirPasswords) {
  const Input input = resolve_input("file://user:secret@host/clip.mp4").front();
  EXPECT_EQ(input.kind, InputKind::kAddress);
  EXPECT_EQ(input.text, "file://user:secret@host/clip.mp4");
  EXPECT_EQ(input.name, "file://host/clip.mp4");
  EXPECT_THAT(
      complaint("gopher://user:secret@host/"),
      AllOf(HasSubstr("gopher://host/: nothing here opens"), testing::Not(HasSubstr("secret"))));
}

TEST_F(InputTest, FragmentsAreElementsOrLinks) {
  EXPECT_EQ(resolve_input("fakesrc num-buffers=3").front().kind, InputKind::kFragment);
  EXPECT_EQ(resolve_input("rtspsrc location=rtsp://a/b ! queue").front().kind,
            InputKind::kFragment);
}

TEST_F(InputTest, LinesAboutALongFragmentHaveItsBeginningOnly) {
  const std::string dots = "fakesrc ! " + std::string(49, 'x');
  EXPECT_EQ(resolve_input(dots + "é").front().label(), dots + "é");
  EXPECT_EQ(resolve_input(dots + "éx").front().label(), dots + "é…");
  EXPECT_EQ(resolve_input(dots + "éx").front().name, dots + "éx");
  const auto picture = folder_.write(std::string(80, 'x') + ".jpg", kJpeg).string();
  EXPECT_EQ(resolve_input(picture).front().label(), picture);
}

TEST_F(InputTest, ACameraThatIsNotThereIsNamed) {
  EXPECT_THAT(complaint("/dev/video97"), HasSubstr("/dev/video97: no such camera"));
}

TEST_F(InputTest, WhatIsNothingIsNamed) {
  EXPECT_EQ(complaint("/nowhere/clip.mp4"), "/nowhere/clip.mp4: no such file.");
  EXPECT_THAT(complaint("/dev/null"), HasSubstr("neither a file nor a folder nor a camera"));
}

TEST_F(InputTest, PicturesThatAreNotThereAreLeftToWhoeverReadsThem) {
  const auto picture = folder_.write("a.jpg", kJpeg).string();
  const std::vector<std::string> texts = {"/nowhere/b.jpg", picture,
                                          folder_.path("*.jpg").string()};
  EXPECT_THAT(resolve_pictures(texts), ElementsAre("/nowhere/b.jpg", picture, EndsWith("a.jpg")));
}

TEST_F(InputTest, ContentIsKnownByItsFirstBytes) {
  EXPECT_EQ(content_of(folder_.write("a", kJpeg)).type, "image/jpeg");
  EXPECT_EQ(content_of(folder_.write("b", kPng)).type, "image/png");
  EXPECT_EQ(content_of(folder_.write("c", std::string("\1\2\3", 3))).type, "");
  EXPECT_THROW(content_of(folder_.write("empty", "")), Error);
  EXPECT_THROW(content_of("/nowhere/a.jpg"), Error);
  EXPECT_THROW(content_of("/"), Error);
}

TEST_F(InputTest, WhatGivesFramesAtItsOwnPaceIsLive) {
  const auto live = [](const std::string& text) { return is_live(resolve_input(text).front()); };
  for (const char* text :
       {"videotestsrc is-live=true",
        "videotestsrc is-live=true num-buffers=5 ! video/x-raw,width=64",
        "videotestsrc num-buffers=1 ! imagefreeze is-live=true", "udpsrc port=5004 ! identity",
        "uridecodebin uri=rtsp://door/1 ! videoconvert",
        "rtspsrc location=rtsp://door/1 ! decodebin"})
    EXPECT_TRUE(live(text)) << text;
  for (const char* text : {"videotestsrc", "videotestsrc ! video/x-raw,width=64",
                           "filesrc location=a.png ! pngdec ! imagefreeze", "nothing ! nowhere"})
    EXPECT_FALSE(live(text)) << text;
  EXPECT_TRUE(is_live(input_at("rtsp://door/1")));
  EXPECT_TRUE(is_live(input_at("RTSPT://door/1")));
  EXPECT_FALSE(is_live(input_at("http://door/clip.mp4")));
  EXPECT_FALSE(is_live(input_at("file:///rtsp")));
  EXPECT_TRUE(is_live({InputKind::kCamera, "/dev/video9", "door"}));
}

}  // namespace
}  // namespace sightline
