// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other people's values on a frame or an object, under names.

#pragma once

#include <map>
#include <string>

#include <glib-object.h>

namespace sightline {

// A GValue that is copied and freed as its type says.
class Value {
 public:
  explicit Value(const GValue* value);
  Value(const Value& other) : Value(&other.value_) {}
  Value& operator=(const Value&) = delete;
  ~Value() { g_value_unset(&value_); }

  const GValue* get() const { return &value_; }

 private:
  GValue value_ = G_VALUE_INIT;
};

class UserData {
 public:
  // Takes the value away if `value` is NULL. Throws Error(kInput): an empty name or one that is not
  // UTF-8, a value that nobody would own.
  void set(const char* name, const GValue* value);
  void set_boxed(const char* name, GType type, gconstpointer boxed);  // a copy of it
  const GValue* find(const char* name) const;                         // NULL: none
  gconstpointer find_boxed(const char* name, GType type) const;       // NULL: none of this type
  char** names() const;                                               // a new strv, sorted

 private:
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace sightline
