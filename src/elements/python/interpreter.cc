// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/python/interpreter.h"

#include <algorithm>
#include <mutex>

#include <dlfcn.h>

#include "extension/boxed.h"

namespace sightline::python {

namespace {

// As UTF-8; what that has no form for, half a surrogate pair, is escaped as Python escapes it.
std::string text_of(PyObject* object) {
  const Ref text(object != nullptr ? PyObject_Str(object) : nullptr);
  const Ref bytes(text ? PyUnicode_AsEncodedString(text.get(), "utf-8", "backslashreplace")
                       : nullptr);
  PyErr_Clear();
  if (!bytes) return "";
  std::string utf8(PyBytes_AS_STRING(bytes.get()),
                   static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get())));
  std::ranges::replace(utf8, '\0', ' ');  // which would end what is made of it
  return utf8;
}

// The lines of the traceback, as Python prints them.
std::string traceback_of(PyObject* type, PyObject* value, PyObject* traceback) {
  const Ref module(PyImport_ImportModule("traceback"));
  const Ref lines(
      module ? PyObject_CallMethod(module.get(), "format_exception", "OOO", type, value, traceback)
             : nullptr);
  const Ref nothing(PyUnicode_FromString(""));
  const Ref joined(lines && nothing ? PyUnicode_Join(nothing.get(), lines.get()) : nullptr);
  return text_of(joined.get());
}

// Modules of Python written in C do not name the library that they need: whoever runs them has it
// for all to see, but a plugin's libraries are its own.
void show_library_to_modules() {
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&Py_IsInitialized), &library) != 0)
    dlopen(library.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

void start() {
  show_library_to_modules();
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;
  config.parse_argv = 0;
  config.buffered_stdio = 0;  // nobody ends this Python, which would write out what is left
  // Not whatever python3 comes first in PATH: it may be of another version.
  PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, SIGHTLINE_PYTHON);
  if (PyStatus_Exception(status) == 0) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status) != 0)
    throw Error(ErrorCode::kNotFound,
                std::string("Python ") + PY_VERSION + " could not be started: " +
                    (status.err_msg != nullptr ? status.err_msg : "no reason given") +
                    ". Is " SIGHTLINE_PYTHON " of this version?");
  PyEval_SaveThread();
}

void import_overrides() {
  const Gil gil;
  try {
    const Ref gi(checked(PyImport_ImportModule("gi")));
    for (const char* needed : {"Gst", "GstVideo", "Sightline"})
      Ref(checked(PyObject_CallMethod(gi.get(), "require_version", "ss", needed, "1.0")));
    Ref(checked(PyImport_ImportModule("gi.repository.Sightline")));
    Ref(checked(PyImport_ImportModule("gi.overrides._gi_sightline")));
    if (!import_pygobject()) throw take_exception();
  } catch (const PythonError& error) {
    throw PythonError(std::string(error.what()) +
                          ". sightpython needs python3-gi, python3-gst-1.0 and the overrides of "
                          "Sightline where " SIGHTLINE_PYTHON " finds them (PYTHONPATH)",
                      error.traceback());
  }
}

}  // namespace

void start_interpreter() {
  static std::mutex mutex;
  static bool is_ready = false;
  const std::lock_guard lock(mutex);
  if (is_ready) return;
  if (Py_IsInitialized() == 0) start();
  import_overrides();
  is_ready = true;
}

PythonError take_exception() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) PyException_SetTraceback(value, traceback);
  const Ref owned_type(type), owned_value(value), owned_traceback(traceback);
  if (type == nullptr) return {"a failure without an exception", ""};
  return {reinterpret_cast<PyTypeObject*>(type)->tp_name + (": " + text_of(value)),
          traceback_of(type, value, traceback != nullptr ? traceback : Py_None)};
}

PyObject* checked(PyObject* object) {
  if (object == nullptr) throw take_exception();
  return object;
}

}  // namespace sightline::python
