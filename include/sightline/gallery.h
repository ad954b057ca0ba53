/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/frame.h>

G_BEGIN_DECLS

/**
 * SightGallery:
 *
 * A gallery of known identities, opened for asking. Thread-safe, reference-counted. Sees what other
 * processes commit within a second.
 *
 * Since: 1.0
 */
typedef struct _SightGallery SightGallery;
#define SIGHT_TYPE_GALLERY (sight_gallery_get_type())
GType sight_gallery_get_type(void);
/**
 * sight_gallery_open:
 * @path: a gallery file, made by `sightline enroll`, or the URL of a PostgreSQL database
 * @threshold: the cosine similarity from which on the nearest person is accepted, or -1: by the
 * size of the gallery, as sightmatch's property says it. The gallery's own, and a person's, count
 * more
 * @margin: by how much the nearest person must be more similar than the second
 * @error: return location for an error
 *
 * Returns: (transfer full): the gallery, or %NULL with an error that names the file
 * Since: 1.0
 */
SightGallery* sight_gallery_open(const char* path, gfloat threshold, gfloat margin, GError** error);
/**
 * sight_gallery_ref:
 * @gallery: a gallery
 *
 * Returns: (transfer full): @gallery, with one more owner
 * Since: 1.0
 */
SightGallery* sight_gallery_ref(SightGallery* gallery);
/**
 * sight_gallery_unref:
 * @gallery: (transfer full): a gallery
 *
 * Since: 1.0
 */
void sight_gallery_unref(SightGallery* gallery);
/**
 * sight_gallery_get_n_persons:
 * @gallery: a gallery
 *
 * Returns: how many persons it knows
 * Since: 1.0
 */
guint sight_gallery_get_n_persons(SightGallery* gallery);
/**
 * sight_gallery_identify:
 * @gallery: a gallery
 * @embedding: a float32 tensor of the gallery's length; it need not be of unit length
 * @error: return location for an error
 *
 * Returns: (transfer full): who it is, or an unknown identity that names the nearest person; %NULL
 * with %SIGHT_ERROR_INPUT if @embedding has another length or type, or holds no direction
 * Since: 1.0
 */
SightIdentity* sight_gallery_identify(SightGallery* gallery, SightTensor* embedding,
                                      GError** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightGallery, sight_gallery_unref)

G_END_DECLS
