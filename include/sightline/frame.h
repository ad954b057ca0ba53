/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/error.h>
#include <sightline/tensor.h>

#include <gst/gst.h>

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

/* --- candidate ------------------------------------------------------------------------------ */

/**
 * SightCandidate:
 *
 * One of the persons of a gallery who are nearest to an object. Immutable, reference-counted.
 *
 * Since: 1.0
 */
typedef struct _SightCandidate SightCandidate;
#define SIGHT_TYPE_CANDIDATE (sight_candidate_get_type())
GType sight_candidate_get_type(void);

/**
 * sight_candidate_new:
 * @person: the person's id
 * @name: (nullable): the person's display name
 * @gallery: (nullable): where the person is stored
 * @similarity: cosine similarity to the person, finite
 * @probability: that the object is the person, 0 to 1; NaN if nobody knows
 *
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * Returns: (transfer full): a new candidate
 * Since: 1.0
 */
SightCandidate* sight_candidate_new(const char* person, const char* name, const char* gallery,
                                    gfloat similarity, gfloat probability);
/**
 * sight_candidate_ref:
 * @candidate: a candidate
 *
 * Returns: (transfer full): @candidate, with one owner more
 * Since: 1.0
 */
SightCandidate* sight_candidate_ref(SightCandidate* candidate);
/**
 * sight_candidate_unref:
 * @candidate: (transfer full): a candidate, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_candidate_unref(SightCandidate* candidate);
/**
 * sight_candidate_get_person:
 * @candidate: a candidate
 *
 * Returns: the person's id
 * Since: 1.0
 */
const char* sight_candidate_get_person(const SightCandidate* candidate);
/**
 * sight_candidate_get_name:
 * @candidate: a candidate
 *
 * Returns: (nullable): the person's display name
 * Since: 1.0
 */
const char* sight_candidate_get_name(const SightCandidate* candidate);
/**
 * sight_candidate_get_gallery:
 * @candidate: a candidate
 *
 * Returns: (nullable): where the person is stored, as sight_identity_get_gallery() has it
 * Since: 1.0
 */
const char* sight_candidate_get_gallery(const SightCandidate* candidate);
/**
 * sight_candidate_get_similarity:
 * @candidate: a candidate
 *
 * Returns: the cosine similarity to the person, -1 to 1
 * Since: 1.0
 */
gfloat sight_candidate_get_similarity(const SightCandidate* candidate);
/**
 * sight_candidate_get_probability:
 * @candidate: a candidate
 * @probability: (out) (optional): that the object is this person, 0 to 1, as
 *   sight_identity_get_probability() says it
 *
 * Returns: whether the gallery is calibrated
 * Since: 1.0
 */
gboolean sight_candidate_get_probability(const SightCandidate* candidate, gfloat* probability);

/* --- identity ------------------------------------------------------------------------------- */

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

/**
 * sight_identity_new:
 * @person: (nullable): the person's id, or %NULL if nobody known was accepted
 * @name: (nullable): the person's display name
 * @similarity: cosine similarity to the nearest person, finite
 * @nearest_person: (nullable): the id of the nearest person, accepted or not
 * @nearest_name: (nullable): the display name of the nearest person
 *
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * Returns: (transfer full): a new identity
 * Since: 1.0
 */
SightIdentity* sight_identity_new(const char* person, const char* name, gfloat similarity,
                                  const char* nearest_person, const char* nearest_name);
/**
 * sight_identity_new_voted:
 * @person: (nullable): as for sight_identity_new()
 * @name: (nullable): likewise
 * @similarity: likewise
 * @nearest_person: (nullable): likewise
 * @nearest_name: (nullable): likewise
 * @votes: how many embeddings of the object's track it was decided by
 *
 * Returns: (transfer full): a new identity
 * Since: 1.0
 */
SightIdentity* sight_identity_new_voted(const char* person, const char* name, gfloat similarity,
                                        const char* nearest_person, const char* nearest_name,
                                        guint votes);
