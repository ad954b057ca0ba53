// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/tsv.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kColumns = {"file_a", "file_b", "same"};

std::string complaint(const std::string& text) {
  try {
    TsvTable::parse(text, "pairs.tsv", kColumns);
  } catch (const Error& error) {
    return error.what();
  }
  return "no complaint";
}

TEST(Tsv, RowsKeepTheirLineNumbers) {
  const TsvTable table = TsvTable::parse(
      "file_a\tfile_b\tsame\r\n# a remark\n\na.jpg\tb c.jpg\t1\r\nx\ty\t0", "pairs.tsv", kColumns);
  ASSERT_EQ(table.rows().size(), 2u);
  EXPECT_EQ(table.rows()[0].line, 4);
  EXPECT_THAT(table.rows()[0].cells, ElementsAre("a.jpg", "b c.jpg", "1"));
  EXPECT_EQ(table.rows()[1].line, 5);
}

TEST(Tsv, TheHeadingMayBeLeftOut) {
  EXPECT_EQ(TsvTable::parse("a\tb\t1\n", "pairs.tsv", kColumns).rows().size(), 1u);
}

TEST(Tsv, BadLinesAreNamedByTheirNumber) {
  EXPECT_THAT(complaint("a\tb\t1\na b 1\n"),
              AllOf(HasSubstr("pairs.tsv:2: has 1 columns"), HasSubstr("file_a, file_b, same")));
  EXPECT_THAT(complaint("a\tb\t1\tx\n"), HasSubstr("pairs.tsv:1: has 4 columns"));
  EXPECT_THAT(complaint("a\t\t1\n"), HasSubstr("pairs.tsv:1: the column file_b is empty"));
}

TEST(Tsv, ATableWithoutRowsIsAnError) {
  EXPECT_THAT(complaint(""), HasSubstr("pairs.tsv: has no rows"));
  EXPECT_THAT(complaint("file_a\tfile_b\tsame\n"), HasSubstr("has no rows"));
}

TEST(Tsv, FilesThatCannotBeReadAreNamed) {
  EXPECT_THROW(TsvTable::read("/nowhere/pairs.tsv", kColumns), Error);
  EXPECT_THROW(TsvTable::read("/", kColumns), Error);
}

}  // namespace
}  // namespace sightline
