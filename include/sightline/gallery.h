/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/frame.h>

G_BEGIN_DECLS

/**
 * SightGallery:
 *
 * A gallery of known identities, opened for asking. Thread-safe, reference-counted. Sees what other processes commit within a
 * second.
 *
 * Since: 1.0
 */
typedef struct _SightGallery SightGallery;
#define SIGHT_TYPE_GALLERY (sight_gallery_get_type())
GType sight_gallery_get_type(void);
SightGallery *sight_gallery_open(const char *path, gfloat threshold, gfloat margin, GError **error);
SightGallery *sight_gallery_ref(SightGallery *gallery);
void sight_gallery_unref(SightGallery *gallery);
guint sight_gallery_get_n_persons(SightGallery *gallery);
/* transfer full; NULL + error if the embedding has another length than the gallery's. */
SightIdentity *sight_gallery_identify(SightGallery *gallery, SightTensor *embedding, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightGallery, sight_gallery_unref)

G_END_DECLS
