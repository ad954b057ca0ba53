// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Loads another model while the one that is there goes on working.

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/error.h"
#include "stage/model.h"

namespace sightline {

struct ModelWish {
  std::string config_file;
  ModelOverrides overrides;
};

// One at a time; of several wishes that wait, the newest counts.
class ModelLoader {
 public:
  // What a wish came to: a model, or null and why. Called on the loader's own thread.
  using Done = std::function<void(const ModelWish& wish, std::shared_ptr<const Model> model,
                                  const std::string& problem)>;

  explicit ModelLoader(Done done) : done_(std::move(done)) {}
  ~ModelLoader() { stop(); }
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  void ask(ModelWish wish);
  // Waits for a load that is under way, whose outcome is dropped. To be called from another thread
  // than the loader's.
  void stop();

 private:
  void run();
  std::optional<ModelWish> next();

  const Done done_;
  std::mutex mutex_;
  std::optional<ModelWish> wish_;
  bool running_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace sightline
