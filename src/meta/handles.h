// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One owner of a reference-counted object of the C API, in C++.

#pragma once

#include <utility>

#include "sightline/frame.h"
#include "sightline/tensor.h"

namespace sightline {

template <typename T, T* (*ref)(T*), void (*unref)(T*)>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle& other) : object_(other.object_ != nullptr ? ref(other.object_) : nullptr) {}
  Handle(Handle&& other) noexcept : object_(other.release()) {}
  Handle& operator=(Handle other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Handle() {
    if (object_ != nullptr) unref(object_);
  }

  // Takes over the reference of a "transfer full".
  static Handle adopt(T* object) { return Handle(object); }
  // Takes a reference of its own to a "transfer none".
  static Handle share(T* object) { return Handle(object != nullptr ? ref(object) : nullptr); }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

  // Gives the reference away.
  T* release() noexcept { return std::exchange(object_, nullptr); }

 private:
  explicit Handle(T* object) : object_(object) {}

  T* object_ = nullptr;
};

using FrameHandle = Handle<SightFrame, sight_frame_ref, sight_frame_unref>;
using ObjectHandle = Handle<SightObject, sight_object_ref, sight_object_unref>;
using TensorHandle = Handle<SightTensor, sight_tensor_ref, sight_tensor_unref>;
using CandidateHandle = Handle<SightCandidate, sight_candidate_ref, sight_candidate_unref>;
using IdentityHandle = Handle<SightIdentity, sight_identity_ref, sight_identity_unref>;
using ClassificationHandle =
    Handle<SightClassification, sight_classification_ref, sight_classification_unref>;

}  // namespace sightline
