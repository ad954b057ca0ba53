// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/enrolment_check.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Face face(CropQuality quality, float side = 100) {
  Face face;
  face.box = {10, 10, side, side};
  face.embedding = {1, 0};
  face.quality = quality;
  return face;
}

PictureFaces picture(std::vector<Face> faces) {
  PictureFaces picture;
  picture.file = "ada.jpg";
  picture.faces = std::move(faces);
  picture.model = ModelFingerprint{"3f2a", "test", 2};
  return picture;
}

std::string reason(const PictureFaces& picture) {
  const auto objection = picture_objection(picture, {});
  return objection ? objection->reason : "";
}

constexpr CropQuality kGood{2, 1, 120, 0.3f};

TEST(EnrolmentCheck, EachFlawIsSaidWithWhatIsNeeded) {
  EXPECT_EQ(reason(picture({face(kGood)})), "");
  EXPECT_EQ(reason(picture({})), "no-face");
  EXPECT_EQ(reason(picture({face(kGood), face(kGood)})), "several-faces");
  EXPECT_EQ(reason(picture({face({2, 4, 120, 0.3f})})), "too-small");
  EXPECT_EQ(reason(picture({face({2, 1, 20, 0.3f})})), "too-dark");
  EXPECT_EQ(reason(picture({face({2, 1, 120, 0.05f})})), "blurred");
  EXPECT_EQ(reason(picture({face({20, 1, 120, 0.3f})})), "turned-away");
  EXPECT_EQ(reason(picture({face({2, 1, 120})})), "");  // nobody measured its sharpness
  Face without = face(kGood);
  without.embedding.clear();
  EXPECT_EQ(reason(picture({without})), "not-embedded");
}

TEST(EnrolmentCheck, TheWordsHaveTheNumbers) {
  // 46 pixels that are enlarged 4.6 times: 92 would be enlarged 2.3 times, the limit.
  const auto small = picture_objection(picture({face({2, 4.6f, 120, 0.3f}, 46)}), {});
  EXPECT_THAT(small->words, HasSubstr("46 × 46 pixels, about 92 are needed"));
  const auto blurred = picture_objection(picture({face({2, 1, 120, 0.05f})}), {});
  EXPECT_THAT(blurred->words, HasSubstr("sharpness 0.050, 0.100 is needed"));
}

TEST(EnrolmentCheck, OnlyWhatHasAFaceMayBeForced) {
  PictureFaces unreadable;
  unreadable.error = "x.jpg: is empty";
  EXPECT_FALSE(picture_objection(unreadable, {})->may_be_forced);
  EXPECT_FALSE(picture_objection(picture({}), {})->may_be_forced);
  EXPECT_TRUE(picture_objection(picture({face(kGood), face(kGood)}), {})->may_be_forced);
  EXPECT_TRUE(picture_objection(picture({face({2, 4, 120})}), {})->may_be_forced);
}

TEST(EnrolmentCheck, OfSeveralFacesTheLargestIsMeant) {
  EXPECT_EQ(face_to_enrol(picture({face(kGood, 40), face(kGood, 90), face(kGood, 60)})).box.width,
            90);
}

// In a plane, so that similarities are cosines of angles. At the shipped threshold, 0.9847, views
// are 10.0 degrees apart; at least_fit(), 0.9837, 10.4.
Embedding at(double degrees) {
  const double radians = degrees * M_PI / 180;
  return {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))};
}

std::vector<std::string> reasons(const std::string& person, std::initializer_list<double> views,
                                 const KnownFaces& known, Origin origin = Origin::kPictures) {
  std::vector<Embedding> units;
  for (const double degrees : views) units.push_back(at(degrees));
  std::vector<std::string> reasons;
  for (const auto& objection : person_objections(person, units, known, {}, origin))
    reasons.emplace_back(objection ? objection->reason : "");
  return reasons;
}

