// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Properties of sightinfer that stand for keys of its configuration file and come before them, with
// nvinfer's names.

#pragma once

#include <glib-object.h>

#include "stage/configuration.h"

namespace sightline {

inline constexpr guint kFirstKeyProperty = 100;

// From id kFirstKeyProperty on.
void install_key_properties(GObjectClass* object_class, GParamFlags flags);
// False: `id` is none of these.
bool set_key_property(ModelOverrides& overrides, guint id, const GValue* value);
bool get_key_property(const ModelOverrides& overrides, guint id, GValue* value);

GType process_mode_type();

}  // namespace sightline
