/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include <sightline/error.h>

G_BEGIN_DECLS

/**
 * SightElementType:
 *
 * The type of a tensor's elements, in native byte order.
 *
 * Since: 1.0
 */
typedef enum {
  SIGHT_ELEMENT_FLOAT32,
  SIGHT_ELEMENT_FLOAT16,
  SIGHT_ELEMENT_UINT8,
  SIGHT_ELEMENT_INT8,
  SIGHT_ELEMENT_INT32,
  SIGHT_ELEMENT_INT64,
  SIGHT_ELEMENT_FLOAT64,
  SIGHT_ELEMENT_UINT16,
  SIGHT_ELEMENT_INT16,
  SIGHT_ELEMENT_UINT32,
  SIGHT_ELEMENT_UINT64,
  SIGHT_ELEMENT_BOOL
} SightElementType;

gsize sight_element_type_get_size(SightElementType type);

/**
 * SightTensor:
 *
 * A named, immutable, dense, row-major array with the stage that made it. Reference-counted; it holds the memory that it
 * points into, and so outlives buffer and pipeline.
 *
 * Since: 1.0
 */
typedef struct _SightTensor SightTensor;

#define SIGHT_TYPE_TENSOR (sight_tensor_get_type())
GType sight_tensor_get_type(void);

/**
 * sight_tensor_new:
 * @name: the tensor's name
 * @type: the type of its elements
 * @shape: (array length=n_dims): its dimensions
 * @n_dims: how many dimensions
 * @data: the elements; the tensor keeps a reference
 * @error: return location for an error
 *
 * Returns: (transfer full): a new tensor, or %NULL if @data has another size than @shape says.
 * Since: 1.0
 */
SightTensor *sight_tensor_new(const char *name, SightElementType type, const gint64 *shape, guint n_dims,
                              GBytes *data, GError **error);
SightTensor *sight_tensor_ref(SightTensor *tensor);
void sight_tensor_unref(SightTensor *tensor);

const char *sight_tensor_get_name(const SightTensor *tensor);
SightElementType sight_tensor_get_element_type(const SightTensor *tensor);
/**
 * sight_tensor_get_shape:
 * @tensor: a tensor
 * @n_dims: (out): how many dimensions
 *
 * Returns: (array length=n_dims) (transfer none): the dimensions, outermost first
 * Since: 1.0
 */
const gint64 *sight_tensor_get_shape(const SightTensor *tensor, guint *n_dims);
/**
 * sight_tensor_get_data: (skip)
 * @tensor: a tensor
 * @size: (out) (optional): its size in bytes
 *
 * Returns: (transfer none): the elements, valid as long as @tensor is
 * Since: 1.0
 */
gconstpointer sight_tensor_get_data(const SightTensor *tensor, gsize *size);
/**
 * sight_tensor_get_bytes:
 * @tensor: a tensor
 *
 * Returns: (transfer full): the elements without a copy; the bytes hold the tensor's memory
 * Since: 1.0
 */
GBytes *sight_tensor_get_bytes(SightTensor *tensor);
/**
 * sight_tensor_get_floats:
 * @tensor: a tensor
 * @n_values: (out): how many
 *
 * Returns: (array length=n_values) (transfer none) (nullable): the elements of a float32 tensor, else %NULL
 * Since: 1.0
 */
const gfloat *sight_tensor_get_floats(const SightTensor *tensor, gsize *n_values);
/**
 * sight_tensor_get_stage:
 * @tensor: a tensor
 *
 * Returns: (nullable): the name of the element that made it
 * Since: 1.0
 */
const char *sight_tensor_get_stage(const SightTensor *tensor);
/* The unique-id of the stage that made it, 0 if it was not made by one. */
guint sight_tensor_get_stage_id(const SightTensor *tensor);
/* The row or anchor of the output that it came from, -1 if it is a whole output. */
gint sight_tensor_get_row(const SightTensor *tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightTensor, sight_tensor_unref)

G_END_DECLS
