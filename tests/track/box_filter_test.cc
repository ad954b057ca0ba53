// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/box_filter.h"

#include <array>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace sightline::testing {
namespace {

// The textbook filter of eight numbers, with matrices, for comparison: x' = F x, P' = F P Fᵀ + Q,
// K = P Hᵀ (H P Hᵀ + R)⁻¹. State: x, y, width, height and their rates.
class MatrixFilter {
 public:
  MatrixFilter(const Rect& box, const MotionNoise& noise) : noise_(noise) {
    const double size = std::sqrt(double{box.width} * box.height);
    x_ = {box.center().x, box.center().y, box.width, box.height};
    for (int i = 0; i < 4; ++i) {
      p_[i][i] = std::pow(noise.measurement * (i % 2 == 0 ? box.width : box.height), 2);
      p_[i + 4][i + 4] = std::pow((i < 2 ? noise.first_velocity : noise.first_growth) * size, 2);
    }
  }

  void predict(double t) {
    const double area = x_[2] * x_[3];
    Matrix f = identity();
    for (int i = 0; i < 4; ++i) f[i][i + 4] = t;
    Vector moved{};
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) moved[i] += f[i][j] * x_[j];
    x_ = moved;
    p_ = product(product(f, p_), transposed(f));
    for (int i = 0; i < 4; ++i) {
      const double q = std::pow(i < 2 ? noise_.acceleration : noise_.growth, 2) * area;
      p_[i][i] += q * t * t * t / 3 + (i < 2 ? std::pow(noise_.position, 2) * area * t : 0);
      p_[i][i + 4] += q * t * t / 2;
      p_[i + 4][i] += q * t * t / 2;
      p_[i + 4][i + 4] += q * t;
    }
  }

  // One coordinate after the other, which is the same where their noise is independent.
  void update(const Rect& box) {
    const std::array<double, 4> z{box.center().x, box.center().y, box.width, box.height};
    for (int i = 0; i < 4; ++i) {
      const double r = std::pow(noise_.measurement * (i % 2 == 0 ? box.width : box.height), 2);
      const double s = p_[i][i] + r, innovation = z[i] - x_[i];
      const Matrix before = p_;
      for (int j = 0; j < 8; ++j) x_[j] += before[j][i] / s * innovation;
      for (int j = 0; j < 8; ++j)
        for (int k = 0; k < 8; ++k) p_[j][k] -= before[j][i] * before[i][k] / s;
    }
  }

  double state(int i) const { return x_[i]; }
  double variance(int i) const { return p_[i][i]; }

 private:
  using Vector = std::array<double, 8>;
  using Matrix = std::array<Vector, 8>;

  static Matrix identity() {
    Matrix m{};
    for (int i = 0; i < 8; ++i) m[i][i] = 1;
    return m;
  }
  static Matrix product(const Matrix& a, const Matrix& b) {
    Matrix m{};
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j)
        for (int k = 0; k < 8; ++k) m[i][j] += a[i][k] * b[k][j];
    return m;
  }
  static Matrix transposed(const Matrix& a) {
    Matrix m{};
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) m[i][j] = a[j][i];
    return m;
  }

  MotionNoise noise_;
  Vector x_{};
  Matrix p_{};
};

TEST(BoxFilter, EqualsTheTextbookFilterWithMatrices) {
  std::mt19937 random(3);
  std::normal_distribution<float> noise(0, 3);
  const Rect first{100, 200, 40, 90};
  BoxFilter filter(first);
  MatrixFilter slow(first, {});
  for (int i = 1; i <= 60; ++i) {
    const double step = 0.02 * (1 + i % 4);
    filter.predict(step);
    slow.predict(step);
    if (i % 5 != 0) {
      const Rect box{100 + 4.0f * static_cast<float>(i) + noise(random), 200 + noise(random),
                     40 + noise(random), 90 + noise(random)};
      filter.update(box);
      slow.update(box);
    }
    // Ours is read out as float.
    ASSERT_NEAR(filter.box().center().x, slow.state(0), 1e-3) << i;
    ASSERT_NEAR(filter.box().center().y, slow.state(1), 1e-3) << i;
    ASSERT_NEAR(filter.box().width, slow.state(2), 1e-3) << i;
    ASSERT_NEAR(filter.box().height, slow.state(3), 1e-3) << i;
    ASSERT_NEAR(filter.velocity().x, slow.state(4), 1e-3) << i;
    ASSERT_NEAR(filter.uncertainty().x, std::sqrt(slow.variance(0)), 1e-4) << i;
    ASSERT_NEAR(filter.uncertainty().y, std::sqrt(slow.variance(1)), 1e-4) << i;
  }
}

TEST(BoxFilter, OneLongStepIsSeveralShortOnes) {
  BoxFilter once(Rect{10, 10, 50, 50}), often(Rect{10, 10, 50, 50});
  for (BoxFilter* filter : {&once, &often}) {
    filter->predict(0.1);
    filter->update({15, 12, 50, 50});
    filter->stop_growing();
  }
  once.predict(0.8);
  for (int i = 0; i < 8; ++i) often.predict(0.1);
  EXPECT_NEAR(once.box().x, often.box().x, 1e-3);
  EXPECT_NEAR(once.uncertainty().x, often.uncertainty().x, 1e-3);
}

TEST(BoxFilter, LearnsAVelocityInPixelsASecond) {
  BoxFilter filter(Rect{0, 0, 40, 40});
  for (int i = 1; i <= 50; ++i) {
    filter.predict(0.04);
    filter.update({static_cast<float>(i) * 4, static_cast<float>(i) * -2, 40, 40});
  }
  EXPECT_NEAR(filter.velocity().x, 100, 1);
  EXPECT_NEAR(filter.velocity().y, -50, 1);
  filter.predict(1);
  EXPECT_NEAR(filter.box().x, 300, 3);
}

TEST(BoxFilter, NoiseScalesWithTheObject) {
  BoxFilter small(Rect{0, 0, 10, 20}), large(Rect{0, 0, 100, 200});
  for (int i = 0; i < 10; ++i) {
    small.predict(0.04);
    large.predict(0.04);
    small.update({0, 0, 10, 20});
    large.update({0, 0, 100, 200});
  }
  EXPECT_NEAR(large.uncertainty().x, 10 * small.uncertainty().x, 1e-3);
  EXPECT_NEAR(large.surprise({30, 0, 100, 200}), small.surprise({3, 0, 10, 20}), 1e-3);
}

TEST(BoxFilter, ASizeNeverVanishes) {
  BoxFilter filter(Rect{0, 0, 100, 100});
  for (int i = 1; i < 9; ++i) {
    filter.predict(0.1);
    filter.update({0, 0, 100 - 12.0f * static_cast<float>(i), 4});
  }
  filter.predict(100);
  EXPECT_FALSE(filter.box().empty());
  EXPECT_TRUE(std::isfinite(filter.surprise({0, 0, 1, 1})));
}

}  // namespace
}  // namespace sightline::testing
