// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tensors to and from files, to find out where two programs begin to differ.

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/tensor.h"

namespace sightline {

// Files are written to the current folder, one a tensor of a look:
//   gstnvdsinfer_uid-01_layer-scores_batch-0000000003_batchsize-01.bin  raw-output-file-write
//   sightline_uid-01_input-image_look-0000000003.bin                    dump-input-tensor
//   sightline_uid-01_output-scores_look-0000000003.bin                  dump-output-tensor
// A '/' in a layer's name becomes '_'.
class TensorFiles {
 public:
  // Reads raw-output-file-write, dump-input-tensor, dump-output-tensor, overwrite-input-tensor,
  // ip-tensor-file, overwrite-output-tensor and op-tensor-files of [property], and the files that
  // they name. Throws Error(kConfig): a file cannot be read, or is not of the tensor's size.
  static TensorFiles from_config(const ConfigFile& config, const Tensor& input,
                                 std::span<const Tensor> outputs);

  bool wants_input() const { return dumps_input_ || replaces_input(); }
  bool replaces_input() const { return !input_.empty(); }
  // `item` is what the network is about to see, or gets it from the file. Throws Error(kFailed).
  void pass_input(std::span<std::byte> item, int stage_id) const;

  bool wants_outputs() const { return dumps_outputs_ || writes_raw_ || !outputs_.empty(); }
  // Of one look. Throws Error(kFailed) if a file cannot be written.
  void pass_outputs(std::vector<Tensor>& outputs, int stage_id) const;

 private:
  using Bytes = std::vector<std::byte>;

  bool dumps_input_ = false, dumps_outputs_ = false, writes_raw_ = false;
  Bytes input_;
  std::vector<std::shared_ptr<const Bytes>> outputs_;
  std::string input_name_;
  std::shared_ptr<std::atomic<unsigned long>> inputs_passed_, outputs_passed_;
};

}  // namespace sightline
