// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/user_data.h"

#include <string_view>

#include "core/error.h"
#include "meta/text.h"

namespace sightline {

Value::Value(const GValue* value) {
  g_value_init(&value_, G_VALUE_TYPE(value));
  g_value_copy(value, &value_);
}

void UserData::set(const char* name, const GValue* value) {
  const std::string key = *checked(name, "the name of user data");
  if (key.empty()) throw Error(ErrorCode::kInput, "user data needs a name that is not empty");
  if (value == nullptr) {
    values_.erase(key);
    return;
  }
  if (!G_IS_VALUE(value))
    throw Error(ErrorCode::kInput, "user data \"" + key + "\": the value was not initialised");
  if (G_VALUE_HOLDS(value, G_TYPE_POINTER))
    throw Error(ErrorCode::kInput, "user data \"" + key + "\" is a bare " +
                                       std::string(G_VALUE_TYPE_NAME(value)) +
                                       ", which nobody would free; use a boxed type");
  values_.erase(key);
  values_.emplace(key, value);
}

void UserData::set_boxed(const char* name, GType type, gconstpointer boxed) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, type);
  g_value_set_static_boxed(&value, boxed);
  set(name, &value);
}

const GValue* UserData::find(const char* name) const {
  const auto found = values_.find(std::string_view(name));
  return found != values_.end() ? found->second.get() : nullptr;
}

gconstpointer UserData::find_boxed(const char* name, GType type) const {
  const GValue* const value = find(name);
  return value != nullptr && G_VALUE_TYPE(value) == type ? g_value_get_boxed(value) : nullptr;
}

char** UserData::names() const {
  char** names = g_new0(char*, values_.size() + 1);
  char** next = names;
  for (const auto& [name, value] : values_) *next++ = g_strndup(name.data(), name.size());
  return names;
}

}  // namespace sightline