TEST(EnrolmentCheck, AFaceOfSomebodyElseIsRefused) {
  KnownFaces known;
  known.add("Ada", at(0), "");
  EXPECT_THAT(reasons("Bob", {5}, known), ElementsAre("somebody-else"));
  EXPECT_THAT(reasons("Bob", {10.2}, known), ElementsAre(""));
  EXPECT_THAT(reasons("Ada", {5}, known), ElementsAre(""));
  EXPECT_THAT(person_objections("Bob", std::vector<Embedding>{at(5)}, known, {})[0]->words,
              HasSubstr("looks like Ada (similarity 0.9962)"));
}

// By the tail of the similarities of strangers that the rule names: so many pictures, so many
// chances to resemble one by accident.
TEST(EnrolmentCheck, ALargeGalleryNeedsAGreaterLikeness) {
  KnownFaces known;
  for (int i = 0; i < 1754; ++i) known.add("Person " + std::to_string(i), at(90), "");
  known.add("Ada", at(0), "");
  EXPECT_THAT(reasons("Bob", {8}, known), ElementsAre(""));
  EXPECT_THAT(reasons("Bob", {5}, known), ElementsAre("somebody-else"));
}

TEST(EnrolmentCheck, WhatFitsThePersonsOwnPicturesBetterIsThePersons) {
  KnownFaces known;
  known.add("Ada", at(0), "");
  known.add("Her twin", at(6), "");
  EXPECT_THAT(reasons("Her twin", {4}, known), ElementsAre(""));
  EXPECT_THAT(reasons("Her twin", {2}, known), ElementsAre("somebody-else"));
}

// Whoever is enrolled second must not fare worse than who is enrolled first.
TEST(EnrolmentCheck, NewPicturesThatFitEachOtherBetterThanSomebodyElseAreAPersons) {
  KnownFaces known;
  known.add("Ada", at(0), "");
  EXPECT_THAT(reasons("Her twin", {8, 9, 10}, known), ElementsAre("", "", ""));
  EXPECT_THAT(reasons("Her twin", {8}, known), ElementsAre("somebody-else"));
  // One that is nearer to Ada is hers all the same.
  EXPECT_THAT(reasons("Her twin", {8, 9, 10, 3}, known), ElementsAre("", "", "", "somebody-else"));
}

TEST(EnrolmentCheck, PicturesThatAreAllOfSomebodyElseAreRefused) {
  KnownFaces known;
  for (const double degrees : {0, 2, 4, 6}) known.add("Ada", at(degrees), "");
  EXPECT_THAT(reasons("Bob", {1, 3, 5}, known),
              ElementsAre("somebody-else", "somebody-else", "somebody-else"));
  EXPECT_THAT(reasons("Bob", {-1, 3, 7}, known),
              ElementsAre("somebody-else", "somebody-else", "somebody-else"));
}

// Frames of one minute are alike, whoever it is.
TEST(EnrolmentCheck, ViewsOfAVideoAreNoWitnessesForEachOther) {
  KnownFaces known;
  known.add("Ada", at(0), "");
  EXPECT_THAT(reasons("Bob", {8, 8.1, 8.2}, known, Origin::kVideo),
              ElementsAre("somebody-else", "somebody-else", "somebody-else"));
}

TEST(EnrolmentCheck, AViewThatDoesNotFitTheOthersIsRefused) {
  EXPECT_THAT(reasons("Ada", {0, 5, 40, 9}, {}), ElementsAre("", "", "does-not-fit", ""));
  KnownFaces known;
  known.add("Ada", at(0), "");
  EXPECT_THAT(reasons("Ada", {40, 41, 42, 5}, known),
              ElementsAre("does-not-fit", "does-not-fit", "does-not-fit", ""));
}

TEST(KnownFaces, KnowAPictureAgainByItsContents) {
  KnownFaces known;
  known.add("Ada", at(0), "0123456789abcdef");
  EXPECT_TRUE(known.has_picture("Ada", "0123456789abcdef"));
  EXPECT_FALSE(known.has_picture("Bob", "0123456789abcdef"));
  EXPECT_FALSE(known.has_picture("Ada", "fedcba9876543210"));
  known.add("Ada", at(1), "");
  EXPECT_FALSE(known.has_picture("Ada", ""));
  EXPECT_EQ(source_of("people/Ada/1.jpg", "0123456789abcdef"), "1.jpg#0123456789abcdef");
}

}  // namespace
}  // namespace sightline
