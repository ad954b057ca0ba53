// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batchable_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include <climits>

#include "core/error.h"
#include "engine/onnx_file.h"

namespace sightline {

namespace {

constexpr int kItems = 3;
constexpr std::chrono::milliseconds kTooSlow(500);

// Items that look like normalised pictures, or like pixels; the same ones each time.
std::vector<std::byte> random_items(const TensorInfo& input, int count) {
  const std::size_t size = size_of(input.type);
  std::vector<std::byte> bytes(item_bytes(input).value() * static_cast<std::size_t>(count));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const float value = uniform(random);
    const std::uint16_t half = float_to_half(value);
    const auto pixel = static_cast<std::uint8_t>(random());
    const void* const source =
        input.type == ElementType::kFloat32   ? static_cast<const void*>(&value)
        : input.type == ElementType::kFloat16 ? static_cast<const void*>(&half)
                                              : &pixel;
    std::memcpy(&bytes[at], source, size);
  }
  return bytes;
}

std::optional<double> number_at(const Tensor& tensor, std::size_t index) {
  const std::byte* const at = tensor.data + index * size_of(tensor.type);
  const auto as = [at]<typename T>(T value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (tensor.type) {
    case ElementType::kFloat32:
      return as(float{});
    case ElementType::kFloat64:
      return as(double{});
    case ElementType::kFloat16:
      return half_to_float(as(std::uint16_t{}));
    default:
      return std::nullopt;  // compared byte by byte
  }
}

double tolerance(ElementType type) { return type == ElementType::kFloat16 ? 2e-3 : 1e-5; }

std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", value);
  return text;
}

// The complaint if `bytes` of `batch`'s row differ from `single`, else nothing.
std::string difference(const Tensor& batch, std::size_t row, const Tensor& single) {
  const std::string where = "output \"" + single.name + "\"";
  if (batch.bytes() / static_cast<std::size_t>(batch.shape.front()) != single.bytes())
    return where + " changes its size";
  const std::size_t count = single.count();
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto expected = number_at(single, i);
    if (!expected) {
      const std::byte* const got = batch.data + row * single.bytes();
      return std::memcmp(got, single.data, single.bytes()) == 0 ? "" : where + " differs";
    }
    const double found = number_at(batch, row * count + i).value();
    if (std::isnan(*expected) && std::isnan(found)) continue;
    if (!std::isfinite(*expected) || !std::isfinite(found)) {
      if (*expected == found) continue;
      return where + " differs in what is not finite";
    }
    largest = std::max(largest, std::abs(*expected));
    worst = std::max(worst, std::abs(found - *expected));
  }
  if (worst <= tolerance(single.type) * largest) return "";
  return where + " differs by " + scientific(worst) + ", its largest value is " +
         scientific(largest);
}

std::string difference(const std::vector<Tensor>& batch, std::size_t row,
                       const std::vector<Tensor>& single) {
  for (std::size_t i = 0; i < single.size(); ++i)
    if (std::string complaint = difference(batch[i], row, single[i]); !complaint.empty())
      return complaint;
  return "";
}

// A file's batch of more than one is a batch only if other items do not matter to the first.
void check_items_are_independent(const Session& session, const std::vector<std::byte>& items) {
  const int rows = session.max_batch();
  if (rows == 1) return;
  const std::vector<Tensor> alone = session.run(items.data(), 1, {});  // the other rows are zeros
  const std::vector<std::byte> full = random_items(session.input(), rows);
  const std::string complaint = difference(session.run(full.data(), rows, {}), 0, alone);
  if (!complaint.empty())
    throw Error(ErrorCode::kModel, "has a first dimension of " + std::to_string(rows) +
                                       " that is no batch: what is in the other rows changes the "
                                       "first one's result (" +
                                       complaint + "). A network that takes one image is expected");
}

// The ways to give the model an open batch, the gentlest first. Made one by one, since models are
// large.
std::vector<std::function<std::string()>> candidates(std::string_view model,
                                                     const Shape& file_shape, const Shape& item) {
  std::vector<std::function<std::string()>> ways;
  const bool open = file_shape.front() < 0;
  if (open && Shape(file_shape.begin() + 1, file_shape.end()) == item)
    ways.emplace_back([model] { return std::string(model); });
  ways.emplace_back([model, item] { return onnx::with_input_shape(model, -1, item); });
  return ways;
}

// The file as it is, or with a batch of 1 and `item` where it leaves dimensions open.
std::string reference_model(std::string_view model, const Shape& file_shape, const Shape& item) {
  const bool closed =
      std::all_of(file_shape.begin(), file_shape.end(), [](auto d) { return d >= 0; });
  if (closed) return std::string(model);
  return onnx::with_input_shape(model, std::max<std::int64_t>(file_shape.front(), 1), item);
}

// The complaint if `candidate` does not give for a batch what `singles` are.
std::string check(const Session& candidate, const std::vector<std::byte>& items,
                  const std::vector<std::vector<Tensor>>& singles) {
  if (candidate.max_batch() < kItems) return "its outputs have no batch dimension";
  const std::vector<Tensor> batch = candidate.run(items.data(), kItems, {});
  for (std::size_t row = 0; row < singles.size(); ++row)
    if (std::string complaint = difference(batch, row, singles[row]); !complaint.empty())
      return "in a batch of 3, " + complaint;
  return "";
}

std::vector<Tensor> first_run(const Session& session, const std::vector<std::byte>& items) {
  try {
    return session.run(items.data(), 1, {});
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kModel, std::string("does not run: ") + error.what());
  }
}

}  // namespace

BatchableModel make_batchable(std::string_view model, const Shape& item,
                              const SessionOptions& options, bool batch_wanted) {
  const Shape file_shape = onnx::read_summary(model).inputs.at(0).shape.value();
  BatchableModel result;
  result.bytes = reference_model(model, file_shape, item);
  result.session = load_session(result.bytes, options);
  result.largest_batch = result.session->max_batch();

  const std::vector<std::byte> items = random_items(result.session->input(), kItems);
  const std::size_t bytes = item_bytes(result.session->input()).value();
  const auto started = Clock::now();
  std::vector<std::vector<Tensor>> singles = {first_run(*result.session, items)};
  const bool slow = Clock::now() - started > kTooSlow;
  check_items_are_independent(*result.session, items);
  if (slow && !batch_wanted) {
    result.why = "a single run takes longer than half a second: batches were not tried";
    return result;
  }
  for (std::size_t i = 1; i < kItems; ++i)
    singles.push_back(result.session->run(items.data() + i * bytes, 1, {}));

  // Two sessions of a large model at a time would be the most memory that a pipeline ever takes.
  result = {};
  std::string complaint;
  for (const auto& candidate : candidates(model, file_shape, item)) {
    try {
      std::string bytes_of_candidate = candidate();
      std::shared_ptr<const Session> session = load_session(bytes_of_candidate, options);
      complaint = check(*session, items, singles);
      if (complaint.empty())
        return {std::move(bytes_of_candidate), std::move(session), INT_MAX,
                "3 items in a batch equal 3 single runs"};
    } catch (const std::exception& error) {
      complaint = error.what();
    }
  }
  result.bytes = reference_model(model, file_shape, item);
  result.session = load_session(result.bytes, options);
  result.largest_batch = result.session->max_batch();
  result.why = "cannot be batched: " + complaint;
  return result;
}

}  // namespace sightline
