// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A vector whose copies share their chunks: a copy that is changed pays for the chunks that change.

#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace sightline {

// Copies may be read by many threads while one thread makes a copy and changes that. A chunk that
// a copy has brought along is never written: who reads it needs no lock.
template <typename T, std::size_t kChunk = 1024>
class SharedVector {
 public:
  SharedVector() = default;
  SharedVector(const SharedVector& other)
      : chunks_(other.chunks_), own_(other.chunks_.size(), false), size_(other.size_) {}
  SharedVector(SharedVector&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        own_(std::move(other.own_)),
        size_(std::exchange(other.size_, 0)) {}
  SharedVector& operator=(SharedVector other) noexcept {
    chunks_.swap(other.chunks_);
    own_.swap(other.own_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::size_t size() const { return size_; }
  const T& operator[](std::size_t i) const { return (*chunks_[i / kChunk])[i % kChunk]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T value) {
    if (size_ == chunks_.size() * kChunk) {
      chunks_.push_back(std::make_shared<Chunk>());
      own_.push_back(true);
    }
    ++size_;
    edit(size_ - 1) = std::move(value);
  }

  T& edit(std::size_t i) {
    const std::size_t chunk = i / kChunk;
    if (!own_[chunk]) {
      chunks_[chunk] = std::make_shared<Chunk>(*chunks_[chunk]);
      own_[chunk] = true;
    }
    return (*chunks_[chunk])[i % kChunk];
  }

 private:
  using Chunk = std::array<T, kChunk>;

  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::vector<bool> own_;  // which chunks no copy was made of
  std::size_t size_ = 0;
};

}  // namespace sightline
