// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What every room does with a configuration file that could be read.

#pragma once

#include <limits>
#include <string>

#include "core/config_file.h"
#include "core/error.h"
#include "engine/engine.h"
#include "preprocess/preprocess.h"
#include "stage/class_colors.h"
#include "stage/frame_parts.h"
#include "stage/reinfer_rule.h"
#include "stage/tensor_source.h"

namespace sightline::fuzz {

template <typename Action>
void try_to(Action&& action) {
  try {
    action();
  } catch (const Error&) {
  }
}

inline void read_values(const ConfigFile& file) {
  for (const std::string& group : file.groups())
    for (const std::string& key : file.keys(group)) {
      const auto value = file.find(group, key);
      if (!value) continue;
      try_to([&] { value->as_int(-5, 5); });
      try_to([&] { value->as_float(0, 1); });
      try_to([&] { value->as_bool(); });
      try_to([&] { value->as_floats(); });
      try_to([&] { value->as_ints(); });
      try_to([&] { value->as_strings(); });
      try_to([&] { value->as_path(); });
    }
}

template <typename Read>
void read_everything(Read&& read) {
  try_to([&] {
    const ConfigFile file = read();
    try_to([&] { file.reject_unknown(); });
    try_to([&] { EngineOptions::from_config(file); });
    TensorSpec spec;
    spec.size = {8, 8};
    // Files that a configuration names are none of ours.
    if (!file.peek("property", "mean-file")) try_to([&] { TensorSpec::from_config(file, spec); });
    try_to([&] {
      const FrameParts parts = FrameParts::from_config(file);
      parts.of({640, 360});
    });
    try_to([&] { ReinferRule::from_config(file); });
    try_to([&] { ClassColors::from_config(file); });
    try_to([&] { TensorSource::from_config(file, "input"); });
    read_values(file);
    try_to([&] { file.reject_unknown(); });
  });
}

}  // namespace sightline::fuzz
