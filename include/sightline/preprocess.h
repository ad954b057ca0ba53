/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/frame.h>

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * SightPreprocessSpec:
 *
 * What a network wants to see: size, channels, layout, element type, filter, normalisation, and
 * which part of the frame. Made from text in the vocabulary of the configuration files, for example
 * `"width=112; height=112; model-color-format=bgr; alignment=arcface-112;
 * offsets=127.5,127.5,127.5; std=128,128,128"`.
 *
 * Since: 1.0
 */
typedef struct _SightPreprocessSpec SightPreprocessSpec;
#define SIGHT_TYPE_PREPROCESS_SPEC (sight_preprocess_spec_get_type())
GType sight_preprocess_spec_get_type(void);
/**
 * sight_preprocess_spec_new:
 * @text: `key=value` pairs separated by `;`: `width` and `height` of the tensor, `element-type`
 *   (`float32`, `float16`, `uint8` or `int8`), and the keys of `docs/configuration.md` that say
 * what is seen and how it is normalised
 * @error: return location for an error
 *
 * Returns: (transfer full): a new specification, or %NULL with an error that names the key
 * Since: 1.0
 */
SightPreprocessSpec* sight_preprocess_spec_new(const char* text, GError** error);
/**
 * sight_preprocess_spec_new_from_config:
 * @config_file: a configuration file, such as `models/face-embed.ini`
 * @width: width of the tensor in pixels
 * @height: height of the tensor in pixels
 * @error: return location for an error
 *
 * Returns: (transfer full): a new specification, or %NULL with an error that names file and line
 * Since: 1.0
 */
SightPreprocessSpec* sight_preprocess_spec_new_from_config(const char* config_file, guint width,
                                                           guint height, GError** error);
/**
 * sight_preprocess_spec_ref:
 * @spec: a specification
 *
 * Returns: (transfer full): @spec, with one more owner
 * Since: 1.0
 */
SightPreprocessSpec* sight_preprocess_spec_ref(SightPreprocessSpec* spec);
/**
 * sight_preprocess_spec_unref:
 * @spec: (transfer full): a specification
 *
 * Since: 1.0
 */
void sight_preprocess_spec_unref(SightPreprocessSpec* spec);

/**
 * sight_frame_to_tensor:
 * @buffer: a video frame, in system or in CUDA memory
 * @info: (nullable): its format, or %NULL to take it from @buffer's #GstVideoMeta (which has no
 * colorimetry: as GStreamer guesses, 601 up to 576 lines, else 709, limited range)
 * @object: (nullable): the object whose box, or whose landmarks if @spec aligns, is to be looked
 * at; %NULL: the whole frame
 * @spec: what the network wants
 * @error: return location for an error
 *
 * One pass from the pixels of @buffer to the input tensor of a network of your own: crop or warp,
 * colour conversion, scaling, normalisation. The frame is not copied. Of a frame in CUDA memory the
 * tensor is in the memory of the same GPU (sight_tensor_get_device_data()), written when this
 * returns.
 *
 * Returns: (transfer full) (nullable): a tensor [channels, height, width], or [height, width,
 * channels] for `nhwc`, or %NULL with %SIGHT_ERROR_INPUT
 * Since: 1.0
 */
SightTensor* sight_frame_to_tensor(GstBuffer* buffer, const GstVideoInfo* info,
                                   const SightObject* object, const SightPreprocessSpec* spec,
                                   GError** error);
/**
 * sight_objects_to_tensor:
 * @buffer: as for sight_frame_to_tensor()
 * @info: (nullable): likewise
 * @objects: (array length=n_objects): the objects to be looked at
 * @n_objects: how many; there may be none
 * @spec: what the network wants
 * @error: return location for an error
 *
 * A crop of each of @objects, as sight_frame_to_tensor() makes it, in one tensor for a network that
 * takes batches. The frame is mapped once; on a GPU all crops are one kernel launch.
 *
 * Returns: (transfer full) (nullable): a tensor [@n_objects, channels, height, width], or
 *   [@n_objects, height, width, channels] for `nhwc`, or %NULL with %SIGHT_ERROR_INPUT, which names
 *   the object that cannot be looked at
 * Since: 1.0
 */
SightTensor* sight_objects_to_tensor(GstBuffer* buffer, const GstVideoInfo* info,
                                     SightObject** objects, guint n_objects,
                                     const SightPreprocessSpec* spec, GError** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SightPreprocessSpec, sight_preprocess_spec_unref)

G_END_DECLS