/**
 * sight_identity_new_full:
 * @person: (nullable): as for sight_identity_new()
 * @name: (nullable): likewise
 * @similarity: likewise
 * @nearest_person: (nullable): likewise
 * @nearest_name: (nullable): likewise
 * @votes: as for sight_identity_new_voted(), 0 if it was decided by one embedding
 * @gallery: (nullable): where the nearest person is stored
 * @threshold: the similarity from which on the nearest person would be accepted; NaN if there was
 *   none
 * @probability: that it is the nearest person, 0 to 1; NaN if nobody knows
 * @candidates: (array length=n_candidates) (nullable): the nearest persons, best first; the
 * identity takes references
 * @n_candidates: how many; there may be none
 *
 * Returns: (transfer full): a new identity
 * Since: 1.0
 */
SightIdentity* sight_identity_new_full(const char* person, const char* name, gfloat similarity,
                                       const char* nearest_person, const char* nearest_name,
                                       guint votes, const char* gallery, gfloat threshold,
                                       gfloat probability, SightCandidate** candidates,
                                       guint n_candidates);
/**
 * sight_identity_ref:
 * @identity: an identity
 *
 * Returns: (transfer full): @identity, with one owner more
 * Since: 1.0
 */
SightIdentity* sight_identity_ref(SightIdentity* identity);
/**
 * sight_identity_unref:
 * @identity: (transfer full): an identity, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_identity_unref(SightIdentity* identity);
/**
 * sight_identity_is_known:
 * @identity: an identity
 *
 * Returns: whether a person was accepted
 * Since: 1.0
 */
gboolean sight_identity_is_known(const SightIdentity* identity);
/**
 * sight_identity_get_person:
 * @identity: an identity
 *
 * Returns: (nullable): the person's id, %NULL if unknown
 * Since: 1.0
 */
const char* sight_identity_get_person(const SightIdentity* identity);
/**
 * sight_identity_get_name:
 * @identity: an identity
 *
 * Returns: (nullable): the person's display name, %NULL if unknown
 * Since: 1.0
 */
const char* sight_identity_get_name(const SightIdentity* identity);
/**
 * sight_identity_get_similarity:
 * @identity: an identity
 *
 * Returns: the cosine similarity to the nearest person, -1 to 1
 * Since: 1.0
 */
gfloat sight_identity_get_similarity(const SightIdentity* identity);
/**
 * sight_identity_get_nearest_person:
 * @identity: an identity
 *
 * Returns: (nullable): the id of the nearest person, accepted or not
 * Since: 1.0
 */
const char* sight_identity_get_nearest_person(const SightIdentity* identity);
/**
 * sight_identity_get_nearest_name:
 * @identity: an identity
 *
 * Returns: (nullable): the display name of the nearest person, accepted or not
 * Since: 1.0
 */
const char* sight_identity_get_nearest_name(const SightIdentity* identity);

/**
 * sight_identity_get_votes:
 * @identity: an identity
 *
 * Returns: how many embeddings of the object's track it was decided by; 0 if it was decided by the
 *   object's own embedding alone
 * Since: 1.0
 */
guint sight_identity_get_votes(const SightIdentity* identity);
/**
 * sight_identity_get_gallery:
 * @identity: an identity
 *
 * Returns: (nullable): where the nearest person is stored, accepted or not: the path of a file, or
 *   the URL of a database without its password; %NULL if nobody said, or the gallery is empty
 * Since: 1.0
 */
const char* sight_identity_get_gallery(const SightIdentity* identity);
/**
 * sight_identity_get_threshold:
 * @identity: an identity
 * @threshold: (out) (optional): the cosine similarity from which on the nearest person is accepted:
 *   the person's own, the gallery's, or that of whoever asked
 *
 * A similarity above it is not enough: sightmatch asks for a margin to the second person, a good
 * view and several votes, too.
 *
 * Returns: whether there is one; not if nobody said, or the gallery is empty
 * Since: 1.0
 */
gboolean sight_identity_get_threshold(const SightIdentity* identity, gfloat* threshold);
/**
 * sight_identity_get_probability:
 * @identity: an identity
 * @probability: (out) (optional): how likely a similarity as sight_identity_get_similarity() makes
 *   it that this is the nearest person if it might as well be a stranger, 0 to 1
 *
 * Returns: whether the gallery is calibrated (`sightline verify --calibrate`)
 * Since: 1.0
 */
gboolean sight_identity_get_probability(const SightIdentity* identity, gfloat* probability);
/**
 * sight_identity_get_n_candidates:
 * @identity: an identity
 *
 * Returns: how many of the nearest persons it lists (sightmatch's `top-k` says how many at most)
 * Since: 1.0
 */
