/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/error.h>

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * SightElementType:
 * @SIGHT_ELEMENT_FLOAT32: IEEE 754 single precision
 * @SIGHT_ELEMENT_FLOAT16: IEEE 754 half precision
 * @SIGHT_ELEMENT_UINT8: unsigned, 8 bits
 * @SIGHT_ELEMENT_INT8: signed, 8 bits
 * @SIGHT_ELEMENT_INT32: signed, 32 bits
 * @SIGHT_ELEMENT_INT64: signed, 64 bits
 * @SIGHT_ELEMENT_FLOAT64: IEEE 754 double precision
 * @SIGHT_ELEMENT_UINT16: unsigned, 16 bits
 * @SIGHT_ELEMENT_INT16: signed, 16 bits
 * @SIGHT_ELEMENT_UINT32: unsigned, 32 bits
 * @SIGHT_ELEMENT_UINT64: unsigned, 64 bits
 * @SIGHT_ELEMENT_BOOL: a byte, 0 or 1
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

/**
 * sight_element_type_get_size:
 * @type: a type
 *
 * Returns: the size of one element in bytes, 0 if there is no such type
 * Since: 1.0
 */
gsize sight_element_type_get_size(SightElementType type);

/**
 * SightTensor:
 *
 * A named, immutable, dense, row-major array with the stage that made it. Reference-counted; it
 * holds the memory that it points into, and so outlives buffer and pipeline.
 *
 * Large outputs of networks on a GPU stay there until somebody reads them: the functions that give
 * elements in host memory copy them at the first call, wait for that, and keep the copy. Who works
 * on the GPU takes sight_tensor_get_device_data() or sight_tensor_to_dlpack() and copies nothing.
 *
 * Since: 1.0
 */
typedef struct _SightTensor SightTensor;

#define SIGHT_TYPE_TENSOR (sight_tensor_get_type())
GType sight_tensor_get_type(void);

/**
 * sight_tensor_new:
 * @name: the tensor's name, UTF-8
 * @type: the type of its elements
 * @shape: (array length=n_dims): its dimensions, outermost first
 * @n_dims: how many dimensions; 0 for a single number
 * @data: the elements; the tensor keeps a reference (a copy, if they are not aligned for @type)
 * @error: return location for an error
 *
 * Returns: (transfer full): a new tensor, or %NULL with %SIGHT_ERROR_INPUT if @data has another
 *   size than @type and @shape say, or @name is not UTF-8
 * Since: 1.0
 */
SightTensor* sight_tensor_new(const char* name, SightElementType type, const gint64* shape,
                              guint n_dims, GBytes* data, GError** error);
/**
 * sight_tensor_ref:
 * @tensor: a tensor
 *
 * Returns: (transfer full): @tensor, with one owner more
 * Since: 1.0
 */
SightTensor* sight_tensor_ref(SightTensor* tensor);
/**
 * sight_tensor_unref:
 * @tensor: (transfer full): a tensor, with one owner less afterwards
 *
 * Since: 1.0
 */
void sight_tensor_unref(SightTensor* tensor);

/**
 * sight_tensor_get_name:
 * @tensor: a tensor
 *
 * Returns: its name
 * Since: 1.0
 */
const char* sight_tensor_get_name(const SightTensor* tensor);
/**
 * sight_tensor_get_element_type:
 * @tensor: a tensor
 *
 * Returns: the type of its elements
 * Since: 1.0
 */
SightElementType sight_tensor_get_element_type(const SightTensor* tensor);
/**
 * sight_tensor_get_shape:
 * @tensor: a tensor
 * @n_dims: (out): how many dimensions
 *
 * Returns: (array length=n_dims) (transfer none): the dimensions, outermost first
 * Since: 1.0
 */
