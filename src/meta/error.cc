// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/error.h"

#include "meta/text.h"

namespace sightline {

namespace {

constexpr bool same(ErrorCode ours, SightError theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(same(ErrorCode::kFailed, SIGHT_ERROR_FAILED));
static_assert(same(ErrorCode::kConfig, SIGHT_ERROR_CONFIG));
static_assert(same(ErrorCode::kModel, SIGHT_ERROR_MODEL));
static_assert(same(ErrorCode::kDevice, SIGHT_ERROR_DEVICE));
static_assert(same(ErrorCode::kInput, SIGHT_ERROR_INPUT));
static_assert(same(ErrorCode::kGallery, SIGHT_ERROR_GALLERY));
static_assert(same(ErrorCode::kReadOnly, SIGHT_ERROR_READ_ONLY));
static_assert(same(ErrorCode::kNotFound, SIGHT_ERROR_NOT_FOUND));

}  // namespace

void set_gerror(GError** error, const std::exception& problem) {
  const auto* ours = dynamic_cast<const Error*>(&problem);
  const ErrorCode code = ours != nullptr ? ours->code() : ErrorCode::kFailed;
  g_set_error_literal(error, SIGHT_ERROR, static_cast<int>(code),
                      repaired(problem.what())->c_str());
}

Error take_error(GError* error) {
  if (error == nullptr) return {ErrorCode::kFailed, "failed without saying why"};
  const bool ours = error->domain == SIGHT_ERROR && error->code >= 0 &&
                    error->code <= static_cast<int>(ErrorCode::kNotFound);
  const Error taken(ours ? static_cast<ErrorCode>(error->code) : ErrorCode::kFailed,
                    error->message);
  g_error_free(error);
  return taken;
}

}  // namespace sightline

GQuark sight_error_quark(void) {
  static const GQuark quark = g_quark_from_static_string("sight-error-quark");
  return quark;
}