guint sight_identity_get_n_candidates(const SightIdentity* identity);
/**
 * sight_identity_get_candidate:
 * @identity: an identity
 * @index: 0 to sight_identity_get_n_candidates() - 1, the most similar first
 *
 * Returns: (transfer none) (nullable): the candidate, %NULL if there is none
 * Since: 1.0
 */
SightCandidate* sight_identity_get_candidate(const SightIdentity* identity, guint index);

/* --- classification ------------------------------------------------------------------------- */

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

/**
 * sight_classification_new:
 * @attribute: what was looked at, for example `age`
 * @label: the answer, for example `20-29`
 * @class_id: its index among the labels, -1 if it has none
 * @confidence: finite, usually 0 to 1
 * @stage: (nullable): the name of the element that made it
 * @stage_id: the `unique-id` of that element, 0 if none
 *
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * Returns: (transfer full): a new classification
 * Since: 1.0
 */
SightClassification* sight_classification_new(const char* attribute, const char* label,
                                              gint class_id, gfloat confidence, const char* stage,
                                              guint stage_id);
/**
 * sight_classification_ref:
 * @classification: a classification
 *
 * Returns: (transfer full): @classification, with one owner more
 * Since: 1.0
 */
SightClassification* sight_classification_ref(SightClassification* classification);
/**
 * sight_classification_unref:
 * @classification: (transfer full): a classification, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_classification_unref(SightClassification* classification);
/**
 * sight_classification_get_attribute:
 * @classification: a classification
 *
 * Returns: what was looked at
 * Since: 1.0
 */
const char* sight_classification_get_attribute(const SightClassification* classification);
/**
 * sight_classification_get_label:
 * @classification: a classification
 *
 * Returns: the answer
 * Since: 1.0
 */
const char* sight_classification_get_label(const SightClassification* classification);
/**
 * sight_classification_get_class_id:
 * @classification: a classification
 *
 * Returns: the label's index, -1 if it has none
 * Since: 1.0
 */
gint sight_classification_get_class_id(const SightClassification* classification);
/**
 * sight_classification_get_confidence:
 * @classification: a classification
 *
 * Returns: the confidence, as the model gave it
 * Since: 1.0
 */
gfloat sight_classification_get_confidence(const SightClassification* classification);
/**
 * sight_classification_get_stage:
 * @classification: a classification
 *
 * Returns: (nullable): the name of the element that made it
 * Since: 1.0
 */
const char* sight_classification_get_stage(const SightClassification* classification);
/**
 * sight_classification_get_stage_id:
 * @classification: a classification
 *
 * Returns: the `unique-id` of the element that made it, 0 if none
 * Since: 1.0
 */
guint sight_classification_get_stage_id(const SightClassification* classification);

/* --- object and frame ----------------------------------------------------------------------- */

/**
 * SightObject:
 *
 * Something found in a frame. Reference-counted. What a buffer carries is a snapshot: an object can
 * be changed only if it was got from an unsealed frame by sight_frame_add_object() or
 * sight_frame_edit_object(), by one thread, and only until that frame is sealed. Then every setter
 * gives %SIGHT_ERROR_READ_ONLY, and any number of threads may read.
 *
 * Since: 1.0
 */
typedef struct _SightObject SightObject;
#define SIGHT_TYPE_OBJECT (sight_object_get_type())
GType sight_object_get_type(void);

/**
 * SightFrame:
 *
 * The results of one video frame: its objects, and tensors, classifications and user data of the
 * frame as a whole. Reference-counted; outlives the buffer.
 *
 * A frame is being edited, by one thread, until it is sealed: by sight_frame_seal(), by somebody
 * who reads it from a buffer, or because the buffer is copied. A sealed frame never changes again.
 * To add to it, sight_buffer_edit_frame() gives the buffer a new frame with the same objects.
 *
 * Since: 1.0
 */
typedef struct _SightFrame SightFrame;
#define SIGHT_TYPE_FRAME (sight_frame_get_type())
GType sight_frame_get_type(void);

/* --- from a buffer -------------------------------------------------------------------------- */

