// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Each family against a decoder that is written to be obvious: double precision, every row, no
// short cuts. Suppression has tests of its own, so it is off here (cluster-mode = none).

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

struct Expected {
  double left, top, right, bottom, confidence;
  int class_id, row;
  std::vector<std::pair<double, double>> points;
};

void sort_by_strength(std::vector<Expected>& expected) {
  std::sort(expected.begin(), expected.end(), [](const Expected& a, const Expected& b) {
    return a.confidence != b.confidence ? a.confidence > b.confidence
           : a.row != b.row             ? a.row < b.row
                                        : a.class_id < b.class_id;
  });
}

// 1e-3 pixels: 500 times the rounding of a float at 1000 pixels, over a handful of operations.
constexpr double kPixels = 1e-3;

void expect_equal(const std::vector<Detection>& found, const std::vector<Expected>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(found[i].row, expected[i].row);
    EXPECT_EQ(found[i].class_id, expected[i].class_id);
    EXPECT_NEAR(found[i].confidence, expected[i].confidence, 1e-6);
    EXPECT_NEAR(found[i].box.x, expected[i].left, kPixels);
    EXPECT_NEAR(found[i].box.y, expected[i].top, kPixels);
    EXPECT_NEAR(found[i].box.right(), expected[i].right, kPixels);
    EXPECT_NEAR(found[i].box.bottom(), expected[i].bottom, kPixels);
    ASSERT_EQ(found[i].landmarks.size(), expected[i].points.size());
    for (std::size_t k = 0; k < expected[i].points.size(); ++k) {
      EXPECT_NEAR(found[i].landmarks[k].x, expected[i].points[k].first, kPixels);
      EXPECT_NEAR(found[i].landmarks[k].y, expected[i].points[k].second, kPixels);
    }
  }
}

// --- decoded boxes
// --------------------------------------------------------------------------------

std::vector<Tensor> ultra_light(std::size_t rows, std::vector<float> scores,
                                std::vector<float> boxes) {
  const auto n = static_cast<std::int64_t>(rows);
  const auto columns = static_cast<std::int64_t>(scores.size() / rows);
  return {Tensor::copy_of("scores", {n, columns}, scores), Tensor::copy_of("boxes", {n, 4}, boxes)};
}

TEST(DecodedBoxes, OneFaceByHand) {
  const auto outputs =
      ultra_light(2, {0.1f, 0.9f, 0.8f, 0.2f}, {0.25f, 0.5f, 0.75f, 1, 0, 0, 1, 1});
  const auto faces = make(
                         "[property]\nmodel-family=ultra-light\nlabels=face\n"
                         "[class-attrs-all]\npre-cluster-threshold=0.5\n",
                         network_of({320, 240}, outputs))
                         ->decode(outputs)
                         .detections;
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_EQ(faces[0].box, (Rect{80, 120, 160, 120}));
  EXPECT_EQ(faces[0].confidence, 0.9f);
  EXPECT_EQ(faces[0].label, "face");
  EXPECT_EQ(faces[0].row, 0);
  EXPECT_TRUE(faces[0].landmarks.empty());
}

class DecodedBoxesOf : public testing::TestWithParam<int> {};

