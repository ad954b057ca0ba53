// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/tensor.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "gerror_matcher.h"
#include "meta/dlpack.h"
#include "meta/handles.h"

namespace {

using sightline::Tensor;
using sightline::TensorHandle;

using BytesPtr = std::unique_ptr<GBytes, decltype(&g_bytes_unref)>;

BytesPtr bytes_of(const std::vector<float>& values) {
  return {g_bytes_new(values.data(), values.size() * sizeof(float)), g_bytes_unref};
}

std::vector<float> floats_of(const TensorHandle& tensor) {
  gsize n = 0;
  const float* values = sight_tensor_get_floats(tensor.get(), &n, nullptr);
  return {values, values + n};
}

TEST(Tensor, GivesBackWhatWasPutIn) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const gint64 shape[] = {2, 3};
  auto tensor = TensorHandle::adopt(
      sight_tensor_new("scores", SIGHT_ELEMENT_FLOAT32, shape, 2, bytes_of(values).get(), nullptr));
  ASSERT_TRUE(tensor);
  EXPECT_STREQ(sight_tensor_get_name(tensor.get()), "scores");
  EXPECT_EQ(sight_tensor_get_element_type(tensor.get()), SIGHT_ELEMENT_FLOAT32);
  guint n_dims = 0;
  const gint64* dims = sight_tensor_get_shape(tensor.get(), &n_dims);
  EXPECT_EQ(std::vector<gint64>(dims, dims + n_dims), (std::vector<gint64>{2, 3}));
  EXPECT_EQ(floats_of(tensor), values);
  EXPECT_EQ(sight_tensor_get_stage(tensor.get()), nullptr);
  EXPECT_EQ(sight_tensor_get_stage_id(tensor.get()), 0u);
  EXPECT_EQ(sight_tensor_get_row(tensor.get()), -1);
}

TEST(Tensor, KnowsTheStageAndRowThatItCameFrom) {
  auto tensor = TensorHandle::adopt(sightline::wrap_tensor(
      Tensor::copy_of("boxes", {2}, std::vector<float>{1, 2}), "detect", 3, 17));
  EXPECT_STREQ(sight_tensor_get_stage(tensor.get()), "detect");
  EXPECT_EQ(sight_tensor_get_stage_id(tensor.get()), 3u);
  EXPECT_EQ(sight_tensor_get_row(tensor.get()), 17);
  EXPECT_EQ(sightline::unwrap(tensor.get()).name, "boxes");
}

TEST(Tensor, RefusesDataThatDoesNotFitItsShape) {
  const BytesPtr three = bytes_of({1, 2, 3});
  const auto refused = [&](std::vector<gint64> shape, SightElementType type, const char* words) {
    expect_error(SIGHT_ERROR_INPUT, words, [&](GError** error) {
      return sight_tensor_new("t", type, shape.data(), static_cast<guint>(shape.size()),
                              three.get(), error) != nullptr;
    });
  };
  refused({4}, SIGHT_ELEMENT_FLOAT32, "12 bytes were given");
  refused({2}, SIGHT_ELEMENT_FLOAT32, "12 bytes were given");
  refused({1}, SIGHT_ELEMENT_FLOAT64, "[1] of float64");
  refused({-3}, SIGHT_ELEMENT_FLOAT32, "no number of elements");
  refused({G_MAXINT64, G_MAXINT64}, SIGHT_ELEMENT_FLOAT32, "no number of elements");
  refused({G_MAXINT64}, SIGHT_ELEMENT_FLOAT64, "12 bytes were given");
  refused({0}, SIGHT_ELEMENT_FLOAT32, "12 bytes were given");
}

TEST(Tensor, RefusesANameThatIsNotUtf8) {
  const gint64 shape = 1;
  expect_error(SIGHT_ERROR_INPUT, "not UTF-8", [&](GError** error) {
    return sight_tensor_new("\xff", SIGHT_ELEMENT_FLOAT32, &shape, 1, bytes_of({1}).get(), error) !=
           nullptr;
  });
}

TEST(Tensor, MayBeEmptyOrASingleNumber) {
  const gint64 none = 0;
  auto empty = TensorHandle::adopt(
      sight_tensor_new("e", SIGHT_ELEMENT_FLOAT32, &none, 1, bytes_of({}).get(), nullptr));
  ASSERT_TRUE(empty);
  EXPECT_TRUE(floats_of(empty).empty());
  auto scalar = TensorHandle::adopt(
      sight_tensor_new("s", SIGHT_ELEMENT_FLOAT32, nullptr, 0, bytes_of({7}).get(), nullptr));
  ASSERT_TRUE(scalar);
  EXPECT_EQ(floats_of(scalar), (std::vector<float>{7}));
}