/**
 * SightFrameMeta:
 *
 * The #GstMeta that carries a #SightFrame along with a buffer. Its tags are video, size and
 * orientation: it survives conversion, and scaling with its coordinates carried over; it is gone
 * after an element that changes the picture without telling metas how (crop, flip).
 *
 * Since: 1.0
 */
typedef struct _SightFrameMeta SightFrameMeta;
GType sight_frame_meta_api_get_type(void);
/**
 * sight_frame_meta_get_info: (skip)
 *
 * Returns: (transfer none): the registration of #SightFrameMeta
 * Since: 1.0
 */
const GstMetaInfo* sight_frame_meta_get_info(void);

/**
 * sight_buffer_get_frame:
 * @buffer: a buffer
 *
 * The results that @buffer carries. Reading seals them: whoever adds to the buffer afterwards works
 * on a copy.
 *
 * Returns: (transfer none) (nullable): the frame, or %NULL if there is none yet, which all
 *   functions that read a frame take for an empty one. Take a reference to keep it longer than
 *   @buffer keeps its results.
 * Since: 1.0
 */
SightFrame* sight_buffer_get_frame(GstBuffer* buffer);
/**
 * sight_buffer_edit_frame:
 * @buffer: a writable buffer
 * @error: return location for an error
 *
 * The results of @buffer, for adding to them; made if there are none yet, with the size that
 * @buffer's #GstVideoMeta says, else 0 × 0. If they are sealed, because they have been read or are
 * shared with another buffer, @buffer gets its own list of the same objects first.
 *
 * Returns: (transfer none): the frame, or %NULL with %SIGHT_ERROR_READ_ONLY if @buffer is not
 *   writable
 * Since: 1.0
 */
SightFrame* sight_buffer_edit_frame(GstBuffer* buffer, GError** error);

/* --- frame ---------------------------------------------------------------------------------- */

/**
 * sight_frame_new:
 * @width: in pixels, 0 if not known
 * @height: in pixels, 0 if not known
 *
 * Returns: (transfer full): an empty, unsealed frame that no buffer carries
 * Since: 1.0
 */
SightFrame* sight_frame_new(guint width, guint height);
/**
 * sight_frame_ref:
 * @frame: a frame
 *
 * Returns: (transfer full): @frame, with one owner more
 * Since: 1.0
 */
SightFrame* sight_frame_ref(SightFrame* frame);
/**
 * sight_frame_unref:
 * @frame: (transfer full): a frame, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_frame_unref(SightFrame* frame);
/**
 * sight_frame_is_sealed:
 * @frame: a frame
 *
 * Returns: whether it can no longer be changed
 * Since: 1.0
 */
gboolean sight_frame_is_sealed(const SightFrame* frame);
/**
 * sight_frame_seal:
 * @frame: a frame
 *
 * Ends editing: neither @frame nor its objects change from now on. An element calls it before it
 * pushes the buffer.
 *
 * Since: 1.0
 */
void sight_frame_seal(SightFrame* frame);

/**
 * sight_frame_get_width:
 * @frame: (nullable): a frame
 *
 * Returns: its width in pixels, 0 if not known
 * Since: 1.0
 */
guint sight_frame_get_width(const SightFrame* frame);
/**
 * sight_frame_get_height:
 * @frame: (nullable): a frame
 *
 * Returns: its height in pixels, 0 if not known
 * Since: 1.0
 */
guint sight_frame_get_height(const SightFrame* frame);
/**
 * sight_frame_get_stream:
 * @frame: (nullable): a frame
 *
 * Returns: (nullable): the id of its stream, %NULL if not set
 * Since: 1.0
 */
const char* sight_frame_get_stream(const SightFrame* frame);
/**
 * sight_frame_get_number:
 * @frame: (nullable): a frame
 *
 * Returns: its number, counted from 0 in its stream
 * Since: 1.0
 */
guint64 sight_frame_get_number(const SightFrame* frame);
/**
 * sight_frame_set_size:
 * @frame: an unsealed frame
 * @width: in pixels
 * @height: in pixels
 * @error: return location for an error
 *
 * Says how large the picture is; boxes stay as they are.
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @frame is sealed
 * Since: 1.0
 */
