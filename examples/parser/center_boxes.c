/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A parser for a network whose only output is a table with a row for each box: centre x, centre y,
 * width, height, confidence, as shares of the input. parser-options = pixels: they are pixels.
 *
 *     custom-lib-path = libcenter_boxes.so
 *     parser = center_boxes
 *     labels = bottle
 */

#include <sightline/postprocess.h>
#include <stdlib.h>
#include <string.h>

enum { CENTER_X, CENTER_Y, WIDTH, HEIGHT, CONFIDENCE, COLUMNS };

/* What each frame needs to know of the configuration. */
typedef struct {
  float scale_x, scale_y;
} State;

static int open_parser(const SightParserNetwork* network, void** state,
                       SightParserResults* results) {
  const SightParserTensor* table = network->outputs;
  if (network->n_outputs != 1 || table->n_dims != 2 || table->dims[1] != COLUMNS ||
      table->element_type != SIGHT_PARSER_FLOAT32) {
    results->fail(results, "expected one output, float32 [n,5]");
    return 1;
  }
  State* scales = malloc(sizeof *scales);
  if (scales == NULL) return 1;
  const int in_pixels = strcmp(network->options, "pixels") == 0;
  scales->scale_x = in_pixels ? 1 : (float)network->input_width;
  scales->scale_y = in_pixels ? 1 : (float)network->input_height;
  *state = scales;
  return 0;
}

/* May run in several threads at once: state is only read. */
static int parse(void* state, const SightParserNetwork* network, SightParserResults* results) {
  const State* scales = state;
  const float* rows = network->outputs[0].data;
  for (int64_t i = 0; i < network->outputs[0].dims[0]; ++i) {
    const float* row = rows + i * COLUMNS;
    if (!(row[CONFIDENCE] >= network->threshold)) continue;
    SightParserObject object;
    memset(&object, 0, sizeof object);
    object.struct_size = sizeof object;
    object.x = (row[CENTER_X] - row[WIDTH] / 2) * scales->scale_x;
    object.y = (row[CENTER_Y] - row[HEIGHT] / 2) * scales->scale_y;
    object.width = row[WIDTH] * scales->scale_x;
    object.height = row[HEIGHT] * scales->scale_y;
    object.confidence = row[CONFIDENCE];
    object.class_id = 0;
    object.row = (int32_t)i;
    if (results->add_object(results, &object) != 0) return 1;
  }
  return 0;
}

static void close_parser(void* state) { free(state); }

SIGHT_PARSER_DEFINE(center_boxes, SIGHT_PARSER_DETECTOR, open_parser, parse, close_parser);
