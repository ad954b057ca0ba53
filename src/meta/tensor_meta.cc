// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/tensor_meta.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gst/analytics/analytics.h>

#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/tensor.h"
#include "meta/text.h"

namespace sightline {

namespace {

constexpr std::array<std::pair<ElementType, GstTensorDataType>, 12> kTypes = {{
    {ElementType::kFloat32, GST_TENSOR_DATA_TYPE_FLOAT32},
    {ElementType::kFloat16, GST_TENSOR_DATA_TYPE_FLOAT16},
    {ElementType::kUint8, GST_TENSOR_DATA_TYPE_UINT8},
    {ElementType::kInt8, GST_TENSOR_DATA_TYPE_INT8},
    {ElementType::kInt32, GST_TENSOR_DATA_TYPE_INT32},
    {ElementType::kInt64, GST_TENSOR_DATA_TYPE_INT64},
    {ElementType::kFloat64, GST_TENSOR_DATA_TYPE_FLOAT64},
    {ElementType::kUint16, GST_TENSOR_DATA_TYPE_UINT16},
    {ElementType::kInt16, GST_TENSOR_DATA_TYPE_INT16},
    {ElementType::kUint32, GST_TENSOR_DATA_TYPE_UINT32},
    {ElementType::kUint64, GST_TENSOR_DATA_TYPE_UINT64},
    {ElementType::kBool, GST_TENSOR_DATA_TYPE_UINT8},  // which is how it lies; read as uint8 again
}};

GstTensorDataType their_type(ElementType type) {
  return std::ranges::find(kTypes, type, &std::pair<ElementType, GstTensorDataType>::first)->second;
}

std::optional<ElementType> our_type(GstTensorDataType type) {
  const auto found =
      std::ranges::find(kTypes, type, &std::pair<ElementType, GstTensorDataType>::second);
  return found != kTypes.end() ? std::optional(found->first) : std::nullopt;
}

using GstTensorPtr = std::unique_ptr<GstTensor, decltype(&gst_tensor_free)>;

// Empty if it has no elements, or they cannot be copied from a GPU.
GstTensorPtr to_theirs(SightTensor* tensor) {
  const Tensor& ours = unwrap(tensor);
  g_autoptr(GBytes) bytes = ours.count() > 0 ? sight_tensor_get_bytes(tensor, nullptr) : nullptr;
  if (bytes == nullptr) return {nullptr, gst_tensor_free};
  std::vector<gsize> dims(ours.shape.begin(), ours.shape.end());
  if (dims.empty()) dims.push_back(1);
  return {gst_tensor_new_simple(g_quark_from_string(ours.name.c_str()), their_type(ours.type),
                                gst_buffer_new_wrapped_bytes(bytes), GST_TENSOR_DIM_ORDER_ROW_MAJOR,
                                dims.size(), dims.data()),
          gst_tensor_free};
}

bool is_up_to_date(GstBuffer* buffer, const SightFrame& frame) {
  const bool all = std::ranges::all_of(frame.tensors, [&](const TensorHandle& tensor) {
    return frame.tensor_mirror.known.contains(tensor.get());
  });
  return all && (frame.tensors.empty() || gst_buffer_get_tensor_meta(buffer) != nullptr);
}

// Takes the place of those that were there, which are among `tensors`.
void set_tensors(GstBuffer* buffer, std::vector<GstTensorPtr> tensors) {
  GstTensor** const list = g_new(GstTensor*, tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) list[i] = tensors[i].release();
  gst_tensor_meta_set(gst_buffer_add_tensor_meta(buffer), static_cast<guint>(tensors.size()), list);
}

std::vector<GstTensorPtr> copies_of(GstTensorMeta* meta) {
  std::vector<GstTensorPtr> copies;
  for (gsize i = 0; meta != nullptr && i < meta->num_tensors; ++i)
    copies.emplace_back(gst_tensor_copy(gst_tensor_meta_get(meta, i)), gst_tensor_free);
  return copies;
}

// A buffer's memory, mapped for as long as somebody reads it.
class Mapped {
 public:
  static GBytes* bytes_of(GstBuffer* buffer) {
    auto mapped = std::make_unique<Mapped>();
    if (!gst_buffer_map(buffer, &mapped->map_, GST_MAP_READ)) return nullptr;
    mapped->buffer_ = gst_buffer_ref(buffer);
    const GstMapInfo map = mapped->map_;
    return g_bytes_new_with_free_func(
        map.data, map.size,
        [](gpointer held) { std::unique_ptr<Mapped>(static_cast<Mapped*>(held)); },
        mapped.release());
  }