gboolean sight_frame_set_size(SightFrame* frame, guint width, guint height, GError** error);
/**
 * sight_frame_set_stream:
 * @frame: an unsealed frame
 * @stream: (nullable): the id of its stream, UTF-8
 * @number: its number, counted from 0 in its stream
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @frame is sealed, %SIGHT_ERROR_INPUT if @stream is
 *   not UTF-8
 * Since: 1.0
 */
gboolean sight_frame_set_stream(SightFrame* frame, const char* stream, guint64 number,
                                GError** error);

/**
 * sight_frame_get_n_objects:
 * @frame: (nullable): a frame
 *
 * Returns: how many objects it has
 * Since: 1.0
 */
guint sight_frame_get_n_objects(const SightFrame* frame);
/**
 * sight_frame_get_object:
 * @frame: (nullable): a frame
 * @index: 0 to sight_frame_get_n_objects() - 1
 *
 * Returns: (transfer none) (nullable): the object, for reading; %NULL if there is none. Valid as
 *   long as @frame, and while @frame is unsealed until that object is edited or removed.
 * Since: 1.0
 */
SightObject* sight_frame_get_object(const SightFrame* frame, guint index);
/**
 * sight_frame_find_object:
 * @frame: (nullable): a frame
 * @id: an object's id
 *
 * Returns: (transfer none) (nullable): the object with this id, for reading; valid as
 *   sight_frame_get_object() says
 * Since: 1.0
 */
SightObject* sight_frame_find_object(const SightFrame* frame, guint64 id);
/**
 * sight_frame_add_object:
 * @frame: an unsealed frame
 * @label: (nullable): what it is, UTF-8
 * @class_id: the class's index, -1 if it has none
 * @confidence: finite, usually 0 to 1
 * @box: where it is, in pixels of the frame; finite, width and height not negative. It may reach
 *   over the frame's edges.
 * @parent: the id of the object in @frame that it is part of, or 0
 * @error: return location for an error
 *
 * Adds an object with an id of its own, unique in the process.
 *
 * Returns: (transfer none): the new object, for changing until @frame is sealed; or %NULL with
 *   %SIGHT_ERROR_READ_ONLY if @frame is sealed, %SIGHT_ERROR_INPUT if a number or @label is wrong,
 *   %SIGHT_ERROR_NOT_FOUND if there is no @parent
 * Since: 1.0
 */
SightObject* sight_frame_add_object(SightFrame* frame, const char* label, gint class_id,
                                    gfloat confidence, const SightBox* box, guint64 parent,
                                    GError** error);
/**
 * sight_frame_edit_object:
 * @frame: an unsealed frame
 * @object: (nullable): an object as sight_frame_get_object() or sight_frame_find_object() gives it,
 *   from @frame or an earlier snapshot of it: its id counts
 * @error: return location for an error
 *
 * That object, for changing; copied first, under the same id, if another frame holds it too: then
 * @object is no longer that of @frame. Its tensors stay shared.
 *
 * Returns: (transfer none): the object, or %NULL with %SIGHT_ERROR_READ_ONLY if @frame is sealed,
 *   %SIGHT_ERROR_NOT_FOUND if @frame has no such object, or @object is %NULL
 * Since: 1.0
 */
SightObject* sight_frame_edit_object(SightFrame* frame, const SightObject* object, GError** error);
/**
 * sight_frame_remove_object:
 * @frame: an unsealed frame
 * @object: (nullable): an object, as for sight_frame_edit_object()
 * @error: return location for an error
 *
 * Takes the object out of @frame. Objects that are part of it stay and keep naming it.
 *
 * Returns: %FALSE with the errors of sight_frame_edit_object()
 * Since: 1.0
 */
gboolean sight_frame_remove_object(SightFrame* frame, const SightObject* object, GError** error);

/**
 * sight_frame_get_n_tensors:
 * @frame: (nullable): a frame
 *
 * Returns: how many tensors the frame as a whole has
 * Since: 1.0
 */
guint sight_frame_get_n_tensors(const SightFrame* frame);
/**
 * sight_frame_get_tensor:
 * @frame: (nullable): a frame
 * @index: 0 to sight_frame_get_n_tensors() - 1, oldest first
 *
 * Returns: (transfer none) (nullable): the tensor, %NULL if there is none
 * Since: 1.0
 */
