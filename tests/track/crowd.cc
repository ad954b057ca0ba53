// SPDX-License-Identifier: LGPL-2.1-or-later

#include "crowd.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace sightline::testing {

namespace {

constexpr double kWidth = 1280, kHeight = 720;
constexpr double kAspect = 0.4;  // a person's width to height
constexpr double kPillarWidth =
    70;  // hides the farthest person, who is 36 wide and slow, for 0.8 s fully
constexpr double kNobodyCouldSee = 0.1;    // visible part below which a person is ignored
constexpr double kHardlyDetectable = 0.2;  // visible part below which the detector finds nothing
constexpr double kShakeSeconds = 0.15;     // time in which a shaking camera forgets where it was

// xorshift128+ with our own distributions: those of the standard library differ between libraries.
class Random {
 public:
  explicit Random(unsigned seed) : a_(seed * 0x9E3779B97F4A7C15u + 1), b_(~a_) {
    for (int i = 0; i < 32; ++i) next();
  }

  double uniform(double from, double to) {
    return from + (to - from) * static_cast<double>(next() >> 11) * 0x1p-53;
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  double normal(double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
    return deviation * radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
  }
  int poisson(double mean) {
    int count = 0;
    for (double left = std::exp(mean) * uniform(0, 1); left > 1; left *= uniform(0, 1)) ++count;
    return count;
  }

 private:
  std::uint64_t next() {
    std::uint64_t x = a_;
    a_ = b_;
    x ^= x << 23;
    b_ = x ^ a_ ^ (x >> 17) ^ (a_ >> 26);
    return b_ + a_;
  }

  std::uint64_t a_, b_;
};

struct Person {
  std::int64_t identity = 0;
  double x = 0, feet = 0;  // the middle of the feet
  double across = 0;       // speed, pixels a second
  double toward = 0;       // the viewer

  double height() const { return 90 + 110 * std::clamp((feet - 240) / 480, 0.0, 1.0); }
  Rect box() const {
    const double h = height(), w = kAspect * h;
    return {static_cast<float>(x - w / 2), static_cast<float>(feet - h), static_cast<float>(w),
            static_cast<float>(h)};
  }
};

class Street {
 public:
  explicit Street(const CrowdOptions& options) : options_(options), random_(options.seed) {
    for (int i = 0; i < options.persons; ++i)
      persons_.push_back(arrive(random_.uniform(0, kWidth)));
    for (int i = 0; i < options.pillars; ++i) {
      const double middle = kWidth * (i + 0.5) / options.pillars + random_.uniform(-80, 80);
      pillars_.push_back({static_cast<float>(middle - kPillarWidth / 2), 0,
                          static_cast<float>(kPillarWidth), static_cast<float>(kHeight)});
    }
  }

  void pass(double seconds) {
    for (Person& person : persons_) {
      walk(person, seconds);
      if (person.x < -60 || person.x > kWidth + 60)
        person = arrive(person.x < 0 ? kWidth + 50 : -50);
    }
    const double kept = std::exp(-seconds / kShakeSeconds);
    const double fresh = options_.shake * std::sqrt(1 - kept * kept);
    shake_x_ = kept * shake_x_ + random_.normal(fresh);
    shake_y_ = kept * shake_y_ + random_.normal(fresh);
  }

  CrowdFrame look(double seconds) {
    CrowdFrame frame{seconds, {}, {}};
    for (const Person& person : persons_) {
      const double visible = visible_part(person);
      const Rect box = shaken(person.box());
      if (intersection(box, {0, 0, kWidth, kHeight}).area() < 0.5f * box.area()) continue;
      frame.truth.push_back({person.identity, box, visible < kNobodyCouldSee});
      detect(box, visible, frame.detections);
    }
    const int wrong = random_.poisson(options_.false_detections);
    for (int i = 0; i < wrong; ++i) imagine(frame.detections);
    return frame;
  }

 private:
  Person arrive(double x) {
    Person person;
    person.identity = ++identities_;
    person.x = x;
    person.feet = random_.uniform(250, kHeight);
    const double direction = x < 0 ? 1 : x > kWidth ? -1 : random_.chance(0.5) ? 1 : -1;
    person.across = direction * random_.uniform(0.5, 1.2) * person.height();
    person.toward = random_.normal(0.05) * person.height();
    return person;
  }

