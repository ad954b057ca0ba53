// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/tensor_files.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace sightline {

namespace {

constexpr const char* kProperty = "property";

std::vector<std::byte> read_tensor(const ConfigValue& value, const std::filesystem::path& path,
                                   const Tensor& expected) {
  if (std::ranges::any_of(expected.shape, [](std::int64_t size) { return size < 0; }))
    value.fail("the tensor \"" + expected.name + "\" is " + to_string(expected.shape) +
               ", and of one whose size is open nothing can be replaced");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) value.fail(path.string() + ": no such file, or it cannot be read");
  std::vector<std::byte> bytes(expected.bytes() + 1);  // one more would be too many
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const auto found = static_cast<std::size_t>(stream.gcount());
  if (found != expected.bytes())
    value.fail(path.string() + " has " +
               (found > expected.bytes() ? "more than " : std::to_string(found) + " of ") +
               std::to_string(expected.bytes()) + " bytes, which is what the tensor \"" +
               expected.name + "\" " + to_string(expected.shape) + " has");
  bytes.resize(found);
  return bytes;
}

std::string file_safe(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char text[160];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

void write_file(const std::string& name, std::span<const std::byte> bytes) {
  std::ofstream stream(name, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  if (!stream.flush()) throw Error(ErrorCode::kFailed, name + ": cannot be written");
}

bool is_on(const ConfigFile& config, const char* key) {
  const auto value = config.find(kProperty, key);
  return value && value->as_bool();
}

// The file names that belong to a switch; nothing where that is off.
std::optional<ConfigValue> files_for(const ConfigFile& config, const char* flag,
                                     const char* files) {
  const auto names = config.find(kProperty, files);
  if (!is_on(config, flag)) return std::nullopt;
  if (!names) config.get(kProperty, flag).fail(std::string("needs the key ") + files);
  return names;
}

}  // namespace

TensorFiles TensorFiles::from_config(const ConfigFile& config, const Tensor& input,
                                     std::span<const Tensor> outputs) {
  TensorFiles files;
  files.writes_raw_ = is_on(config, "raw-output-file-write");
  files.dumps_input_ = is_on(config, "dump-input-tensor");
  files.dumps_outputs_ = is_on(config, "dump-output-tensor");
  files.input_name_ = file_safe(input.name);
  files.inputs_passed_ = std::make_shared<std::atomic<unsigned long>>(0);
  files.outputs_passed_ = std::make_shared<std::atomic<unsigned long>>(0);
  if (const auto name = files_for(config, "overwrite-input-tensor", "ip-tensor-file"))
    files.input_ = read_tensor(*name, name->as_path(), input);
  if (const auto names = files_for(config, "overwrite-output-tensor", "op-tensor-files")) {
    const std::vector<std::string> list = names->as_strings();
    if (list.size() != outputs.size())
      names->fail("expected " + std::to_string(outputs.size()) + " files, one for each output");
    for (std::size_t i = 0; i < list.size(); ++i)
      files.outputs_.push_back(std::make_shared<const Bytes>(read_tensor(
          *names, std::filesystem::path(config.name()).parent_path() / list[i], outputs[i])));
  }
  return files;
}

void TensorFiles::pass_input(std::span<std::byte> item, int stage_id) const {
  if (replaces_input())
    std::memcpy(item.data(), input_.data(), std::min(item.size(), input_.size()));
  if (dumps_input_)
    write_file(formatted("sightline_uid-%02d_input-%.80s_look-%010lu.bin", stage_id,
                         input_name_.c_str(), (*inputs_passed_)++),
               item);
}

void TensorFiles::pass_outputs(std::vector<Tensor>& outputs, int stage_id) const {
  const unsigned long look = (*outputs_passed_)++;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Tensor& output = outputs[i];
    if (i < outputs_.size()) {
      output.data = outputs_[i]->data();
      output.owner = outputs_[i];
      output.memory = MemoryKind::kHost;
    }
    const std::string name = file_safe(output.name);
    const std::span<const std::byte> bytes(output.data, output.bytes());
    if (writes_raw_)
      write_file(formatted("gstnvdsinfer_uid-%02d_layer-%.80s_batch-%010lu_batchsize-01.bin",
                           stage_id, name.c_str(), look),
                 bytes);
    if (dumps_outputs_)
      write_file(formatted("sightline_uid-%02d_output-%.80s_look-%010lu.bin", stage_id,
                           name.c_str(), look),
                 bytes);
  }
}

}  // namespace sightline