SightTensor* sight_frame_get_tensor(const SightFrame* frame, guint index);
/**
 * sight_frame_find_tensor:
 * @frame: (nullable): a frame
 * @name: a tensor's name
 *
 * Returns: (transfer none) (nullable): the newest tensor of that name
 * Since: 1.0
 */
SightTensor* sight_frame_find_tensor(const SightFrame* frame, const char* name);
/**
 * sight_frame_add_tensor:
 * @frame: an unsealed frame
 * @tensor: a tensor; @frame takes a reference
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @frame is sealed
 * Since: 1.0
 */
gboolean sight_frame_add_tensor(SightFrame* frame, SightTensor* tensor, GError** error);
/**
 * sight_frame_get_n_classifications:
 * @frame: (nullable): a frame
 *
 * Returns: how many classifications the frame as a whole has
 * Since: 1.0
 */
guint sight_frame_get_n_classifications(const SightFrame* frame);
/**
 * sight_frame_get_classification:
 * @frame: (nullable): a frame
 * @index: 0 to sight_frame_get_n_classifications() - 1, oldest first
 *
 * Returns: (transfer none) (nullable): the classification, %NULL if there is none
 * Since: 1.0
 */
SightClassification* sight_frame_get_classification(const SightFrame* frame, guint index);
/**
 * sight_frame_add_classification:
 * @frame: an unsealed frame
 * @classification: a classification; @frame takes a reference
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @frame is sealed
 * Since: 1.0
 */
gboolean sight_frame_add_classification(SightFrame* frame, SightClassification* classification,
                                        GError** error);

/**
 * sight_frame_set_user_data:
 * @frame: an unsealed frame
 * @name: a name of your own, UTF-8, not empty
 * @value: (nullable): any value that GLib can copy: a number, a string, a boxed value such as a
 *   #GstStructure; %NULL takes it away
 * @error: return location for an error
 *
 * Keeps a copy of @value under @name, instead of the one before. When the frame is copied the value
 * is copied with it, as its type copies.
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @frame is sealed, %SIGHT_ERROR_INPUT if @name is
 *   empty or not UTF-8, or @value is a bare pointer, which nobody would own
 * Since: 1.0
 */
gboolean sight_frame_set_user_data(SightFrame* frame, const char* name, const GValue* value,
                                   GError** error);
/**
 * sight_frame_get_user_data:
 * @frame: (nullable): a frame
 * @name: a name
 *
 * Returns: (transfer none) (nullable): the value under @name, to be read only
 * Since: 1.0
 */
const GValue* sight_frame_get_user_data(const SightFrame* frame, const char* name);
/**
 * sight_frame_set_user_boxed: (skip)
 * @frame: an unsealed frame
 * @name: a name of your own, UTF-8, not empty
 * @type: a boxed type, for example %GST_TYPE_STRUCTURE, or one of your own
 * @boxed: a value of that type, of which a copy is kept
 * @error: return location for an error
 *
 * sight_frame_set_user_data() without a #GValue, for what user data mostly is.
 *
 * Returns: %FALSE with the errors of sight_frame_set_user_data()
 * Since: 1.0
 */
gboolean sight_frame_set_user_boxed(SightFrame* frame, const char* name, GType type,
                                    gconstpointer boxed, GError** error);
/**
 * sight_frame_get_user_boxed: (skip)
 * @frame: (nullable): a frame
 * @name: a name
 * @type: a boxed type
 *
 * Returns: (transfer none) (nullable): the value under @name, to be read only; %NULL if there is
 *   none of exactly this type
 * Since: 1.0
 */
gconstpointer sight_frame_get_user_boxed(const SightFrame* frame, const char* name, GType type);
/**
 * sight_frame_get_user_data_names:
 * @frame: (nullable): a frame
 *
 * Returns: (transfer full) (array zero-terminated=1): the names in use, sorted
 * Since: 1.0
 */
char** sight_frame_get_user_data_names(const SightFrame* frame);

/**
 * sight_frame_to_json:
 * @frame: a frame
 * @pts: its presentation time, or %GST_CLOCK_TIME_NONE
 *
 * Returns: (transfer full): one line of JSON as `docs/events.md` describes it, without a line feed
 * Since: 1.0
 */
char* sight_frame_to_json(const SightFrame* frame, GstClockTime pts);

