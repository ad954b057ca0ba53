/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * SIGHT_ERROR:
 *
 * The error domain of everything in Sightline.
 *
 * Since: 1.0
 */
#define SIGHT_ERROR (sight_error_quark())

/**
 * SightError:
 * @SIGHT_ERROR_FAILED: anything that has no better word
 * @SIGHT_ERROR_CONFIG: a configuration file, a property or an argument is wrong
 * @SIGHT_ERROR_MODEL: a model file is wrong, or does not fit its configuration
 * @SIGHT_ERROR_DEVICE: a device that was asked for is not there
 * @SIGHT_ERROR_INPUT: a picture, a clip, a frame or a tensor is wrong
 * @SIGHT_ERROR_GALLERY: a gallery file or its contents are wrong
 * @SIGHT_ERROR_READ_ONLY: something was to be changed that has been shared or pushed
 * @SIGHT_ERROR_NOT_FOUND: a file, a person, an object or a model does not exist
 *
 * Since: 1.0
 */
typedef enum {
  SIGHT_ERROR_FAILED,
  SIGHT_ERROR_CONFIG,
  SIGHT_ERROR_MODEL,
  SIGHT_ERROR_DEVICE,
  SIGHT_ERROR_INPUT,
  SIGHT_ERROR_GALLERY,
  SIGHT_ERROR_READ_ONLY,
  SIGHT_ERROR_NOT_FOUND
} SightError;

/**
 * sight_error_quark:
 *
 * Returns: the quark of %SIGHT_ERROR
 * Since: 1.0
 */
GQuark sight_error_quark(void);

G_END_DECLS
