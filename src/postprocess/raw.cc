// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All outputs as they are, for whoever decodes them further down (nvinfer's network-type 100).

#include "postprocess/family.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

class Raw final : public Postprocessor {
 public:
  explicit Raw(const NetworkShape& network) : network_(network) {}

  NetworkRole role() const override { return NetworkRole::kRaw; }

  Results decode(std::span<const Tensor> outputs) const override {
    check_outputs(outputs, network_);
    Results results;
    results.tensors.assign(outputs.begin(), outputs.end());
    for (std::size_t i = 0; i < results.tensors.size(); ++i)
      results.tensors[i].name = network_.outputs[i].name;
    return results;
  }

 private:
  NetworkShape network_;
};

const FamilyRegistration registration(
    {{"raw"},
     NetworkRole::kRaw,
     "every output as a tensor, as it is",
     [](const ConfigFile&, const NetworkShape& network) -> std::unique_ptr<Postprocessor> {
       return std::make_unique<Raw>(network);
     }});

}  // namespace

}  // namespace sightline
