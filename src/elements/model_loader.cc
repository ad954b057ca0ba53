// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/model_loader.h"

namespace sightline {

void ModelLoader::ask(ModelWish wish) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  wish_ = std::move(wish);
  if (running_) return;
  if (thread_.joinable()) thread_.join();  // it has said that it is over, and needs no lock
  running_ = true;
  thread_ = std::thread(&ModelLoader::run, this);
}

void ModelLoader::stop() {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wish_.reset();
    ending = std::move(thread_);
  }
  if (ending.joinable()) ending.join();
  const std::lock_guard lock(mutex_);
  stopping_ = false;
}

std::optional<ModelWish> ModelLoader::next() {
  const std::lock_guard lock(mutex_);
  std::optional<ModelWish> wish = std::exchange(wish_, std::nullopt);
  running_ = wish.has_value();
  return wish;
}

void ModelLoader::run() {
  while (const auto wish = next()) {
    std::shared_ptr<const Model> model;
    std::string problem;
    try {
      model = Model::load(wish->config_file, wish->overrides);
    } catch (const std::exception& error) {
      problem = error.what();
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) model.reset();
      if (stopping_ || wish_) continue;  // nobody wants it, or another by now
    }
    done_(*wish, std::move(model), problem);
  }
}

}  // namespace sightline
