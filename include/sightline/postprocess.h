/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Parsers of your own: a shared library that makes results of a network's outputs. Plain C that
 * needs nothing but this file, and a library that links to nothing of Sightline's. A configuration
 * names it:
 *
 *     custom-lib-path = libgrid.so
 *     parser = grid_detector
 *
 * grid_detector is a #SightParser that the library exports with SIGHT_PARSER_DEFINE().
 * docs/custom-parsers.md has a whole one, which examples/parser builds.
 *
 * Everything that is handed over belongs to who hands it over, and is good for the time of the call
 * only; what is to be kept is copied. Strings are UTF-8 and end with a zero byte. Coordinates are
 * pixels of the network's input, continuous, origin top left.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * SIGHT_PARSER_ABI:
 *
 * The version of this interface. A library is loaded only by what knows its version. Within a
 * version structs that begin with `struct_size` may grow at their end; nothing else changes.
 *
 * Since: 1.0
 */
#define SIGHT_PARSER_ABI 1u

/**
 * SIGHT_PARSER_MAGIC:
 *
 * How a #SightParser begins, so that a symbol that is something else is known as such.
 *
 * Since: 1.0
 */
#define SIGHT_PARSER_MAGIC 0x53504152u

/**
 * SightParserKind:
 * @SIGHT_PARSER_DETECTOR: objects with boxes; thresholds, clustering and limits of the
 *   configuration come afterwards
 * @SIGHT_PARSER_CLASSIFIER: labels of what the network saw
 * @SIGHT_PARSER_SEGMENTATION: a class for each pixel
 * @SIGHT_PARSER_LANDMARKS: points of an object
 * @SIGHT_PARSER_TENSORS: arrays
 *
 * What a parser is for. Labels and tensors may come from each kind, the others from theirs only.
 *
 * Since: 1.0
 */
typedef enum {
  SIGHT_PARSER_DETECTOR = 1,
  SIGHT_PARSER_CLASSIFIER = 2,
  SIGHT_PARSER_SEGMENTATION = 3,
  SIGHT_PARSER_LANDMARKS = 4,
  SIGHT_PARSER_TENSORS = 5
} SightParserKind;

/**
 * SightParserElement:
 * @SIGHT_PARSER_FLOAT32: IEEE 754 single precision
 * @SIGHT_PARSER_FLOAT16: IEEE 754 half precision
 * @SIGHT_PARSER_UINT8: unsigned, 8 bits
 * @SIGHT_PARSER_INT8: signed, 8 bits
 * @SIGHT_PARSER_INT32: signed, 32 bits
 * @SIGHT_PARSER_INT64: signed, 64 bits
 * @SIGHT_PARSER_FLOAT64: IEEE 754 double precision
 * @SIGHT_PARSER_UINT16: unsigned, 16 bits
 * @SIGHT_PARSER_INT16: signed, 16 bits
 * @SIGHT_PARSER_UINT32: unsigned, 32 bits
 * @SIGHT_PARSER_UINT64: unsigned, 64 bits
 * @SIGHT_PARSER_BOOL: a byte, 0 or 1
 *
 * The type of a tensor's elements, in native byte order: #SightElementType, value by value.
 *
 * Since: 1.0
 */
typedef enum {
  SIGHT_PARSER_FLOAT32,
  SIGHT_PARSER_FLOAT16,
  SIGHT_PARSER_UINT8,
  SIGHT_PARSER_INT8,
  SIGHT_PARSER_INT32,
  SIGHT_PARSER_INT64,
  SIGHT_PARSER_FLOAT64,
  SIGHT_PARSER_UINT16,
  SIGHT_PARSER_INT16,
  SIGHT_PARSER_UINT32,
  SIGHT_PARSER_UINT64,
  SIGHT_PARSER_BOOL
} SightParserElement;

/**
 * SightParserTensor:
 * @name: the tensor's name
 * @element_type: a #SightParserElement
 * @n_dims: how many dimensions, without the batch's; 0 of a single number
 * @dims: the dimensions, outermost first; in @open -1 where one is not known before a run
 * @data: the elements in host memory, dense and row-major; %NULL in @open
 * @size: of @data in bytes; 0 in @open
 *
 * A named array.
 *
 * Since: 1.0
 */
typedef struct {
  const char* name;
  int32_t element_type;
  uint32_t n_dims;
  const int64_t* dims;
  const void* data;
  size_t size;
} SightParserTensor;

/**
 * SightParserNetwork:
 * @struct_size: the size of this struct as the caller knows it, in bytes
 * @input_width: width of the network's input in pixels
 * @input_height: height of the network's input in pixels
 * @input_channels: 1 or 3
 * @n_outputs: how many outputs
 * @outputs: (array length=n_outputs): the outputs, in the network's order, or that of the key
 *   `output-blob-names`
 * @n_classes: how many classes the configuration knows (`num-detected-classes`, `labels`,
 *   `labelfile-path`); 0 if it does not say, which it always does for a detector
 * @labels: (array length=n_classes) (nullable): their names; %NULL if they have none
 * @thresholds: (array length=n_classes) (nullable): of a detector, the least confidence of each
 *   class, infinite for one that is filtered out; an object below it need not be reported. %NULL of
 *   the other kinds
 * @threshold: of a detector the least of @thresholds; else what `classifier-threshold` or
 *   `segmentation-threshold` says, 0 if they say nothing
 * @options: what the key `parser-options` says, for the parser alone; an empty string if nothing
 *
 * What is known of the network.
 *
 * Since: 1.0
 */
typedef struct {
  size_t struct_size;
  uint32_t input_width;
  uint32_t input_height;
  uint32_t input_channels;
  uint32_t n_outputs;
  const SightParserTensor* outputs;
  uint32_t n_classes;
  const char* const* labels;
  const float* thresholds;
  float threshold;
  const char* options;
} SightParserNetwork;

