/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/frame.h>

G_BEGIN_DECLS

/* What is known of an object's shape beside its box. */

/**
 * SIGHT_N_CORNERS:
 *
 * How many corners an oriented box has.
 *
 * Since: 1.0
 */
#define SIGHT_N_CORNERS 4

/**
 * sight_object_set_corners:
 * @object: an object that is being edited
 * @corners: (array fixed-size=4) (nullable): the corners of its oriented box in pixels of the
 * frame, finite: top left, top right, bottom right and bottom left of what it would be upright;
 * %NULL takes them away
 * @error: return location for an error
 *
 * The box of sight_object_get_box() stays as it is, usually the upright one around the corners.
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed, %SIGHT_ERROR_INPUT if a corner
 *   is not finite
 * Since: 1.0
 */
gboolean sight_object_set_corners(SightObject* object, const SightPoint* corners, GError** error);
/**
 * sight_object_get_corners: (skip)
 * @object: an object
 *
 * Returns: (transfer none) (nullable): the %SIGHT_N_CORNERS corners of its oriented box, as
 *   sight_object_set_corners() has them; %NULL if it has none
 * Since: 1.0
 */
const SightPoint* sight_object_get_corners(const SightObject* object);
/**
 * sight_object_get_corner:
 * @object: an object
 * @index: 0 to %SIGHT_N_CORNERS - 1
 * @corner: (out caller-allocates): that corner of its oriented box, in pixels of the frame
 *
 * Returns: whether it has an oriented box
 * Since: 1.0
 */
gboolean sight_object_get_corner(const SightObject* object, guint index, SightPoint* corner);
/**
 * sight_object_get_rotation:
 * @object: an object
 * @radians: (out) (optional): how far its upper edge is turned from the horizontal, clockwise as it
 *   is seen, -π to π
 *
 * Returns: whether it has an oriented box
 * Since: 1.0
 */
gboolean sight_object_get_rotation(const SightObject* object, gfloat* radians);

/**
 * sight_object_set_mask:
 * @object: an object that is being edited
 * @mask: (nullable): float32 [height, width] in host memory, for each pixel of the mask how likely
 *   it is the object's; @object takes a reference. %NULL takes the mask away
 * @area: (nullable): the part of the frame that @mask covers, in pixels; finite, with a size above
 *   0. Not to be %NULL if there is a mask
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed, %SIGHT_ERROR_INPUT if @mask or
 *   @area is not as said above
 * Since: 1.0
 */
gboolean sight_object_set_mask(SightObject* object, SightTensor* mask, const SightBox* area,
                               GError** error);
/**
 * sight_object_get_mask:
 * @object: an object
 * @area: (out caller-allocates) (optional): the part of the frame that it covers, in pixels
 *
 * Returns: (transfer none) (nullable): float32 [height, width], for each pixel of the mask how
 *   likely it is the object's, from 0.5 on more likely than not; %NULL if there is none
 * Since: 1.0
 */
SightTensor* sight_object_get_mask(const SightObject* object, SightBox* area);

/**
 * sight_object_set_landmark_confidences:
 * @object: an object that is being edited
 * @confidences: (array length=n_confidences) (nullable): how sure the network is of each landmark,
 *   finite, usually 0 to 1
 * @n_confidences: as many as there are landmarks; 0 takes them away
 * @error: return location for an error
 *
 * To be called after sight_object_set_landmarks(), which takes them away.
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed, %SIGHT_ERROR_INPUT if the
 *   number is another than that of the landmarks, or one is not finite
 * Since: 1.0
 */
gboolean sight_object_set_landmark_confidences(SightObject* object, const gfloat* confidences,
                                               guint n_confidences, GError** error);
/**
 * sight_object_get_landmark_confidences:
 * @object: an object
 * @n_confidences: (out): how many: one a landmark, or none
 *
 * Returns: (array length=n_confidences) (transfer none) (nullable): how sure the network is of each
 *   landmark, %NULL if it does not say
 * Since: 1.0
 */
const gfloat* sight_object_get_landmark_confidences(const SightObject* object,
                                                    guint* n_confidences);

G_END_DECLS