TEST_P(DecodedBoxesOf, ClassesEqualTheReference) {
  const auto classes = static_cast<std::size_t>(GetParam());
  constexpr std::size_t kRows = 4420;
  std::mt19937 random(11);
  const auto scores = random_numbers(random, kRows * (classes + 1), 0, 1);
  const auto corners = random_numbers(random, kRows * 4, -0.2f, 1.2f);
  std::vector<Expected> expected;
  for (std::size_t row = 0; row < kRows; ++row)
    for (std::size_t id = 0; id < classes; ++id) {
      const float score = scores[row * (classes + 1) + id + 1];
      const float* corner = &corners[4 * row];
      if (score >= 0.7f && corner[2] > corner[0] && corner[3] > corner[1])
        expected.push_back({corner[0] * 320.0,
                            corner[1] * 240.0,
                            corner[2] * 320.0,
                            corner[3] * 240.0,
                            score,
                            static_cast<int>(id),
                            static_cast<int>(row),
                            {}});
    }
  sort_by_strength(expected);
  ASSERT_LT(expected.size(), 8192u);  // else the cut-off would hide some
  const std::string text =
      "[property]\nmodel-family=decoded-boxes\ncluster-mode=none\n"
      "[class-attrs-all]\npre-cluster-threshold=0.7\n";

  const auto outputs = ultra_light(kRows, scores, corners);
  expect_equal(make(text, network_of({320, 240}, outputs))->decode(outputs).detections, expected);

  // The order of the outputs makes no difference, nor does an open number of rows.
  const std::vector<Tensor> swapped = {outputs[1], outputs[0]};
  NetworkShape open = network_of({320, 240}, swapped);
  for (auto& output : open.outputs) output.shape[0] = -1;
  expect_equal(make(text, open)->decode(swapped).detections, expected);
}

INSTANTIATE_TEST_SUITE_P(Counts, DecodedBoxesOf, testing::Values(1, 2, 3, 5));

TEST(DecodedBoxes, HalfPrecisionGivesWhatItsValuesGive) {
  std::mt19937 random(3);
  std::vector<Tensor> exact, halves;
  // Values that a half holds exactly, so that both must agree to the last bit.
  for (const Tensor& tensor :
       ultra_light(64, random_numbers(random, 128, 0, 1), random_numbers(random, 256, 0, 1))) {
    std::vector<float> rounded;
    for (const float value : tensor.floats())
      rounded.push_back(half_to_float(float_to_half(value)));
    exact.push_back(Tensor::copy_of(tensor.name, tensor.shape, rounded));
    halves.push_back(as_half(tensor));
  }
  const std::string text = "[property]\nmodel-family=ultra-light\n";
  const auto expected = make(text, network_of({320, 240}, exact))->decode(exact).detections;
  const auto found = make(text, network_of({320, 240}, halves))->decode(halves).detections;
  ASSERT_GT(expected.size(), 3u);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].box, expected[i].box);
    EXPECT_EQ(found[i].confidence, expected[i].confidence);
  }
}

TEST(DecodedBoxes, HostileNumbersAreDropped) {
  const std::vector<float> good = {0, 0, 0.5f, 0.5f};
  for (const float bad : {kNan, kInfinity, -kInfinity, kHuge, -kHuge, 1e20f, 1e7f})
    for (std::size_t corner = 0; corner < 4; ++corner) {
      std::vector<float> boxes = good;
      boxes[corner] = bad;
      boxes.insert(boxes.end(), good.begin(), good.end());
      const auto outputs = ultra_light(2, {0, 0.9f, 0, 0.8f}, boxes);
      const auto found =
          make("[property]\nmodel-family=ultra-light\n", network_of({320, 240}, outputs))
              ->decode(outputs)
              .detections;
      ASSERT_EQ(found.size(), 1u) << bad << " " << corner;
      EXPECT_EQ(found[0].row, 1);
    }
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const auto outputs = ultra_light(1, {0, bad}, good);
    EXPECT_TRUE(make("[property]\nmodel-family=ultra-light\n", network_of({320, 240}, outputs))
                    ->decode(outputs)
                    .detections.empty());
  }
}

TEST(DecodedBoxes, DegenerateBoxesAreDropped) {
  const auto outputs = ultra_light(3, {0, 0.9f, 0, 0.9f, 0, 0.9f},
                                   {0.5f, 0.5f, 0.5f, 0.9f,    // no width
                                    0.5f, 0.5f, 0.4f, 0.9f,    // right of its right edge
                                    0.1f, 0.1f, 0.2f, 0.1f});  // no height
  EXPECT_TRUE(make("[property]\nmodel-family=ultra-light\n", network_of({320, 240}, outputs))
                  ->decode(outputs)
                  .detections.empty());
}