/**
 * SightParserPoint:
 * @x: horizontally, in pixels of the network's input
 * @y: vertically
 *
 * A place.
 *
 * Since: 1.0
 */
typedef struct {
  float x;
  float y;
} SightParserPoint;

/**
 * SightParserObject:
 * @struct_size: `sizeof(SightParserObject)`
 * @x: left edge of the box
 * @y: top edge of the box
 * @width: at least 0; a box without area is dropped
 * @height: at least 0
 * @confidence: finite, usually 0 to 1
 * @class_id: 0 to n_classes - 1
 * @row: the row or anchor of the output that it came from, -1 if that means nothing
 * @n_landmarks: how many landmarks, at most 4096
 * @landmarks: (array length=n_landmarks) (nullable): points of the object, finite
 * @landmark_confidences: (array length=n_landmarks) (nullable): how sure each of them is, finite
 * @corners: (array fixed-size=4) (nullable): of an oriented box, clockwise from what is its top
 *   left corner upright, finite; clustering compares these
 * @mask_width: columns of the mask; 0: no mask
 * @mask_height: rows of the mask
 * @mask: (nullable): mask_height × mask_width numbers: how likely each pixel is the object's, 0 to
 *   1, finite
 * @mask_area: (nullable): where the mask lies: left, top, width, height; %NULL: over the box
 *
 * An object. Set all of it to 0 before you fill it.
 *
 * Since: 1.0
 */
typedef struct {
  size_t struct_size;
  float x;
  float y;
  float width;
  float height;
  float confidence;
  int32_t class_id;
  int32_t row;
  uint32_t n_landmarks;
  const SightParserPoint* landmarks;
  const float* landmark_confidences;
  const SightParserPoint* corners;
  uint32_t mask_width;
  uint32_t mask_height;
  const float* mask;
  const float* mask_area;
} SightParserObject;

/**
 * SightParserResults:
 * @struct_size: the size of this struct as the caller knows it, in bytes
 * @add_object: adds an object. Of those below their class's threshold nothing is looked at but
 *   confidence and class
 * @add_label: adds a label: @attribute is what it is of ("colour"), @label what it says, %NULL for
 *   the configuration's name of @class_id; @confidence is finite
 * @add_tensor: adds an array of at most 2^30 bytes, which is copied
 * @set_landmarks: the points of what the network saw, at most 4096, finite
 * @set_segmentation: the class of each pixel, [height, width] in @classes, -1 for none, and how
 *   sure it is in @confidences, which may be %NULL
 * @fail: says in a sentence why the outputs cannot be parsed; the last call counts
 *
 * Takes what a parser finds. The functions return 0, or another number if they don't take it, since
 * it is not what is said above: then the frame has failed, whatever the parser does afterwards, and
 * it had better return. They copy what they are given.
 *
 * Since: 1.0
 */
typedef struct SightParserResults SightParserResults;
struct SightParserResults {
  size_t struct_size;
  int (*add_object)(SightParserResults* results, const SightParserObject* object);
  int (*add_label)(SightParserResults* results, const char* attribute, const char* label,
                   int32_t class_id, float confidence);
  int (*add_tensor)(SightParserResults* results, const SightParserTensor* tensor);
  int (*set_landmarks)(SightParserResults* results, uint32_t n_points,
                       const SightParserPoint* points);
  int (*set_segmentation)(SightParserResults* results, uint32_t width, uint32_t height,
                          const int32_t* classes, const float* confidences);
  void (*fail)(SightParserResults* results, const char* sentence);
};

/**
 * SightParser:
 * @magic: %SIGHT_PARSER_MAGIC
 * @abi: %SIGHT_PARSER_ABI
 * @struct_size: `sizeof(SightParser)`
 * @kind: a #SightParserKind
 * @open: (nullable): called once for each stage, before any frame: sees whether the network is one
 *   for this parser, and may leave something in @state. @results takes nothing here but @fail
 * @parse: makes results of the outputs of one item (a frame or an object). Called from any thread,
 *   and from several at a time with the same @state
 * @close: (nullable): called when the stage is done with @state; also after an @open that failed,
 *   if that has left something there
 *
 * What a library exports. @open and @parse return 0, or another number if they failed: then the
 * stage does not start, or the frame has failed and is dealt with as the element's property
 * `on-error` says. A C++ exception that they let out is such a failure, too.
 *
 * Since: 1.0
 */
typedef struct {
  uint32_t magic;
  uint32_t abi;
  size_t struct_size;
  int32_t kind;
  int (*open)(const SightParserNetwork* network, void** state, SightParserResults* results);
  int (*parse)(void* state, const SightParserNetwork* network, SightParserResults* results);
  void (*close)(void* state);
} SightParser;

/**
 * SIGHT_PARSER_DEFINE:
 * @name: what the key `parser` calls it
 * @the_kind: a #SightParserKind
 * @open_function: or %NULL
 * @parse_function: not %NULL
 * @close_function: or %NULL
 *
 * Defines and exports a #SightParser, in C or C++.
 *
 * Since: 1.0
 */
#ifdef __cplusplus
#define SIGHT_PARSER_EXTERN extern "C"
#else
#define SIGHT_PARSER_EXTERN extern
#endif
#define SIGHT_PARSER_DEFINE(name, the_kind, open_function, parse_function, close_function)       \
  SIGHT_PARSER_EXTERN __attribute__((visibility("default"))) const SightParser name;             \
  const SightParser name = {SIGHT_PARSER_MAGIC, SIGHT_PARSER_ABI, sizeof(SightParser), the_kind, \
                            open_function,      parse_function,   close_function}

#ifdef __cplusplus
}
#endif