const gint64* sight_tensor_get_shape(const SightTensor* tensor, guint* n_dims);
/**
 * sight_tensor_get_data: (skip)
 * @tensor: (nullable): a tensor
 * @size: (out) (optional): its size in bytes
 * @error: return location for an error
 *
 * Returns: (transfer none): the elements in host memory, valid as long as @tensor is, or %NULL with
 *   %SIGHT_ERROR_DEVICE or %SIGHT_ERROR_MODEL if they cannot be copied there from the GPU,
 *   %SIGHT_ERROR_NOT_FOUND if @tensor is %NULL, as sight_object_find_tensor() may give it
 * Since: 1.0
 */
gconstpointer sight_tensor_get_data(const SightTensor* tensor, gsize* size, GError** error);
/**
 * sight_tensor_get_gpu:
 * @tensor: a tensor
 *
 * Returns: the number of the GPU whose memory holds the elements, -1 if host memory does
 * Since: 1.0
 */
gint sight_tensor_get_gpu(const SightTensor* tensor);
/**
 * sight_tensor_get_device_data: (skip)
 * @tensor: a tensor
 * @size: (out) (optional): its size in bytes
 *
 * Everything that writes the elements is done, so that any stream may read them at once. They are
 * in the memory of the device's primary context (the one of the CUDA runtime).
 *
 * Returns: (transfer none) (nullable): the address of the elements on the GPU
 *   sight_tensor_get_gpu(), valid as long as @tensor is, or %NULL if they are in host memory
 * Since: 1.0
 */
gconstpointer sight_tensor_get_device_data(const SightTensor* tensor, gsize* size);
/**
 * sight_tensor_to_dlpack:
 * @tensor: a tensor
 *
 * The tensor as other frameworks take it, without a copy, wherever it lies: a `DLManagedTensor` of
 * DLPack (https://dmlc.github.io/dlpack), which holds @tensor until its deleter is called. In
 * Python, `docs/python.md` shows how it becomes an array of torch, CuPy or NumPy. What it points to
 * must not be written.
 *
 * Returns: (transfer none) (not nullable): a new `DLManagedTensor`; whoever takes it calls its
 *   deleter
 * Since: 1.0
 */
gpointer sight_tensor_to_dlpack(SightTensor* tensor);
/**
 * sight_tensor_get_bytes:
 * @tensor: (nullable): a tensor
 * @error: return location for an error
 *
 * Returns: (transfer full): the elements in host memory, which hold the tensor, or %NULL with the
 *   errors of sight_tensor_get_floats() but that for another type
 * Since: 1.0
 */
GBytes* sight_tensor_get_bytes(SightTensor* tensor, GError** error);
/**
 * sight_tensor_get_floats:
 * @tensor: (nullable): a tensor
 * @n_values: (out): how many
 * @error: return location for an error
 *
 * Returns: (array length=n_values) (transfer none): the elements of a float32 tensor in host
 *   memory, valid as long as @tensor is; or %NULL with %SIGHT_ERROR_INPUT if it is of another type,
 *   %SIGHT_ERROR_DEVICE or %SIGHT_ERROR_MODEL if they cannot be copied there from the GPU,
 *   %SIGHT_ERROR_NOT_FOUND if @tensor is %NULL, as sight_object_find_tensor() may give it
 * Since: 1.0
 */
const gfloat* sight_tensor_get_floats(const SightTensor* tensor, gsize* n_values, GError** error);
/**
 * sight_tensor_get_stage:
 * @tensor: a tensor
 *
 * Returns: (nullable): the name of the element that made it
 * Since: 1.0
 */
const char* sight_tensor_get_stage(const SightTensor* tensor);
/**
 * sight_tensor_get_stage_id:
 * @tensor: a tensor
 *
 * Returns: the `unique-id` of the stage that made it, 0 if it was not made by one
 * Since: 1.0
 */
guint sight_tensor_get_stage_id(const SightTensor* tensor);
/**
 * sight_tensor_get_row:
 * @tensor: a tensor
 *
 * Returns: the row or anchor of the output that it came from, -1 if it is a whole output
 * Since: 1.0
 */
gint sight_tensor_get_row(const SightTensor* tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightTensor, sight_tensor_unref)

G_END_DECLS