  Mapped() = default;
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() {
    if (buffer_ == nullptr) return;
    gst_buffer_unmap(buffer_, &map_);
    gst_buffer_unref(buffer_);
  }

 private:
  GstBuffer* buffer_ = nullptr;
  GstMapInfo map_{};
};

// Empty if it is none of ours.
TensorHandle to_ours(const GstTensor& tensor, guint stage_id) {
  const auto type = our_type(tensor.data_type);
  const Text name = repaired(g_quark_to_string(tensor.id));
  g_autoptr(GBytes) bytes =
      type && tensor.data != nullptr ? Mapped::bytes_of(tensor.data) : nullptr;
  if (bytes == nullptr) return {};
  std::vector<gint64> shape(tensor.dims, tensor.dims + tensor.num_dims);
  if (tensor.dims_order == GST_TENSOR_DIM_ORDER_COL_MAJOR) std::ranges::reverse(shape);
  const auto plain = TensorHandle::adopt(
      sight_tensor_new(name ? name->c_str() : "", static_cast<SightElementType>(*type),
                       shape.data(), static_cast<guint>(shape.size()), bytes, nullptr));
  if (!plain) return {};
  return TensorHandle::adopt(wrap_tensor(unwrap(plain.get()), {}, stage_id, -1));
}

}  // namespace

bool has_tensor_meta() { return true; }

void mirror_tensors(GstBuffer* buffer) {
  const SightFrame* current = peek_frame(buffer);
  if (current == nullptr || (current->tensor_mirror.wanted && is_up_to_date(buffer, *current)))
    return;

  SightFrame& frame = edit_frame(buffer);
  TensorMirror& mirror = frame.tensor_mirror;
  mirror.wanted = true;
  GstTensorMeta* const meta = gst_buffer_get_tensor_meta(buffer);
  if (meta == nullptr) mirror.known.clear();  // it was left behind
  std::vector<GstTensorPtr> all = copies_of(meta);
  const std::size_t before = all.size();
  for (const TensorHandle& tensor : frame.tensors) {
    if (!mirror.known.insert(tensor.get()).second) continue;
    if (GstTensorPtr theirs = to_theirs(tensor.get())) all.push_back(std::move(theirs));
  }
  if (all.size() > before) set_tensors(buffer, std::move(all));
}

bool has_foreign_tensors(GstBuffer* buffer) {
  const GstTensorMeta* meta = gst_buffer_get_tensor_meta(buffer);
  return meta != nullptr && meta->num_tensors > 0;
}

int import_tensors(GstBuffer* buffer, guint stage_id) {
  if (!has_foreign_tensors(buffer)) return 0;
  SightFrame& frame = edit_frame(buffer);
  GstTensorMeta* const meta = gst_buffer_get_tensor_meta(buffer);
  int imported = 0;
  for (gsize i = 0; i < meta->num_tensors; ++i) {
    TensorHandle tensor = to_ours(*gst_tensor_meta_get(meta, i), stage_id);
    if (!tensor) continue;
    frame.tensor_mirror.known.insert(tensor.get());  // it is there already
    frame.tensors.push_back(std::move(tensor));
    ++imported;
  }
  return imported;
}

}  // namespace sightline
