// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/embedding_network.h"

#include <charconv>

#include "app/exit_status.h"
#include "engine/engine.h"
#include "gallery/gallery_file.h"
#include "stage/model.h"

namespace sightline {

namespace {

// "scores [4420,2] and boxes [4420,4]"
std::string outputs_of(const Model& model) {
  std::string text;
  if (!model.has_network()) return text;
  const std::vector<TensorInfo>& outputs = model.engine().outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    text += (i == 0                    ? ""
             : i + 1 == outputs.size() ? " and "
                                       : ", ") +
            outputs[i].name + " " + to_string(outputs[i].shape);
  return text;
}

[[noreturn]] void fail_without_embedding(const std::filesystem::path& config, const Model& model) {
  const std::string outputs = outputs_of(model);
  throw Error(ErrorCode::kModel,
              config.string() + ": is no embedding network: " +
                  (outputs.empty() ? "it has no network at all"
                                   : "its outputs are " + outputs + " (of one picture)") +
                  ", and their model-family is not embedding. Expected one output of 1 to " +
                  std::to_string(kMaxDimensions) +
                  " numbers that identify. Name such a network, as models/face-embed.ini; if this "
                  "one is, say model-family = embedding in its configuration.");
}

}  // namespace

std::shared_ptr<const Model> load_embedding_network(const std::filesystem::path& config,
                                                    const std::string& device) {
  ModelOverrides overrides;
  overrides.set("device", device);
  auto model = Model::load(config, overrides);
  if (model->fingerprint().dimensions == 0) fail_without_embedding(config, *model);
  return model;
}

ModelFingerprint named_model(const std::string& text, const std::string& option) {
  const std::size_t first = text.find(':'), last = text.rfind(':');
  const bool is_id = first != std::string::npos && last > first;
  if (!is_id) return load_embedding_network(text)->fingerprint();
  ModelFingerprint model{text.substr(0, first), text.substr(first + 1, last - first - 1), 0};
  try {
    const auto [end, error] =
        std::from_chars(text.data() + last + 1, text.data() + text.size(), model.dimensions);
    if (error != std::errc() || end != text.data() + text.size())
      throw Error(ErrorCode::kInput, "no whole number of dimensions");
    require_plausible(model);
  } catch (const Error& error) {
    throw UsageError(option + " " + valid_utf8(text) + ": " + error.what() +
                     ". Expected a configuration file, or ID:NAME:DIMENSIONS as `gallery list "
                     "--json` prints them.");
  }
  return model;
}

}  // namespace sightline
