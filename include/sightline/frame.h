/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include <sightline/error.h>
#include <sightline/tensor.h>

G_BEGIN_DECLS

/**
 * SightPoint:
 * @x: pixels from the left edge of the frame
 * @y: pixels from its top edge
 *
 * Since: 1.0
 */
typedef struct {
  gfloat x;
  gfloat y;
} SightPoint;

/**
 * SightBox:
 * @x: left edge, in pixels of the frame that carries the box
 * @y: top edge
 * @width: width
 * @height: height
 *
 * Since: 1.0
 */
typedef struct {
  gfloat x;
  gfloat y;
  gfloat width;
  gfloat height;
} SightBox;

#define SIGHT_TYPE_POINT (sight_point_get_type())
GType sight_point_get_type(void);
#define SIGHT_TYPE_BOX (sight_box_get_type())
GType sight_box_get_type(void);

/**
 * SightIdentity:
 *
 * What a gallery said of an object. Immutable, reference-counted.
 *
 * Since: 1.0
 */
typedef struct _SightIdentity SightIdentity;
#define SIGHT_TYPE_IDENTITY (sight_identity_get_type())
GType sight_identity_get_type(void);
/* person == NULL: unknown. nearest_*: the nearest person, whether accepted or not (may be NULL). */
SightIdentity *sight_identity_new(const char *person, const char *name, gfloat similarity, const char *nearest_person,
                                  const char *nearest_name);
SightIdentity *sight_identity_ref(SightIdentity *identity);
void sight_identity_unref(SightIdentity *identity);
gboolean sight_identity_is_known(const SightIdentity *identity);
const char *sight_identity_get_person(const SightIdentity *identity);
const char *sight_identity_get_name(const SightIdentity *identity);
gfloat sight_identity_get_similarity(const SightIdentity *identity); /* cosine to the nearest person */
const char *sight_identity_get_nearest_person(const SightIdentity *identity);
const char *sight_identity_get_nearest_name(const SightIdentity *identity);

/**
 * SightClassification:
 *
 * A label with a confidence, given by a named stage. Immutable, reference-counted.
 *
 * Since: 1.0
 */
typedef struct _SightClassification SightClassification;
#define SIGHT_TYPE_CLASSIFICATION (sight_classification_get_type())
GType sight_classification_get_type(void);
SightClassification *sight_classification_new(const char *attribute, const char *label, gint class_id, gfloat confidence,
                                              const char *stage, guint stage_id);
SightClassification *sight_classification_ref(SightClassification *classification);
void sight_classification_unref(SightClassification *classification);
const char *sight_classification_get_attribute(const SightClassification *classification);
const char *sight_classification_get_label(const SightClassification *classification);
gint sight_classification_get_class_id(const SightClassification *classification);
gfloat sight_classification_get_confidence(const SightClassification *classification);
const char *sight_classification_get_stage(const SightClassification *classification);
guint sight_classification_get_stage_id(const SightClassification *classification);

/**
 * SightObject:
 *
 * Something found in a frame. Reference-counted. What a buffer carries is a snapshot: an object can be changed only
 * through the frame that sight_buffer_edit_frame() gave, and only until somebody reads that frame.
 *
 * Since: 1.0
 */
typedef struct _SightObject SightObject;
#define SIGHT_TYPE_OBJECT (sight_object_get_type())
GType sight_object_get_type(void);

/**
 * SightFrame:
 *
 * The results of one video frame: its objects, and tensors, classifications and user data of the frame as a whole.
 * Reference-counted; outlives the buffer.
 *
 * Since: 1.0
 */
typedef struct _SightFrame SightFrame;
#define SIGHT_TYPE_FRAME (sight_frame_get_type())
GType sight_frame_get_type(void);

/* --- from a buffer ------------------------------------------------------------------------------------------------- */

/**
 * SightFrameMeta:
 *
 * The #GstMeta that carries a #SightFrame along with a buffer. Its tags are video, size and orientation.
 *
 * Since: 1.0
 */
typedef struct _SightFrameMeta SightFrameMeta;
GType sight_frame_meta_api_get_type(void);
const GstMetaInfo *sight_frame_meta_get_info(void);

/**
 * sight_buffer_get_frame:
 * @buffer: a buffer
 *
 * The results that @buffer carries. Reading seals them: whoever adds to the buffer afterwards works on a copy.
 *
 * Returns: (transfer none) (nullable): the frame, or %NULL if there is none yet
 * Since: 1.0
 */
SightFrame *sight_buffer_get_frame(GstBuffer *buffer);
/**
 * sight_buffer_edit_frame:
 * @buffer: a writable buffer
 * @error: return location for an error
 *
 * The results of @buffer, for adding to them; made if there are none yet. If they have been read or are shared with another
 * buffer, @buffer gets its own list of the same objects first.
 *
 * Returns: (transfer none): the frame, or %NULL with %SIGHT_ERROR_READ_ONLY if @buffer is not writable
 * Since: 1.0
 */
SightFrame *sight_buffer_edit_frame(GstBuffer *buffer, GError **error);

/* --- frame --------------------------------------------------------------------------------------------------------- */

SightFrame *sight_frame_new(guint width, guint height);
SightFrame *sight_frame_ref(SightFrame *frame);
void sight_frame_unref(SightFrame *frame);
gboolean sight_frame_is_sealed(const SightFrame *frame);

