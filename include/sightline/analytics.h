/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/frame.h>

G_BEGIN_DECLS

/* What sightanalytics found, which it keeps as user data "sightline-analytics" on frames and
 * objects. docs/analytics.md describes the words and the user data itself. */

/**
 * sight_frame_get_lines:
 * @frame: (nullable): a frame
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of the lines that are watched
 * Since: 1.0
 */
char** sight_frame_get_lines(const SightFrame* frame);
/**
 * sight_frame_get_line_count:
 * @frame: (nullable): a frame
 * @line: the name of a line
 * @in: (out) (optional): how many times a track has crossed it inwards so far
 * @out: (out) (optional): how many times outwards
 *
 * Returns: whether there is such a line
 * Since: 1.0
 */
gboolean sight_frame_get_line_count(const SightFrame* frame, const char* line, guint64* in,
                                    guint64* out);
/**
 * sight_frame_get_zones:
 * @frame: (nullable): a frame
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of the zones that are watched
 * Since: 1.0
 */
char** sight_frame_get_zones(const SightFrame* frame);
/**
 * sight_frame_get_zone_count:
 * @frame: (nullable): a frame
 * @zone: the name of a zone
 * @count: (out) (optional): how many objects are in it
 * @in: (out) (optional): how many times a track has entered it so far
 * @out: (out) (optional): how many times a track has left it so far
 * @overcrowded: (out) (optional): whether there have been too many for long enough; %FALSE of a
 * zone without a threshold
 *
 * Returns: whether there is such a zone
 * Since: 1.0
 */
gboolean sight_frame_get_zone_count(const SightFrame* frame, const char* zone, guint64* count,
                                    guint64* in, guint64* out, gboolean* overcrowded);
/**
 * sight_object_is_in_zone:
 * @object: an object
 * @zone: the name of a zone
 * @dwell: (out) (optional): for how many seconds; 0 of an object without a track
 *
 * Returns: whether it is in that zone
 * Since: 1.0
 */
gboolean sight_object_is_in_zone(const SightObject* object, const char* zone, gdouble* dwell);
/**
 * sight_object_has_crossed:
 * @object: an object
 * @line: the name of a line
 * @inwards: (out) (optional): whether inwards
 *
 * Returns: whether it has crossed that line, counted in this very frame
 * Since: 1.0
 */
gboolean sight_object_has_crossed(const SightObject* object, const char* line, gboolean* inwards);
/**
 * sight_object_get_direction:
 * @object: an object
 *
 * Returns: (transfer none) (nullable): the name of the direction that it moves in, %NULL if it
 * stands or moves in none of those that are watched Since: 1.0
 */
const char* sight_object_get_direction(const SightObject* object);

G_END_DECLS