  void walk(Person& person, double seconds) {
    const double change = 0.25 * person.height() * std::sqrt(seconds);
    person.across += random_.normal(change);
    person.toward += random_.normal(change / 4) - 0.5 * person.toward * seconds;
    person.x += person.across * seconds;
    person.feet = std::clamp(person.feet + person.toward * seconds, 240.0, kHeight);
  }

  // The part of a person that nothing hides, by a grid of points.
  double visible_part(const Person& person) const {
    constexpr int kGrid = 12;
    const Rect box = person.box();
    int visible = 0;
    for (int i = 0; i < kGrid * kGrid; ++i) {
      const float x = box.x + box.width * (static_cast<float>(i % kGrid) + 0.5f) / kGrid;
      const float y = box.y + box.height * (static_cast<float>(i / kGrid) + 0.5f) / kGrid;
      const auto covers = [&](const Rect& other) {
        return x >= other.x && x < other.right() && y >= other.y && y < other.bottom();
      };
      const bool hidden = std::ranges::any_of(pillars_, covers) ||
                          std::ranges::any_of(persons_, [&](const Person& other) {
                            return other.feet > person.feet && covers(other.box());
                          });
      visible += hidden ? 0 : 1;
    }
    return static_cast<double>(visible) / (kGrid * kGrid);
  }

  Rect shaken(const Rect& box) const {
    return {static_cast<float>(box.x + shake_x_), static_cast<float>(box.y + shake_y_), box.width,
            box.height};
  }

  // Who is partly hidden is found less often, and less surely.
  void detect(const Rect& box, double visible, std::vector<Observation>& detections) {
    if (visible < kHardlyDetectable) return;
    const double shown = std::min(1.0, (visible - kHardlyDetectable) / (0.6 - kHardlyDetectable));
    if (random_.chance(1 - (1 - options_.misses) * (0.3 + 0.7 * shown))) return;
    const auto noisy = [&](float value, float size) {
      return static_cast<float>(value + random_.normal(options_.box_noise) * size);
    };
    const Rect seen{noisy(box.x, box.width), noisy(box.y, box.height), noisy(box.width, box.width),
                    noisy(box.height, box.height)};
    const double confidence = 0.25 + 0.6 * shown + random_.normal(0.08);
    detections.push_back({.box = seen,
                          .class_id = 0,
                          .confidence = static_cast<float>(std::clamp(confidence, 0.05, 1.0))});
  }

  void imagine(std::vector<Observation>& detections) {
    const double height = random_.uniform(80, 200);
    const Rect box{static_cast<float>(random_.uniform(0, kWidth)),
                   static_cast<float>(random_.uniform(0, kHeight - height)),
                   static_cast<float>(kAspect * height), static_cast<float>(height)};
    detections.push_back(
        {.box = box, .class_id = 0, .confidence = static_cast<float>(random_.uniform(0.1, 0.75))});
  }

  const CrowdOptions& options_;
  Random random_;
  std::int64_t identities_ = 0;
  std::vector<Person> persons_;
  std::vector<Rect> pillars_;
  double shake_x_ = 0, shake_y_ = 0;
};

}  // namespace

std::vector<CrowdFrame> make_crowd(const CrowdOptions& options) {
  Street street(options);
  Random arrival(options.seed + 1000);
  std::vector<CrowdFrame> frames;
  const int count = static_cast<int>(options.seconds * options.fps);
  for (int i = 0; i < count; ++i) {
    CrowdFrame frame = street.look(i / options.fps);
    if (!arrival.chance(options.dropped_frames)) frames.push_back(std::move(frame));
    street.pass(1 / options.fps);
  }
  return frames;
}

std::vector<CrowdOptions> crowd_scenes(unsigned seed) {
  return {
      {.name = "few", .seed = seed, .persons = 8, .misses = 0.05, .false_detections = 0.5},
      {.name = "crossings", .seed = seed, .persons = 24},
      {.name = "pillars", .seed = seed, .persons = 20, .pillars = 3},
      {.name = "shaking", .seed = seed, .persons = 20, .shake = 8},
      {.name = "dropped", .seed = seed, .persons = 20, .fps = 15, .dropped_frames = 0.3},
      {.name = "all", .seed = seed, .persons = 24, .dropped_frames = 0.1, .pillars = 2, .shake = 5},
  };
}

}  // namespace sightline::testing