/* --- object --------------------------------------------------------------------------------- */

/**
 * sight_object_ref:
 * @object: an object
 *
 * Returns: (transfer full): @object, with one owner more
 * Since: 1.0
 */
SightObject* sight_object_ref(SightObject* object);
/**
 * sight_object_unref:
 * @object: (transfer full): an object, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_object_unref(SightObject* object);

/**
 * sight_object_get_id:
 * @object: an object
 *
 * Returns: its id, unique in the process, from 1
 * Since: 1.0
 */
guint64 sight_object_get_id(const SightObject* object);
/**
 * sight_object_get_parent:
 * @object: an object
 *
 * Returns: the id of the object that it is part of, 0 if none
 * Since: 1.0
 */
guint64 sight_object_get_parent(const SightObject* object);
/**
 * sight_object_get_class_id:
 * @object: an object
 *
 * Returns: the index of its class, -1 if it has none
 * Since: 1.0
 */
gint sight_object_get_class_id(const SightObject* object);
/**
 * sight_object_get_label:
 * @object: an object
 *
 * Returns: (nullable): what it is
 * Since: 1.0
 */
const char* sight_object_get_label(const SightObject* object);
/**
 * sight_object_get_confidence:
 * @object: an object
 *
 * Returns: the confidence, as the model gave it
 * Since: 1.0
 */
gfloat sight_object_get_confidence(const SightObject* object);
/**
 * sight_object_get_box:
 * @object: an object
 * @box: (out caller-allocates): where it is, in pixels of the frame
 *
 * Since: 1.0
 */
void sight_object_get_box(const SightObject* object, SightBox* box);
/**
 * sight_object_get_landmarks:
 * @object: an object
 * @n_landmarks: (out): how many
 *
 * Returns: (array length=n_landmarks) (transfer none) (nullable): its landmarks in pixels of the
 *   frame, %NULL if it has none
 * Since: 1.0
 */
const SightPoint* sight_object_get_landmarks(const SightObject* object, guint* n_landmarks);
/**
 * sight_object_get_track:
 * @object: an object
 * @track: (out) (optional): the number that it keeps over time
 *
 * Returns: whether it is tracked
 * Since: 1.0
 */
gboolean sight_object_get_track(const SightObject* object, guint64* track);
/**
 * sight_object_get_stage_id:
 * @object: an object
 *
 * Returns: the `unique-id` of the stage that found it, 0 if none
 * Since: 1.0
 */
guint sight_object_get_stage_id(const SightObject* object);
/**
 * sight_object_get_identity:
 * @object: an object
 *
 * Returns: (transfer none) (nullable): what a gallery said of it, %NULL if none was asked
 * Since: 1.0
 */
SightIdentity* sight_object_get_identity(const SightObject* object);
/**
 * sight_object_get_n_classifications:
 * @object: an object
 *
 * Returns: how many classifications it has
 * Since: 1.0
 */
guint sight_object_get_n_classifications(const SightObject* object);
/**
 * sight_object_get_classification:
 * @object: an object
 * @index: 0 to sight_object_get_n_classifications() - 1, oldest first
 *
 * Returns: (transfer none) (nullable): the classification, %NULL if there is none
 * Since: 1.0
 */
SightClassification* sight_object_get_classification(const SightObject* object, guint index);
/**
 * sight_object_get_n_tensors:
 * @object: an object
 *
 * Returns: how many tensors it has
 * Since: 1.0
 */
guint sight_object_get_n_tensors(const SightObject* object);
/**
 * sight_object_get_tensor:
 * @object: an object
 * @index: 0 to sight_object_get_n_tensors() - 1, oldest first
 *
 * Returns: (transfer none) (nullable): the tensor, %NULL if there is none
 * Since: 1.0
 */
SightTensor* sight_object_get_tensor(const SightObject* object, guint index);
/**
 * sight_object_find_tensor:
 * @object: an object
 * @name: a tensor's name
 *
 * Returns: (transfer none) (nullable): the newest tensor of that name
 * Since: 1.0
 */
SightTensor* sight_object_find_tensor(const SightObject* object, const char* name);

/**
 * sight_object_set_box:
 * @object: an object that is being edited
 * @box: where it is, in pixels of the frame; finite, width and height not negative
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed, %SIGHT_ERROR_INPUT if @box is
 *   wrong
 * Since: 1.0
 */
