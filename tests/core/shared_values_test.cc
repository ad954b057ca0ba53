// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/shared_values.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(SharedValues, EqualKeysShareAValueWhileSomebodyHasIt) {
  SharedValues<std::string, int> values;
  int made = 0;
  const auto make = [&] { return std::make_shared<int>(++made); };
  auto first = values.get("a", make);
  EXPECT_EQ(values.get("a", make), first);
  EXPECT_NE(values.get("b", make), first);
  EXPECT_EQ(made, 2);
  first.reset();
  EXPECT_EQ(*values.get("a", make), 3) << "nobody had the first any more";
}

TEST(SharedValues, AFailureIsForgotten) {
  SharedValues<int, int> values;
  EXPECT_THROW(values.get(1, []() -> std::shared_ptr<int> { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(*values.get(1, [] { return std::make_shared<int>(7); }), 7);
}

}  // namespace
}  // namespace sightline
