// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>

#include "meta/refcount.h"
#include "meta/text.h"
#include "sightline/frame.h"

using sightline::c_str;
using sightline::repaired;
using sightline::Text;

struct _SightClassification : sightline::RefCounted<_SightClassification> {
  Text attribute;
  Text label;
  gint class_id = -1;
  float confidence = 0;
  Text stage;
  guint stage_id = 0;
};

G_DEFINE_BOXED_TYPE(SightClassification, sight_classification, sight_classification_ref,
                    sight_classification_unref)

SightClassification* sight_classification_new(const char* attribute, const char* label,
                                              gint class_id, gfloat confidence, const char* stage,
                                              guint stage_id) {
  g_return_val_if_fail(attribute != nullptr && label != nullptr, nullptr);
  g_return_val_if_fail(std::isfinite(confidence), nullptr);
  auto* classification = new SightClassification;
  classification->attribute = repaired(attribute);
  classification->label = repaired(label);
  classification->class_id = class_id;
  classification->confidence = confidence;
  classification->stage = repaired(stage);
  classification->stage_id = stage_id;
  return classification;
}

SightClassification* sight_classification_ref(SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, nullptr);
  return classification->ref();
}

void sight_classification_unref(SightClassification* classification) {
  g_return_if_fail(classification != nullptr);
  classification->unref();
}

const char* sight_classification_get_attribute(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, nullptr);
  return c_str(classification->attribute);
}

const char* sight_classification_get_label(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, nullptr);
  return c_str(classification->label);
}

gint sight_classification_get_class_id(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, -1);
  return classification->class_id;
}

gfloat sight_classification_get_confidence(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, 0);
  return classification->confidence;
}

const char* sight_classification_get_stage(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, nullptr);
  return c_str(classification->stage);
}

guint sight_classification_get_stage_id(const SightClassification* classification) {
  g_return_val_if_fail(classification != nullptr, 0);
  return classification->stage_id;
}