gboolean sight_object_set_box(SightObject* object, const SightBox* box, GError** error);
/**
 * sight_object_set_landmarks:
 * @object: an object that is being edited
 * @landmarks: (array length=n_landmarks) (nullable): points in pixels of the frame, finite
 * @n_landmarks: how many; 0 takes them away
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed, %SIGHT_ERROR_INPUT if a point
 *   is not finite
 * Since: 1.0
 */
gboolean sight_object_set_landmarks(SightObject* object, const SightPoint* landmarks,
                                    guint n_landmarks, GError** error);
/**
 * sight_object_set_track:
 * @object: an object that is being edited
 * @track: the number that it keeps over time
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed
 * Since: 1.0
 */
gboolean sight_object_set_track(SightObject* object, guint64 track, GError** error);
/**
 * sight_object_set_stage_id:
 * @object: an object that is being edited
 * @stage_id: the `unique-id` of the stage that found it
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed
 * Since: 1.0
 */
gboolean sight_object_set_stage_id(SightObject* object, guint stage_id, GError** error);
/**
 * sight_object_set_identity:
 * @object: an object that is being edited
 * @identity: (nullable): what a gallery said of it; @object takes a reference
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed
 * Since: 1.0
 */
gboolean sight_object_set_identity(SightObject* object, SightIdentity* identity, GError** error);
/**
 * sight_object_add_classification:
 * @object: an object that is being edited
 * @classification: a classification; @object takes a reference
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed
 * Since: 1.0
 */
gboolean sight_object_add_classification(SightObject* object, SightClassification* classification,
                                         GError** error);
/**
 * sight_object_add_tensor:
 * @object: an object that is being edited
 * @tensor: a tensor; @object takes a reference
 * @error: return location for an error
 *
 * Returns: %FALSE with %SIGHT_ERROR_READ_ONLY if @object is sealed
 * Since: 1.0
 */
gboolean sight_object_add_tensor(SightObject* object, SightTensor* tensor, GError** error);
/**
 * sight_object_set_user_data:
 * @object: an object that is being edited
 * @name: a name of your own, UTF-8, not empty
 * @value: (nullable): as for sight_frame_set_user_data()
 * @error: return location for an error
 *
 * Returns: %FALSE with the errors of sight_frame_set_user_data()
 * Since: 1.0
 */
gboolean sight_object_set_user_data(SightObject* object, const char* name, const GValue* value,
                                    GError** error);
/**
 * sight_object_get_user_data:
 * @object: an object
 * @name: a name
 *
 * Returns: (transfer none) (nullable): the value under @name, to be read only
 * Since: 1.0
 */
const GValue* sight_object_get_user_data(const SightObject* object, const char* name);
/**
 * sight_object_set_user_boxed: (skip)
 * @object: an object that is being edited
 * @name: a name of your own, UTF-8, not empty
 * @type: a boxed type, for example %GST_TYPE_STRUCTURE, or one of your own
 * @boxed: a value of that type, of which a copy is kept
 * @error: return location for an error
 *
 * sight_object_set_user_data() without a #GValue, for what user data mostly is.
 *
 * Returns: %FALSE with the errors of sight_frame_set_user_data()
 * Since: 1.0
 */
gboolean sight_object_set_user_boxed(SightObject* object, const char* name, GType type,
                                     gconstpointer boxed, GError** error);
/**
 * sight_object_get_user_boxed: (skip)
 * @object: an object
 * @name: a name
 * @type: a boxed type
 *
 * Returns: (transfer none) (nullable): the value under @name, to be read only; %NULL if there is
 *   none of exactly this type
 * Since: 1.0
 */
gconstpointer sight_object_get_user_boxed(const SightObject* object, const char* name, GType type);
/**
 * sight_object_get_user_data_names:
 * @object: an object
 *
 * Returns: (transfer full) (array zero-terminated=1): the names in use, sorted
 * Since: 1.0
 */
char** sight_object_get_user_data_names(const SightObject* object);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightFrame, sight_frame_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightObject, sight_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightCandidate, sight_candidate_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightIdentity, sight_identity_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightClassification, sight_classification_unref)

G_END_DECLS