TEST(Tensor, HoldsItsMemoryForItsBytes) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  const std::weak_ptr<std::vector<float>> watch = owner;
  Tensor slice{.name = "slice", .shape = {2}};
  slice.data = reinterpret_cast<const std::byte*>(owner->data() + 1);
  slice.owner = std::move(owner);
  auto tensor = TensorHandle::adopt(sightline::wrap_tensor(std::move(slice), {}, 0, -1));
  GBytes* bytes = sight_tensor_get_bytes(tensor.get(), nullptr);
  tensor = TensorHandle();
  ASSERT_FALSE(watch.expired());
  gsize size = 0;
  const auto* values = static_cast<const float*>(g_bytes_get_data(bytes, &size));
  EXPECT_EQ(size, 8u);
  EXPECT_EQ(values, watch.lock()->data() + 1) << "no copy";
  g_bytes_unref(bytes);
  EXPECT_TRUE(watch.expired());
}

// Half of a GBytes may start anywhere; floats may not.
TEST(Tensor, CopiesDataThatIsNotAligned) {
  const std::vector<float> values = {0, 1, 2};
  std::vector<guint8> shifted(1 + 12);
  memcpy(shifted.data() + 1, values.data(), 12);
  const BytesPtr all(g_bytes_new(shifted.data(), shifted.size()), g_bytes_unref);
  const BytesPtr odd(g_bytes_new_from_bytes(all.get(), 1, 12), g_bytes_unref);
  const gint64 shape = 3;
  auto tensor = TensorHandle::adopt(
      sight_tensor_new("t", SIGHT_ELEMENT_FLOAT32, &shape, 1, odd.get(), nullptr));
  EXPECT_EQ(floats_of(tensor), values);
  EXPECT_EQ(
      reinterpret_cast<std::uintptr_t>(sight_tensor_get_data(tensor.get(), nullptr, nullptr)) % 4,
      0u);
}

TEST(Tensor, GivesNoPointerToDeviceMemory) {
  Tensor device{.name = "d", .shape = {2}, .memory = sightline::MemoryKind::kCuda};
  device.data = reinterpret_cast<const std::byte*>(0x1000);
  auto tensor = TensorHandle::adopt(sightline::wrap_tensor(device, "s", 1, -1));
  gsize size = 9;
  const char* const words = "\"d\" lies on a GPU";
  expect_error(SIGHT_ERROR_MODEL, words, [&](GError** error) {
    return sight_tensor_get_data(tensor.get(), &size, error) != nullptr;
  });
  EXPECT_EQ(size, 0u);
  expect_error(SIGHT_ERROR_MODEL, words, [&](GError** error) {
    return sight_tensor_get_bytes(tensor.get(), error) != nullptr;
  });
  expect_error(SIGHT_ERROR_MODEL, words, [&](GError** error) {
    return sight_tensor_get_floats(tensor.get(), &size, error) != nullptr;
  });
}

// So that what sight_object_find_tensor() gives needs no question before it.
TEST(Tensor, ThatIsNotThereIsAnErrorAndNoCritical) {
  gsize size = 9;
  expect_error(SIGHT_ERROR_NOT_FOUND, "no such tensor", [&](GError** error) {
    return sight_tensor_get_floats(nullptr, &size, error) != nullptr;
  });
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(sight_tensor_get_data(nullptr, &size, nullptr), nullptr);
  EXPECT_EQ(sight_tensor_get_bytes(nullptr, nullptr), nullptr);
}

TEST(Tensor, WithoutElementsGivesNoneAndNoError) {
  const gint64 shape[] = {0, 4};
  auto tensor = TensorHandle::adopt(
      sight_tensor_new("t", SIGHT_ELEMENT_FLOAT32, shape, 2, bytes_of({}).get(), nullptr));
  ASSERT_TRUE(tensor);
  gsize n = 9;
  EXPECT_NE(sight_tensor_get_floats(tensor.get(), &n, nullptr), nullptr);
  EXPECT_EQ(n, 0u);
  EXPECT_NE(sight_tensor_get_data(tensor.get(), &n, nullptr), nullptr);
  GBytes* bytes = sight_tensor_get_bytes(tensor.get(), nullptr);
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(g_bytes_get_size(bytes), 0u);
  g_bytes_unref(bytes);
}