TEST(DecodedBoxes, MoreCandidatesThanAnyPictureHasAreCutOff) {
  constexpr std::size_t kRows = 40000;  // without a limit, 800 million pairs
  std::mt19937 random(5);
  const auto outputs = ultra_light(kRows, random_numbers(random, 2 * kRows, 0.5f, 1),
                                   random_numbers(random, 4 * kRows, 0, 1));
  const auto found = make("[property]\nmodel-family=ultra-light\ncluster-mode=none\n",
                          network_of({320, 240}, outputs))
                         ->decode(outputs)
                         .detections;
  EXPECT_LE(found.size(), 8192u);
  EXPECT_GT(found.size(), 1000u);  // about a quarter of random corners make a box
}

TEST(DecodedBoxes, OtherOutputsAreAnErrorThatStatesFoundAndExpected) {
  const NetworkShape network{
      {320, 240},
      {{"a", ElementType::kFloat32, {4420, 2}}, {"b", ElementType::kFloat32, {4419, 4}}}};
  const std::string text = complaint("[property]\nmodel-family=ultra-light\n", network);
  EXPECT_THAT(text, HasSubstr("test.ini:2: model-family = ultra-light: the network does not fit"));
  EXPECT_THAT(text, HasSubstr("scores [n,1+classes]"));
  EXPECT_THAT(text, HasSubstr("\"a\" float32 [4420,2], \"b\" float32 [4419,4]"));

  NetworkShape whole = network;
  whole.outputs[1] = {"b", ElementType::kInt64, {4420, 4}};
  EXPECT_THAT(complaint("[property]\nmodel-family=ultra-light\n", whole), HasSubstr("float16"));
  whole.outputs.clear();
  EXPECT_THAT(complaint("[property]\nmodel-family=ultra-light\n", whole), HasSubstr("no output"));
  whole.outputs = {{"boxes", ElementType::kFloat32, {10, 4}},
                   {"box_scores", ElementType::kFloat32, {10, 4}}};
  EXPECT_THAT(complaint("[property]\nmodel-family=ultra-light\n", whole), HasSubstr("in its name"));
  whole.outputs[0].shape = whole.outputs[1].shape = {10, std::int64_t{1} << 40};
  EXPECT_THAT(complaint("[property]\nmodel-family=ultra-light\n", whole), HasSubstr("Expected"));
}

TEST(DecodedBoxes, OfTwoTablesWithFourColumnsTheNameDecides) {
  const std::vector<Tensor> outputs = {
      Tensor::copy_of("boxes", {1, 4}, std::vector<float>{0, 0, 1, 1}),
      Tensor::copy_of("scores", {1, 4}, std::vector<float>{0, 0, 0, 0.9f})};
  const auto found = make("[property]\nmodel-family=decoded-boxes\n", network_of({8, 8}, outputs))
                         ->decode(outputs)
                         .detections;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 2);
  EXPECT_EQ(found[0].label, "class 2");
}

TEST(DecodedBoxes, ATensorThatIsNotWhatTheShapeSaidIsAnError) {
  const auto outputs = ultra_light(2, {0, 1, 0, 1}, {0, 0, 1, 1, 0, 0, 1, 1});
  const auto detector =
      make("[property]\nmodel-family=ultra-light\n", network_of({320, 240}, outputs));
  EXPECT_THAT(decode_complaint(*detector, {outputs[0]}), HasSubstr("gave 1 outputs, expected 2"));
  EXPECT_THAT(decode_complaint(*detector, {outputs[1], outputs[0]}),
              HasSubstr("output \"scores\" is float32 [2,4], expected float32 [2,2]"));
  Tensor broken = outputs[0];
  broken.data = nullptr;
  EXPECT_THAT(decode_complaint(*detector, {broken, outputs[1]}), HasSubstr("no data"));
  broken = outputs[0];
  broken.memory = MemoryKind::kCuda;
  EXPECT_THAT(decode_complaint(*detector, {broken, outputs[1]}), HasSubstr("cannot be read"));

  NetworkShape open = network_of({320, 240}, outputs);
  open.outputs[0].shape[0] = open.outputs[1].shape[0] = -1;
  EXPECT_THAT(decode_complaint(*make("[property]\nmodel-family=ultra-light\n", open),
                               {outputs[0], ultra_light(1, {0, 1}, {0, 0, 1, 1})[1]}),
              HasSubstr("as many rows"));
}

