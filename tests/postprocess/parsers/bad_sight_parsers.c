/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsers with our interface that do what none should; what they do is in parser-options. */

#include <math.h>
#include <sightline/postprocess.h>
#include <stdlib.h>
#include <string.h>

static int is(const SightParserNetwork* network, const char* what) {
  return strcmp(network->options, what) == 0;
}

static int open_parser(const SightParserNetwork* network, void** state,
                       SightParserResults* results) {
  *state = malloc(1);
  if (is(network, "open fails")) {
    results->fail(results, "there are no anchors");
    return 1;
  }
  if (is(network, "open adds")) results->add_label(results, "a", "b", 0, 1);
  return 0;
}

static void close_parser(void* state) { free(state); }

static SightParserObject good(void) {
  SightParserObject object;
  memset(&object, 0, sizeof object);
  object.struct_size = sizeof object;
  object.x = 1, object.y = 2, object.width = 3, object.height = 4;
  object.confidence = 0.9f;
  object.row = 5;
  return object;
}

static int parse(void* state, const SightParserNetwork* network, SightParserResults* results) {
  static const float nans[4] = {1, NAN, 1, 1};
  static const int32_t map[4] = {0, 1, -1, 70000};
  const int64_t dims[1] = {-4};
  SightParserTensor tensor = {"t", SIGHT_PARSER_FLOAT32, 1, dims, nans, 16};
  SightParserObject object = good();
  (void)state;
  if (is(network, "says nothing")) return 7;
  if (is(network, "says why")) {
    results->fail(results, "the scene is dark");
    return 1;
  }
  if (is(network, "size")) object.struct_size = 8;
  if (is(network, "class")) object.class_id = -3;
  if (is(network, "nan")) object.width = NAN;
  if (is(network, "negative")) object.height = -1;
  if (is(network, "landmarks")) object.n_landmarks = 3;
  if (is(network, "many landmarks")) object.n_landmarks = 1u << 31;
  if (is(network, "mask")) object.mask_width = object.mask_height = 2, object.mask = nans;
  if (is(network, "mask null")) object.mask_width = object.mask_height = 2;
  if (is(network, "mask size"))
    object.mask_width = object.mask_height = 1u << 31, object.mask = nans;
  if (is(network, "tensor")) results->add_tensor(results, &tensor);
  if (is(network, "null tensor")) results->add_tensor(results, NULL);
  if (is(network, "label")) results->add_label(results, "colour", NULL, 9, 1);
  if (is(network, "label nan")) results->add_label(results, "colour", "red", 0, NAN);
  if (is(network, "map")) results->set_segmentation(results, 2, 2, map, NULL);
  if (is(network, "point")) results->set_landmarks(results, 2, (const SightParserPoint*)nans);
  results->add_object(results, &object);
  return 0;
}

SIGHT_PARSER_DEFINE(bad_detector, SIGHT_PARSER_DETECTOR, open_parser, parse, close_parser);
SIGHT_PARSER_DEFINE(bad_segmentation, SIGHT_PARSER_SEGMENTATION, open_parser, parse, close_parser);
SIGHT_PARSER_DEFINE(bad_landmarks, SIGHT_PARSER_LANDMARKS, open_parser, parse, close_parser);
SIGHT_PARSER_DEFINE(no_function, SIGHT_PARSER_TENSORS, NULL, NULL, NULL);
SIGHT_PARSER_DEFINE(no_kind, 77, NULL, parse, NULL);

extern const SightParser future, small;
const SightParser future = {
    SIGHT_PARSER_MAGIC, SIGHT_PARSER_ABI + 1, sizeof(SightParser), 1, NULL, parse, NULL};
const SightParser small = {SIGHT_PARSER_MAGIC, SIGHT_PARSER_ABI, 16, 1, NULL, parse, NULL};