// "GPU" memory is the host's here.
Tensor on_gpu(const std::vector<float>& values, int gpu, int& copies) {
  Tensor tensor{.name = "d",
                .shape = {static_cast<std::int64_t>(values.size()) / 2, 2},
                .memory = sightline::MemoryKind::kCuda};
  tensor.data = reinterpret_cast<const std::byte*>(values.data());
  tensor.on_device = std::make_shared<const sightline::DeviceElements>(
      gpu, [&copies](void* to, const std::byte* from, std::size_t bytes) {
        ++copies;
        std::memcpy(to, from, bytes);
      });
  return tensor;
}

TEST(Tensor, OnAGpuIsCopiedToTheHostOnceWhenItIsReadThere) {
  const std::vector<float> values = {1, 2, 3, 4};
  int copies = 0;
  auto tensor = TensorHandle::adopt(sightline::wrap_tensor(on_gpu(values, 1, copies), "s", 1, -1));
  EXPECT_EQ(sight_tensor_get_gpu(tensor.get()), 1);
  gsize size = 0;
  EXPECT_EQ(sight_tensor_get_device_data(tensor.get(), &size), values.data());
  EXPECT_EQ(size, 16u);
  EXPECT_EQ(copies, 0);
  EXPECT_EQ(floats_of(tensor), values);
  EXPECT_NE(sight_tensor_get_data(tensor.get(), &size, nullptr), values.data());
  EXPECT_EQ(size, 16u);
  GBytes* bytes = sight_tensor_get_bytes(tensor.get(), nullptr);
  EXPECT_EQ(std::memcmp(g_bytes_get_data(bytes, nullptr), values.data(), 16), 0);
  g_bytes_unref(bytes);
  EXPECT_EQ(copies, 1);
}

TEST(Tensor, OfTheHostHasNoDeviceMemory) {
  const float values[] = {1, 2};
  auto tensor =
      TensorHandle::adopt(sightline::wrap_tensor(Tensor::copy_of("h", {2}, values), "s", 1, -1));
  EXPECT_EQ(sight_tensor_get_gpu(tensor.get()), -1);
  gsize size = 9;
  EXPECT_EQ(sight_tensor_get_device_data(tensor.get(), &size), nullptr);
  EXPECT_EQ(size, 0u);
}

TEST(Tensor, BecomesADlpackArrayThatHoldsItWhereverItLies) {
  using sightline::dlpack::Managed;
  const std::vector<float> values = {1, 2, 3, 4};
  int copies = 0;
  Tensor device = on_gpu(values, 3, copies);
  const auto owner = std::make_shared<int>(1);
  device.owner = owner;
  auto tensor = TensorHandle::adopt(sightline::wrap_tensor(device, "s", 1, -1));
  device = {};
  auto* managed = static_cast<Managed*>(sight_tensor_to_dlpack(tensor.get()));
  tensor = {};
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(managed->array.data, values.data());
  EXPECT_EQ(managed->array.device.type, 2);  // kDLCUDA
  EXPECT_EQ(managed->array.device.id, 3);
  ASSERT_EQ(managed->array.ndim, 2);
  EXPECT_EQ(managed->array.shape[0], 2);
  EXPECT_EQ(managed->array.shape[1], 2);
  EXPECT_EQ(managed->array.strides, nullptr);
  EXPECT_EQ(managed->array.byte_offset, 0u);
  EXPECT_EQ(managed->array.dtype.code, 2);  // kDLFloat
  EXPECT_EQ(managed->array.dtype.bits, 32);
  EXPECT_EQ(managed->array.dtype.lanes, 1);
  EXPECT_EQ(copies, 0);
  managed->deleter(managed);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(Tensor, GivesFloatsOfAFloatTensorOnly) {
  const gint64 shape = 4;
  auto tensor = TensorHandle::adopt(
      sight_tensor_new("t", SIGHT_ELEMENT_UINT8, &shape, 1, bytes_of({1}).get(), nullptr));
  gsize n = 9;
  expect_error(SIGHT_ERROR_INPUT, "\"t\" is uint8, expected float32", [&](GError** error) {
    return sight_tensor_get_floats(tensor.get(), &n, error) != nullptr;
  });
  EXPECT_EQ(n, 0u);
  EXPECT_NE(sight_tensor_get_data(tensor.get(), &n, nullptr), nullptr);
  EXPECT_EQ(n, 4u);
}

TEST(ElementType, HasTheSizeOfTheCType) {
  EXPECT_EQ(sight_element_type_get_size(SIGHT_ELEMENT_FLOAT16), 2u);
  EXPECT_EQ(sight_element_type_get_size(SIGHT_ELEMENT_FLOAT64), sizeof(double));
  EXPECT_EQ(sight_element_type_get_size(SIGHT_ELEMENT_BOOL), 1u);
  EXPECT_EQ(sight_element_type_get_size(static_cast<SightElementType>(99)), 0u);
}

}  // namespace
