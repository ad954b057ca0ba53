/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * SightBufferFunction:
 * @pad: the pad that @buffer passes
 * @buffer: (transfer none): a writable buffer. Who keeps it longer than the call takes a reference
 * @user_data: what was given to sight_pad_add_probe()
 *
 * Looks at a buffer that passes a pad, and may add to its results (sight_buffer_edit_frame()). What
 * was being edited is sealed afterwards.
 *
 * Returns: as for a #GstPadProbeCallback: usually %GST_PAD_PROBE_OK; %GST_PAD_PROBE_DROP and
 *   %GST_PAD_PROBE_HANDLED both end the buffer's way here
 * Since: 1.0
 */
typedef GstPadProbeReturn (*SightBufferFunction)(GstPad* pad, GstBuffer* buffer,
                                                 gpointer user_data);

/**
 * sight_pad_add_probe:
 * @pad: a pad
 * @function: (scope notified) (closure user_data) (destroy destroy): called with each buffer, in
 * the streaming thread
 * @user_data: for @function
 * @destroy: (nullable): called with @user_data when the probe is gone
 *
 * A pad probe whose buffers are writable: a buffer that somebody else holds as well is replaced by
 * a copy of its own first, which shares the pixels. With gst_pad_add_probe() that is the callback's
 * own affair, and in Python impossible.
 *
 * Returns: the probe's id, for gst_pad_remove_probe(); 0 if there is none
 * Since: 1.0
 */
gulong sight_pad_add_probe(GstPad* pad, SightBufferFunction function, gpointer user_data,
                           GDestroyNotify destroy);

G_END_DECLS