// --- BlazeFace
// ------------------------------------------------------------------------------------

struct Blaze {
  std::vector<float> scores, regressors;  // of 896 rows

  std::vector<Tensor> split() const {
    const auto part = [&](const char* name, const std::vector<float>& all, std::int64_t columns,
                          std::int64_t first, std::int64_t rows) {
      return Tensor::copy_of(name, {rows, columns},
                             std::span(all).subspan(static_cast<std::size_t>(first * columns),
                                                    static_cast<std::size_t>(rows * columns)));
    };
    return {part("Identity:0", scores, 1, 0, 512), part("Identity_1:0", scores, 1, 512, 384),
            part("Identity_2:0", regressors, 16, 0, 512),
            part("Identity_3:0", regressors, 16, 512, 384)};
  }
  std::vector<Tensor> joined() const {
    return {Tensor::copy_of("regressors", {896, 16}, regressors),
            Tensor::copy_of("classificators", {896, 1}, scores)};
  }
};

// MediaPipe's SSD anchors: strides 8, 16, 16, 16 of the front model and 16, 32, 32, 32 of the back
// model. Layers of one stride share a grid, two anchors each; all are in the centres of cells.
std::vector<std::pair<double, double>> mediapipe_anchors(int size) {
  std::vector<std::pair<double, double>> anchors;
  const int first = size / 16;
  for (const auto& [stride, layers] : {std::pair{first, 1}, std::pair{2 * first, 3}})
    for (int y = 0; y < size / stride; ++y)
      for (int x = 0; x < size / stride; ++x)
        for (int i = 0; i < 2 * layers; ++i)
          anchors.emplace_back((x + 0.5) * stride, (y + 0.5) * stride);
  return anchors;
}

std::vector<Expected> reference_blaze(const Blaze& blaze, int size, double threshold) {
  const auto anchors = mediapipe_anchors(size);
  std::vector<Expected> expected;
  for (std::size_t row = 0; row < 896; ++row) {
    const double score = std::clamp(static_cast<double>(blaze.scores[row]), -100.0, 100.0);
    const double confidence = 1 / (1 + std::exp(-score));
    const float* n = &blaze.regressors[16 * row];
    if (confidence < threshold || n[2] <= 0 || n[3] <= 0) continue;
    const double x = anchors[row].first + n[0], y = anchors[row].second + n[1];
    Expected face{x - n[2] / 2.0,
                  y - n[3] / 2.0,
                  x + n[2] / 2.0,
                  y + n[3] / 2.0,
                  // as the network's own precision has it, so that equal confidences stay equal
                  static_cast<float>(confidence),
                  0,
                  static_cast<int>(row),
                  {}};
    for (int i = 2; i < 8; ++i)
      face.points.emplace_back(anchors[row].first + n[2 * i], anchors[row].second + n[2 * i + 1]);
    expected.push_back(face);
  }
  sort_by_strength(expected);
  return expected;
}

Blaze random_blaze(unsigned seed) {
  std::mt19937 random(seed);
  // Few distinct scores: float and double sigmoid then give the same order.
  Blaze blaze{{}, random_numbers(random, 896 * 16, -30, 60)};
  for (int i = 0; i < 896; ++i)
    blaze.scores.push_back(static_cast<float>(static_cast<int>(random() % 40) - 20) / 2);
  return blaze;
}

class BlazeFaceOf : public testing::TestWithParam<int> {};