guint sight_frame_get_width(const SightFrame *frame);
guint sight_frame_get_height(const SightFrame *frame);
const char *sight_frame_get_stream(const SightFrame *frame); /* nullable */
guint64 sight_frame_get_number(const SightFrame *frame);     /* counted from 0 in its stream */
gboolean sight_frame_set_size(SightFrame *frame, guint width, guint height, GError **error);
gboolean sight_frame_set_stream(SightFrame *frame, const char *stream, guint64 number, GError **error);

guint sight_frame_get_n_objects(const SightFrame *frame);
SightObject *sight_frame_get_object(const SightFrame *frame, guint index);         /* transfer none, nullable */
SightObject *sight_frame_find_object(const SightFrame *frame, guint64 id);         /* transfer none, nullable */
/* A new object with an id of its own. parent: its id, or 0. NULL + error if the frame is sealed or the box not finite. */
SightObject *sight_frame_add_object(SightFrame *frame, const char *label, gint class_id, gfloat confidence,
                                    const SightBox *box, guint64 parent, GError **error);
/* The object with this id, for changing; copied first if another frame holds it too. NULL + error if sealed/not there. */
SightObject *sight_frame_edit_object(SightFrame *frame, guint64 id, GError **error);
gboolean sight_frame_remove_object(SightFrame *frame, guint64 id, GError **error);

guint sight_frame_get_n_tensors(const SightFrame *frame);
SightTensor *sight_frame_get_tensor(const SightFrame *frame, guint index);             /* transfer none, nullable */
SightTensor *sight_frame_find_tensor(const SightFrame *frame, const char *name);       /* the newest of that name */
gboolean sight_frame_add_tensor(SightFrame *frame, SightTensor *tensor, GError **error); /* transfer none */
guint sight_frame_get_n_classifications(const SightFrame *frame);
SightClassification *sight_frame_get_classification(const SightFrame *frame, guint index);
gboolean sight_frame_add_classification(SightFrame *frame, SightClassification *classification, GError **error);

/* Any boxed value (a GstStructure, for one) under a name; copied with the frame, not deep. */
gboolean sight_frame_set_user_data(SightFrame *frame, const char *name, const GValue *value, GError **error);
const GValue *sight_frame_get_user_data(const SightFrame *frame, const char *name);
char **sight_frame_get_user_data_names(const SightFrame *frame); /* transfer full, strv */

/**
 * sight_frame_to_json:
 * @frame: a frame
 * @pts: its presentation time, or %GST_CLOCK_TIME_NONE
 *
 * Returns: (transfer full): one line of JSON as `docs/events.md` describes it, without a line feed
 * Since: 1.0
 */
char *sight_frame_to_json(const SightFrame *frame, GstClockTime pts);

/* --- object -------------------------------------------------------------------------------------------------------- */

SightObject *sight_object_ref(SightObject *object);
void sight_object_unref(SightObject *object);

guint64 sight_object_get_id(const SightObject *object);
guint64 sight_object_get_parent(const SightObject *object); /* 0: none */
gint sight_object_get_class_id(const SightObject *object);
const char *sight_object_get_label(const SightObject *object);
gfloat sight_object_get_confidence(const SightObject *object);
void sight_object_get_box(const SightObject *object, SightBox *box); /* out caller-allocates */
const SightPoint *sight_object_get_landmarks(const SightObject *object, guint *n_landmarks);
gboolean sight_object_get_track(const SightObject *object, guint64 *track); /* FALSE: not tracked */
guint sight_object_get_stage_id(const SightObject *object);
SightIdentity *sight_object_get_identity(const SightObject *object); /* transfer none, nullable */
guint sight_object_get_n_classifications(const SightObject *object);
SightClassification *sight_object_get_classification(const SightObject *object, guint index);
guint sight_object_get_n_tensors(const SightObject *object);
SightTensor *sight_object_get_tensor(const SightObject *object, guint index);
SightTensor *sight_object_find_tensor(const SightObject *object, const char *name); /* the newest of that name */

/* All setters: FALSE + SIGHT_ERROR_READ_ONLY if the object was not got from an unsealed frame by add or edit. */
gboolean sight_object_set_box(SightObject *object, const SightBox *box, GError **error);
gboolean sight_object_set_landmarks(SightObject *object, const SightPoint *landmarks, guint n_landmarks, GError **error);
gboolean sight_object_set_track(SightObject *object, guint64 track, GError **error);
gboolean sight_object_set_stage_id(SightObject *object, guint stage_id, GError **error);
gboolean sight_object_set_identity(SightObject *object, SightIdentity *identity, GError **error);
gboolean sight_object_add_classification(SightObject *object, SightClassification *classification, GError **error);
gboolean sight_object_add_tensor(SightObject *object, SightTensor *tensor, GError **error);
gboolean sight_object_set_user_data(SightObject *object, const char *name, const GValue *value, GError **error);
const GValue *sight_object_get_user_data(const SightObject *object, const char *name);
char **sight_object_get_user_data_names(const SightObject *object);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightFrame, sight_frame_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightObject, sight_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightIdentity, sight_identity_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightClassification, sight_classification_unref)

G_END_DECLS
