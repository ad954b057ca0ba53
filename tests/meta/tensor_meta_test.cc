// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Compared with what GStreamer's own functions write and read.

#include "meta/tensor_meta.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "core/error.h"
#include "meta/handles.h"
#include "meta/mirrors.h"

namespace {

using sightline::import_tensors;
using sightline::mirror_tensors;
using sightline::TensorHandle;

TensorHandle make_tensor(const char* name, SightElementType type, std::vector<gint64> shape,
                         gsize bytes) {
  std::vector<guint8> values(bytes);
  for (gsize i = 0; i < bytes; ++i) values[i] = static_cast<guint8>(i);
  g_autoptr(GBytes) data = g_bytes_new(values.data(), bytes);
  return TensorHandle::adopt(
      sight_tensor_new(name, type, shape.data(), static_cast<guint>(shape.size()), data, nullptr));
}

void add(const BufferPtr& buffer, const TensorHandle& tensor) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  ASSERT_TRUE(sight_frame_add_tensor(frame, tensor.get(), nullptr));
}

// Somebody else's: the floats 0, 1, 2…
void add_theirs(const BufferPtr& buffer, const char* name, std::vector<gsize> dims,
                GstTensorDimOrder order = GST_TENSOR_DIM_ORDER_ROW_MAJOR,
                GstTensorDataType type = GST_TENSOR_DATA_TYPE_FLOAT32) {
  gsize count = 1;
  for (const gsize size : dims) count *= size;
  std::vector<float> values(count);
  for (gsize i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  GstTensor** tensors = g_new(GstTensor*, 1);
  tensors[0] = gst_tensor_alloc(dims.size());
  tensors[0]->id = g_quark_from_string(name);
  tensors[0]->data_type = type;
  tensors[0]->dims_order = order;
  std::copy(dims.begin(), dims.end(), tensors[0]->dims);
  tensors[0]->data = gst_buffer_new_memdup(values.data(), count * sizeof(float));
  gst_tensor_meta_set(gst_buffer_add_tensor_meta(buffer.get()), 1, tensors);
}

// Name, type and dimensions of each tensor that GStreamer finds.
std::vector<std::string> found_on(const BufferPtr& buffer) {
  std::vector<std::string> found;
  GstTensorMeta* meta = gst_buffer_get_tensor_meta(buffer.get());
  for (gsize i = 0; meta != nullptr && i < meta->num_tensors; ++i) {
    const GstTensor* tensor = gst_tensor_meta_get(meta, i);
    std::string line = g_quark_to_string(tensor->id);
    line += " " + std::to_string(tensor->data_type);
    for (gsize d = 0; d < tensor->num_dims; ++d) line += " " + std::to_string(tensor->dims[d]);
    found.push_back(line);
  }
  return found;
}

std::string line_of(const char* name, GstTensorDataType type, const std::string& dims) {
  return std::string(name) + " " + std::to_string(type) + " " + dims;
}

const SightTensor* find(const BufferPtr& buffer, const char* name) {
  return sight_frame_find_tensor(sight_buffer_get_frame(buffer.get()), name);
}

std::vector<gint64> shape_of(const SightTensor* tensor) {
  guint n = 0;
  const gint64* shape = sight_tensor_get_shape(tensor, &n);
  return {shape, shape + n};
}

TEST(TensorMeta, HasTheTensorsOfTheFrameInTheirOwnMemory) {
  BufferPtr buffer = make_buffer();
  const TensorHandle scores = make_tensor("scores", SIGHT_ELEMENT_FLOAT32, {2, 3}, 24);
  add(buffer, scores);
  add(buffer, make_tensor("one", SIGHT_ELEMENT_INT64, {}, 8));
  add(buffer, make_tensor("flags", SIGHT_ELEMENT_BOOL, {4}, 4));
  add(buffer, make_tensor("none", SIGHT_ELEMENT_FLOAT32, {0, 4}, 0));
  mirror_tensors(buffer.get());
  EXPECT_EQ(found_on(buffer),
            (std::vector<std::string>{line_of("scores", GST_TENSOR_DATA_TYPE_FLOAT32, "2 3"),
                                      line_of("one", GST_TENSOR_DATA_TYPE_INT64, "1"),
                                      line_of("flags", GST_TENSOR_DATA_TYPE_UINT8, "4")}));
  GstTensorMeta* meta = gst_buffer_get_tensor_meta(buffer.get());
  GstBuffer* data = gst_tensor_meta_get(meta, 0)->data;
  GstMapInfo map;
  ASSERT_TRUE(gst_buffer_map(data, &map, GST_MAP_READ));
  EXPECT_EQ(map.data, sight_tensor_get_data(scores.get(), nullptr, nullptr));
  EXPECT_EQ(map.size, 24u);
  gst_buffer_unmap(data, &map);
  ASSERT_TRUE(gst_buffer_map(data, &map, GST_MAP_WRITE));
  EXPECT_NE(map.data, sight_tensor_get_data(scores.get(), nullptr, nullptr))
      << "who writes gets a copy";
  gst_buffer_unmap(data, &map);
}

TEST(TensorMeta, IsWrittenOnceAndGetsWhatComesLater) {
  BufferPtr buffer = make_buffer();
  add(buffer, make_tensor("first", SIGHT_ELEMENT_UINT8, {2}, 2));
  sightline::update_mirrors(buffer.get());
  EXPECT_TRUE(found_on(buffer).empty()) << "nobody has asked for it";
  mirror_tensors(buffer.get());
  mirror_tensors(buffer.get());
  EXPECT_EQ(found_on(buffer).size(), 1u);
  add(buffer, make_tensor("second", SIGHT_ELEMENT_UINT8, {2}, 2));
  sightline::update_mirrors(buffer.get());
  EXPECT_EQ(found_on(buffer).size(), 2u);

  const BufferPtr copy(gst_buffer_copy(buffer.get()));
  mirror_tensors(copy.get());
  add(copy, make_tensor("third", SIGHT_ELEMENT_UINT8, {2}, 2));
  sightline::update_mirrors(copy.get());
  EXPECT_EQ(found_on(copy).size(), 3u);
  EXPECT_EQ(found_on(buffer).size(), 2u) << "the other's additions are its own";
}

TEST(TensorMeta, ThatWasLeftBehindIsWrittenAnew) {
  BufferPtr buffer = make_buffer();
  add(buffer, make_tensor("first", SIGHT_ELEMENT_UINT8, {2}, 2));
  mirror_tensors(buffer.get());
  gst_buffer_remove_meta(buffer.get(), GST_META_CAST(gst_buffer_get_tensor_meta(buffer.get())));
  sightline::update_mirrors(buffer.get());
  EXPECT_EQ(found_on(buffer).size(), 1u);
}

TEST(TensorMeta, OfOthersIsReadWithoutACopyAndKept) {
  BufferPtr buffer = make_buffer();
  EXPECT_FALSE(sightline::has_foreign_tensors(buffer.get()));
  EXPECT_EQ(import_tensors(buffer.get(), 7), 0);
  add_theirs(buffer, "yolo-v8-out", {1, 2, 3});
  EXPECT_TRUE(sightline::has_foreign_tensors(buffer.get()));
  ASSERT_EQ(import_tensors(buffer.get(), 7), 1);

  auto tensor = TensorHandle::share(const_cast<SightTensor*>(find(buffer, "yolo-v8-out")));
  ASSERT_TRUE(tensor);
  EXPECT_EQ(sight_tensor_get_stage_id(tensor.get()), 7u);
  EXPECT_EQ(shape_of(tensor.get()), (std::vector<gint64>{1, 2, 3}));
  GstBuffer* data = gst_tensor_meta_get(gst_buffer_get_tensor_meta(buffer.get()), 0)->data;
  GstMapInfo map;
  ASSERT_TRUE(gst_buffer_map(data, &map, GST_MAP_READ));
  gsize n = 0;
  const gfloat* floats = sight_tensor_get_floats(tensor.get(), &n, nullptr);
  EXPECT_EQ(static_cast<const void*>(floats), map.data);
  gst_buffer_unmap(data, &map);
  ASSERT_EQ(n, 6u);

  add(buffer, make_tensor("ours", SIGHT_ELEMENT_UINT8, {2}, 2));
  mirror_tensors(buffer.get());
  EXPECT_EQ(found_on(buffer),
            (std::vector<std::string>{line_of("yolo-v8-out", GST_TENSOR_DATA_TYPE_FLOAT32, "1 2 3"),
                                      line_of("ours", GST_TENSOR_DATA_TYPE_UINT8, "2")}));
  buffer.reset();
  EXPECT_EQ(floats[5], 5) << "the tensor holds its memory";
}

TEST(TensorMeta, ColumnsFirstAreRowsFirstWithTheirDimensionsReversed) {
  BufferPtr buffer = make_buffer();
  add_theirs(buffer, "columns", {2, 3}, GST_TENSOR_DIM_ORDER_COL_MAJOR);
  ASSERT_EQ(import_tensors(buffer.get(), 1), 1);
  EXPECT_EQ(shape_of(find(buffer, "columns")), (std::vector<gint64>{3, 2}));
}

TEST(TensorMeta, WhatWeHaveNoWordForIsLeftOut) {
  for (const auto type : {GST_TENSOR_DATA_TYPE_BFLOAT16, GST_TENSOR_DATA_TYPE_INT4,
                          GST_TENSOR_DATA_TYPE_FLOAT64 /* twice as much as there is */}) {
    BufferPtr buffer = make_buffer();
    add_theirs(buffer, "odd", {4}, GST_TENSOR_DIM_ORDER_ROW_MAJOR, type);
    EXPECT_EQ(import_tensors(buffer.get(), 1), 0) << type;
    EXPECT_EQ(find(buffer, "odd"), nullptr);
    EXPECT_EQ(found_on(buffer).size(), 1u) << "it stays theirs";
  }
}

TEST(TensorMeta, NeedsAWritableBuffer) {
  BufferPtr buffer = make_buffer();
  add_theirs(buffer, "theirs", {4});
  const BufferPtr other(gst_buffer_ref(buffer.get()));
  EXPECT_THROW(import_tensors(buffer.get(), 1), sightline::Error);
}

}  // namespace
