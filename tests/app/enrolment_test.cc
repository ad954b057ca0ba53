// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/known_faces.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ModelFingerprint kModel{"3f2a", "test", 2};

class StoreViewsTest : public ::testing::Test {
 protected:
  std::vector<std::size_t> store(const std::string& name, const std::vector<FaceView>& views) {
    return store_views(gallery_, {{name, views}}, kModel);
  }
  static FaceView view(const std::string& source, Embedding embedding) {
    return {source, std::move(embedding), {}, {}};
  }

  ScratchFolder folder_;
  const std::string gallery_ = folder_.path("people.db");
};

// Whoever looked into the gallery before may have been overtaken by another program.
TEST_F(StoreViewsTest, APictureThatIsThereByItsContentsIsNotStoredAgain) {
  const std::string hash = "0123456789abcdef";
  EXPECT_THAT(store("Ada", {view(source_of("1.png", hash), {1, 0})}), IsEmpty());
  EXPECT_THAT(store("Ada", {view("other.png", {0, 1}), view(source_of("copy.png", hash), {1, 0})}),
              ElementsAre(1));
  EXPECT_EQ(pictures_of(gallery_, "Ada"), 2);
  EXPECT_THAT(store("Bob", {view(source_of("1.png", hash), {1, 0})}), IsEmpty());
}

// All have the contents of the clip.
TEST_F(StoreViewsTest, ViewsOfOneClipAreStoredTogetherAndOnce) {
  const std::string source = source_of("ada.mp4", "0123456789abcdef");
  const std::vector<FaceView> views = {view(source, {1, 0}), view(source, {0, 1})};
  EXPECT_THAT(store("Ada", views), IsEmpty());
  EXPECT_THAT(store("Ada", views), ElementsAre(0, 1));
  EXPECT_EQ(pictures_of(gallery_, "Ada"), 2);
}

TEST_F(StoreViewsTest, WithoutAHashSourceAndEmbeddingTellWhatIsThere) {
  const std::string source = "door, frame 3, track 7: 2 faces";
  EXPECT_THAT(store("Ada", {view(source, {3, 0})}), IsEmpty());
  EXPECT_THAT(store("Ada", {view(source, {5, 0}), view(source, {1, 1}), view("camera", {1, 0})}),
              ElementsAre(0));
  EXPECT_EQ(pictures_of(gallery_, "Ada"), 3);
}

}  // namespace
}  // namespace sightline
