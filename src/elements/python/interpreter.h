// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The Python of this process: the one that runs it, or one that is started in it.

#pragma once

#include <string>
#include <utility>

#include <Python.h>

#include "core/error.h"

namespace sightline::python {

// Starts Python, unless it is there, and makes PyGObject and the overrides of Sightline ready.
// Any number of threads may call it; what was started stays until the process ends. Throws
// Error(kNotFound) if a part is missing.
void start_interpreter();

// Holds the GIL for a scope. Python has to be there.
class Gil {
 public:
  Gil() : state_(PyGILState_Ensure()) {}
  ~Gil() { PyGILState_Release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  const PyGILState_STATE state_;
};

// Owns a reference; all but the default constructor and moving need the GIL where it is not null.
class Ref {
 public:
  Ref() = default;
  // Takes over what a function of Python has returned.
  explicit Ref(PyObject* owned) : object_(owned) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { Py_XDECREF(object_); }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;

  PyObject* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// What Python code has raised: "ValueError: …", and where.
class PythonError : public Error {
 public:
  PythonError(const std::string& what, std::string traceback)
      : Error(ErrorCode::kFailed, what), traceback_(std::move(traceback)) {}

  const std::string& traceback() const { return traceback_; }

 private:
  std::string traceback_;
};

// Takes the exception that is set. Needs the GIL.
PythonError take_exception();

// `object` itself. Throws PythonError if it is null.
PyObject* checked(PyObject* object);

}  // namespace sightline::python
