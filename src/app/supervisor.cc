// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/supervisor.h"

#include <algorithm>
#include <utility>

namespace sightline {

Supervisor::Supervisor(std::vector<std::unique_ptr<Stream>> streams, int files_at_once)
    : streams_(std::move(streams)), files_at_once_(files_at_once) {
  for (const auto& stream : streams_)
    if (!stream->plan().live) files_.push_back(stream.get());
}

Supervisor::~Supervisor() {
  if (!finished()) interrupts_->request();
  for (std::thread& thread : threads_) thread.join();
}

void Supervisor::start(const Interrupts& interrupts) {
  interrupts_ = &interrupts;
  const auto begin = [this](auto play) {
    ++playing_;
    threads_.emplace_back([this, play] {
      play();
      --playing_;
    });
  };
  for (const auto& stream : streams_)
    if (stream->plan().live)
      begin([&interrupts, playing = stream.get()] { playing->play(interrupts); });
  const auto hands = std::min<std::size_t>(static_cast<std::size_t>(files_at_once_), files_.size());
  for (std::size_t i = 0; i < hands; ++i) begin([this, &interrupts] { play_files(interrupts); });
}

void Supervisor::play_files(const Interrupts& interrupts) {
  while (interrupts.count() == 0) {
    const std::size_t file = next_file_++;
    if (file >= files_.size()) return;
    files_[file]->play(interrupts);
  }
}

}  // namespace sightline