TEST_P(BlazeFaceOf, PixelsEqualsTheReference) {
  const int size = GetParam();
  for (const char* threshold : {"0", "0.3", "0.75", "0.999"}) {
    SCOPED_TRACE(threshold);
    const Blaze blaze = random_blaze(17);
    const std::string text =
        std::string(
            "[property]\nmodel-family=blazeface\ncluster-mode=none\n[class-attrs-all]\n"
            "pre-cluster-threshold=") +
        threshold + "\n";
    const auto expected = reference_blaze(blaze, size, std::stod(threshold));
    ASSERT_GT(expected.size(), 10u);
    const auto outputs = blaze.split(), joined = blaze.joined();
    expect_equal(make(text, network_of({size, size}, outputs))->decode(outputs).detections,
                 expected);
    expect_equal(make(text, network_of({size, size}, joined))->decode(joined).detections, expected);
    auto shuffled = outputs;
    std::rotate(shuffled.begin(), shuffled.begin() + 1, shuffled.end());
    expect_equal(make(text, network_of({size, size}, shuffled))->decode(shuffled).detections,
                 expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BlazeFaceOf, testing::Values(128, 256));

TEST(BlazeFace, OneFaceByHand) {
  Blaze blaze{std::vector<float>(896, -50), std::vector<float>(896 * 16, 0)};
  const std::size_t row = 512 + 6 * (2 * 8 + 3) + 4;  // the coarse grid's cell (3, 2)
  blaze.scores[row] = 0;                              // sigmoid: exactly a half
  const std::vector<float> numbers = {4, -2, 40, 60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::copy(numbers.begin(), numbers.end(), blaze.regressors.begin() + 16 * static_cast<int>(row));
  const auto outputs = blaze.split();
  const auto faces = make("[property]\nmodel-family=blazeface\n[class-attrs-all]\nthreshold=0.5\n",
                          network_of({256, 256}, outputs))
                         ->decode(outputs)
                         .detections;
  ASSERT_EQ(faces.size(), 1u);  // centre of the cell: 3.5 · 32 = 112, 2.5 · 32 = 80
  EXPECT_EQ(faces[0].box, (Rect{96, 48, 40, 60}));
  EXPECT_EQ(faces[0].confidence, 0.5f);
  EXPECT_EQ(faces[0].row, static_cast<int>(row));
  EXPECT_EQ(faces[0].landmarks,
            (std::vector<Point>{{113, 82}, {115, 84}, {117, 86}, {119, 88}, {121, 90}, {123, 92}}));
}

TEST(BlazeFace, HostileNumbersAreDropped) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    Blaze blaze{std::vector<float>(896, bad), std::vector<float>(896 * 16, 10)};
    const auto outputs = blaze.split();
    const auto detector =
        make("[property]\nmodel-family=blazeface\n", network_of({128, 128}, outputs));
    EXPECT_TRUE(detector->decode(outputs).detections.empty()) << bad;

    blaze.scores.assign(896, -100);
    blaze.scores[5] = 1e30f;  // clipped: a confidence of 1
    blaze.regressors[5 * 16 + 3] = bad;
    EXPECT_TRUE(detector->decode(blaze.split()).detections.empty()) << bad;
    blaze.regressors[5 * 16 + 3] = 10;
    blaze.regressors[5 * 16 + 9] = bad;
    const auto faces = detector->decode(blaze.split()).detections;
    ASSERT_EQ(faces.size(), 1u);  // the box is sound, the points are not
    EXPECT_EQ(faces[0].confidence, 1);
    EXPECT_TRUE(faces[0].landmarks.empty());
  }
}

TEST(BlazeFace, ThresholdsOfNothingAndEverything) {
  Blaze blaze{std::vector<float>(896, -100), std::vector<float>(896 * 16, 10)};
  blaze.scores[0] = 100;  // rounds to a confidence of exactly 1
  const auto outputs = blaze.split();
  const auto count = [&](const char* threshold) {
    return make(std::string("[property]\nmodel-family=blazeface\ncluster-mode=none\n"
                            "[class-attrs-all]\nthreshold=") +
                    threshold + "\n",
                network_of({128, 128}, outputs))
        ->decode(outputs)
        .detections.size();
  };
  EXPECT_EQ(count("0"), 896u);
  EXPECT_EQ(count("1"), 1u);
}

TEST(BlazeFace, OtherOutputsAreAnErrorThatStatesFoundAndExpected) {
  const auto outputs = random_blaze(1).split();
  const std::string text = "[property]\nmodel-family=blazeface\n";
  EXPECT_THAT(complaint(text, network_of({256, 192}, outputs)), HasSubstr("square"));
  NetworkShape network = network_of({256, 256}, outputs);
  network.outputs[2].shape = {512, 12};
  EXPECT_THAT(complaint(text, network), HasSubstr("[512,16] and [384,16]"));
  EXPECT_THAT(complaint(text, network), HasSubstr("\"Identity_2:0\" float32 [512,12]"));
  network.outputs.pop_back();
  EXPECT_THAT(complaint(text, network), HasSubstr("Expected"));
}

// --- RetinaFace
// -----------------------------------------------------------------------------------

struct Retina {
  Size input;
  std::vector<Tensor> outputs;  // scores, boxes, points of stride 32, then 16, then 8
};

Retina random_retina(Size input, unsigned seed) {
  std::mt19937 random(seed);
  Retina retina{input, {}};
  for (const int stride : {32, 16, 8}) {
    const int width = (input.width + stride - 1) / stride,
              height = (input.height + stride - 1) / stride;
    const auto plane = [&](const char* name, int channels, float low, float high) {
      retina.outputs.push_back(Tensor::copy_of(
          name + std::to_string(stride), {channels, height, width},
          random_numbers(random, static_cast<std::size_t>(channels * width * height), low, high)));
    };
    plane("cls_stride", 4, 0, 1);
    plane("bbox_stride", 8, -1, 1);
    plane("landmark_stride", 20, -3, 3);
  }
  return retina;
}

// As insightface generates them: a base of 16 pixels from 0 to 15, so a centre of 7.5 in indices
// of pixels. Its boxes span pixel indices, first to last; ours span edges.
std::vector<Expected> reference_retina(const Retina& retina, double threshold) {
  std::vector<Expected> expected;
  int row = 0;
  const std::vector<std::vector<double>> sizes = {{512, 256}, {128, 64}, {32, 16}};
  for (std::size_t scale = 0; scale < 3; ++scale) {
    const int stride = 32 >> scale;
    const Tensor* tensors = &retina.outputs[3 * scale];
    const std::int64_t height = tensors[0].shape[1], width = tensors[0].shape[2];
    const auto at = [&](int which, int channel, std::int64_t y, std::int64_t x) {
      return static_cast<double>(
          tensors[which].floats()[static_cast<std::size_t>((channel * height + y) * width + x)]);
    };
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (int a = 0; a < 2; ++a, ++row) {
          const double confidence = at(0, 2 + a, y, x);
          if (confidence < threshold) continue;
          const double size = sizes[scale][static_cast<std::size_t>(a)];
          const double cx = 7.5 + static_cast<double>(x) * stride;
          const double cy = 7.5 + static_cast<double>(y) * stride;
          const double w = std::exp(at(1, 4 * a + 2, y, x)) * size;
          const double h = std::exp(at(1, 4 * a + 3, y, x)) * size;
          const double px = cx + at(1, 4 * a, y, x) * size, py = cy + at(1, 4 * a + 1, y, x) * size;
          const double first_x = px - (w - 1) / 2, last_x = px + (w - 1) / 2;
          const double first_y = py - (h - 1) / 2, last_y = py + (h - 1) / 2;
          Expected face{first_x, first_y, last_x + 1, last_y + 1, confidence, 0, row, {}};
          for (int k = 0; k < 5; ++k)
            face.points.emplace_back(cx + at(2, 10 * a + 2 * k, y, x) * 0.2 * size + 0.5,
                                     cy + at(2, 10 * a + 2 * k + 1, y, x) * 0.2 * size + 0.5);
          expected.push_back(face);
        }
  }
  sort_by_strength(expected);
  return expected;
}

TEST(RetinaFace, EqualsTheReference) {
  for (const Size input : {Size{640, 640}, Size{320, 200}}) {
    Retina retina = random_retina(input, 23);
    const auto expected = reference_retina(retina, 0.8);
    ASSERT_GT(expected.size(), 100u);
    const std::string text =
        "[property]\nmodel-family=retinaface\ncluster-mode=4\n"
        "[class-attrs-all]\nthreshold=0.8\n";
    expect_equal(make(text, network_of(input, retina.outputs))->decode(retina.outputs).detections,
                 expected);
    std::reverse(retina.outputs.begin(), retina.outputs.end());
    expect_equal(make(text, network_of(input, retina.outputs))->decode(retina.outputs).detections,
                 expected);
  }
}

TEST(RetinaFace, OneFaceByHand) {
  Retina retina = random_retina({64, 64}, 1);
  for (Tensor& tensor : retina.outputs) {
    std::vector<float> zeros(tensor.count());
    // Stride 16, a grid of 4 × 4: cell (1, 2), the second anchor, 64 pixels.
    if (tensor.name == "cls_stride16") zeros[(3 * 4 + 2) * 4 + 1] = 0.875f;
    if (tensor.name == "bbox_stride16") zeros[(4 * 4 + 2) * 4 + 1] = 0.25f;      // dx
    if (tensor.name == "landmark_stride16") zeros[(11 * 4 + 2) * 4 + 1] = 0.5f;  // the first y
    tensor = Tensor::copy_of(tensor.name, tensor.shape, zeros);
  }
  const auto faces =
      make("[property]\nmodel-family=retinaface\n", network_of({64, 64}, retina.outputs))
          ->decode(retina.outputs)
          .detections;
  ASSERT_EQ(faces.size(), 1u);  // anchor's centre: 8 + 16 = 24, 8 + 32 = 40
  EXPECT_EQ(faces[0].box, (Rect{24 + 16 - 32, 40 - 32, 64, 64}));
  EXPECT_EQ(faces[0].confidence, 0.875f);
  ASSERT_EQ(faces[0].landmarks.size(), 5u);
  EXPECT_FLOAT_EQ(faces[0].landmarks[0].y, 40 + 0.5f * 0.2f * 64);
  EXPECT_EQ(faces[0].landmarks[1], (Point{24, 40}));
}

TEST(RetinaFace, HostileNumbersAreDropped) {
  Retina retina = random_retina({64, 64}, 1);
  for (const float bad : {kNan, kInfinity, kHuge}) {
    std::vector<Tensor> outputs = retina.outputs;
    for (Tensor& tensor : outputs)
      if (tensor.name.starts_with("bbox"))
        tensor =
            Tensor::copy_of(tensor.name, tensor.shape, std::vector<float>(tensor.count(), bad));
    EXPECT_TRUE(make("[property]\nmodel-family=retinaface\n", network_of({64, 64}, outputs))
                    ->decode(outputs)
                    .detections.empty())
        << bad;
  }
}

TEST(RetinaFace, OtherOutputsAreAnErrorThatStatesFoundAndExpected) {
  const Retina retina = random_retina({640, 640}, 1);
  const std::string text = "[property]\nmodel-family=retinaface\n";
  EXPECT_THAT(complaint(text, network_of({320, 640}, retina.outputs)),
              HasSubstr("[20,10] [40,20] [80,40]"));
  NetworkShape network = network_of({640, 640}, retina.outputs);
  network.outputs.pop_back();
  EXPECT_THAT(complaint(text, network), HasSubstr("\"bbox_stride8\" float32 [8,80,80]"));
  network = network_of({2147483647, 2147483647}, retina.outputs);
  EXPECT_THAT(complaint(text, network), HasSubstr("Expected"));
}

}  // namespace
}  // namespace sightline
