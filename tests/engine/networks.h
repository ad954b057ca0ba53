// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Small networks for the tests, with their arithmetic done plainly, and a folder to put them into.

#pragma once

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/engine.h"
#include "engine/onnx_builder.h"

namespace sightline::test {

// A folder that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sightline-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

// x [batch,2,3,3] → Reshape to [batch,18] by a constant → MatMul with [18,5] → y [batch,5].
struct ReshapeMatMul {
  static constexpr std::size_t kIn = 18, kOut = 5;
  std::vector<float> weights = random_floats(kIn * kOut, 7);

  std::string file(std::int64_t batch) const {
    onnx::Builder builder("reshape-matmul");
    builder.input("x", ElementType::kFloat32, {batch, 2, 3, 3});
    builder.output("y", ElementType::kFloat32, {batch, kOut});
    builder.constant("shape", {2}, std::vector<std::int64_t>{batch < 0 ? 0 : batch, kIn});
    builder.constant("weights", {kIn, kOut}, weights);
    builder.node("Reshape", {"x", "shape"}, {"flat"});
    builder.node("MatMul", {"flat", "weights"}, {"y"});
    return builder.file();
  }

  std::vector<float> operator()(const std::vector<float>& x) const {
    std::vector<float> y;
    for (std::size_t column = 0; column < kOut; ++column) {
      double sum = 0;
      for (std::size_t row = 0; row < kIn; ++row)
        sum += static_cast<double>(x[row]) * static_cast<double>(weights[row * kOut + column]);
      y.push_back(static_cast<float>(sum));
    }
    return y;
  }
};

// x [batch,dims…] → y of the same shape by one node, with perhaps a second input that is a
// constant.
inline std::string one_node_file(const std::string& op_type, const Shape& in, const Shape& out,
                                 const std::vector<onnx::Attribute>& attributes = {}) {
  onnx::Builder builder(op_type);
  builder.input("x", ElementType::kFloat32, in);
  builder.output("y", ElementType::kFloat32, out);
  builder.node(op_type, {"x"}, {"y"}, attributes);
  return builder.file();
}

// An output that is always this for each item, whatever the image [batch,3,h,w] shows.
inline void add_constant_output(onnx::Builder& network, const std::string& image,
                                const std::string& name, Shape item,
                                const std::vector<float>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  network.output(name, ElementType::kFloat32, [&] {
    Shape shape = item;
    shape.insert(shape.begin(), -1);
    return shape;
  }());
  network.constant(name + "_zeros", {count, 3, 1, 1}, std::vector<float>(values.size() * 3));
  network.constant(name + "_values", {count}, values);
  item.insert(item.begin(), 0);
  network.constant(name + "_shape", {static_cast<std::int64_t>(item.size())}, item);
  network.node("GlobalAveragePool", {image}, {name + "_mean"});
  network.node("Conv", {name + "_mean", name + "_zeros", name + "_values"}, {name + "_flat"});
  network.node("Reshape", {name + "_flat", name + "_shape"}, {name});
}

using InputWriter = std::function<void(std::span<std::byte>)>;

inline InputWriter floats_writer(std::vector<float> values) {
  return [values = std::move(values)](std::span<std::byte> item) {
    std::memcpy(item.data(), values.data(), std::min(item.size(), values.size() * sizeof(float)));
  };
}

// Submits requests together, to an Engine or a Batcher, and hands out their results.
template <typename Target>
std::vector<std::future<RunResult>> submit(Target& target, std::vector<InputWriter> writers,
                                           int priority = 0, std::uint64_t source = 0) {
  std::vector<std::future<RunResult>> futures;
  std::vector<Request> requests;
  for (InputWriter& write : writers) {
    auto promise = std::make_shared<std::promise<RunResult>>();
    futures.push_back(promise->get_future());
    requests.push_back({std::move(write),
                        [promise](RunResult&& result) { promise->set_value(std::move(result)); },
                        {priority, source}});
  }
  target.submit(std::move(requests));
  return futures;
}

template <typename Target>
std::vector<std::future<RunResult>> submit(Target& target,
                                           const std::vector<std::vector<float>>& items) {
  std::vector<InputWriter> writers;
  for (const std::vector<float>& item : items) writers.push_back(floats_writer(item));
  return submit(target, std::move(writers));
}

// The results of items that are submitted together.
template <typename Target>
std::vector<RunResult> run(Target& target, const std::vector<std::vector<float>>& items) {
  std::vector<RunResult> results;
  for (auto& future : submit(target, items)) results.push_back(future.get());
  return results;
}

// What the action complains about.
template <typename F>
std::string complaint(F&& action, ErrorCode expected) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() != expected) return std::string("another error code: ") + error.what();
    return error.what();
  }
  return "no complaint";
}

}  // namespace sightline::test
