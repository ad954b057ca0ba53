// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/config_keys.h"

#include <algorithm>
#include <array>

namespace sightline {

namespace {

using enum KeyUse;

constexpr std::string_view kCaffe =
    "Caffe models are not read. Convert the network to ONNX and set onnx-file";
constexpr std::string_view kUff =
    "UFF models are not read. Convert the network to ONNX and set onnx-file";
constexpr std::string_view kTao =
    "encrypted TAO models are not read. Export the network to ONNX and set onnx-file";

constexpr std::string_view kCode =
    "networks are not built by code. Export the network to ONNX and set onnx-file";
constexpr std::string_view kSmallObjects = "smaller objects are passed over";
constexpr std::string_view kLargeObjects = "larger objects are passed over; 0: no limit";
constexpr std::string_view kSmallBoxes = "smaller boxes are dropped";
constexpr std::string_view kLargeBoxes = "larger boxes are dropped; 0: no limit";
constexpr std::string_view kDla = "Jetson's DLA cores";
constexpr std::string_view kPool = "outputs live in a pool that needs no number";
constexpr std::string_view kOrder = "0 nchw, 1 nhwc";
constexpr std::string_view kRegression = "the label of a regression";

// clang-format off: in the order of nvinfer's own description
constexpr ConfigKey kKeys[] = {
    {"property", "gie-unique-id", kApplied, "15", "chosen by the element, from 1000",
     "the stage's id, which results carry; the property unique-id comes before it"},
    {"property", "process-mode", kApplied, "1", "primary",
     "1 or primary: whole frames; 2 or secondary: objects"},
    {"property", "gpu-id", kApplied, "0", "0",
     "which GPU device = auto takes, where networks run on GPUs; elsewhere auto is the CPU"},
    {"property", "batch-size", kApplied, "1", "the engine's choice", "the largest batch"},
    {"property", "interval", kApplied, "0", "0",
     "frames passed over between two that are looked at, counted for each stream (nvinfer counts "
     "batches)"},
    {"property", "network-type", kApplied, "0", "by model-family",
     "0 detector and 3 instance segmentation, whose family is recognised by the outputs (else with "
     "nvinfer's defaults DetectNet_v2), 1 classifier, 2 segmentation, 100 tensors only"},
    {"property", "is-classifier", kApplied, "none", "none", "1 stands for network-type = 1"},
    {"property", "operate-on-gie-id", kApplied, "-1", "-1",
     "only objects of this stage; -1: of any"},
    {"property", "operate-on-class-ids", kApplied, "all", "all", "only objects of these classes"},
    {"property", "filter-out-class-ids", kApplied, "none", "none",
     "detections of these classes are dropped"},
    {"property", "input-object-min-width", kApplied, "0", "0", kSmallObjects},
    {"property", "input-object-min-height", kApplied, "0", "0", kSmallObjects},
    {"property", "input-object-max-width", kApplied, "0", "0", kLargeObjects},
    {"property", "input-object-max-height", kApplied, "0", "0", kLargeObjects},
    {"property", "secondary-reinfer-interval", kApplied, "never again for classifiers", "0",
     "frames of a track after which it is looked at again. For embeddings and tensors, too; "
     "nvinfer runs those on each object of each frame"},
    {"property", "classifier-async-mode", kApplied, "0", "0",
     "frames do not wait for the network: a result goes onto the next frame's object of its track. "
     "Not for classifiers alone, and no result is lost"},
    {"property", "crop-objects-to-roi-boundary", kApplied, "0", "0",
     "boxes across roi-top-offset and roi-bottom-offset are cut, not dropped"},
    {"property", "onnx-file", kApplied, "none", "none", "the network"},
    {"property", "model-engine-file", kRefused, "none", "none",
     "a TensorRT plan belongs to the machine that made it, and is not read. onnx-file says which "
     "network runs"},
    {"property", "network-mode", kApplied, "0", "0",
     "2 float16 and 3 the fastest: on a GPU the network computes in float16, as with precision = "
     "fp16. Else, and with 0 float32 and 1 int8, it runs in the types of its file"},
    {"property", "int8-calib-file", kRefused, "none", "none",
     "a TensorRT calibration table. Quantise the ONNX file (QDQ nodes), or let the network run as "
     "it is"},
    {"property", "infer-dims", kApplied, "the model's", "the model's",
     "the shape of an input that the model leaves open. Without a network: of the tensor that is "
     "made"},
    {"property", "strongly-typed", kMeaningless, "0", "0",
     "networks run in the types of their ONNX file"},
    {"property", "dynamic-properties", kMeaningless, "none", "none",
     "builder options that nvinfer itself only prints"},
    {"property", "workspace-size", kMeaningless, "none", "none", "memory of TensorRT's builder"},
    {"property", "force-implicit-batch-dim", kMeaningless, "0", "0",
     "of TensorRT before version 10"},
    {"property", "layer-device-precision", kMeaningless, "none", "none", "of TensorRT's builder"},
    {"property", "output-io-formats", kRefused, "fp32:chw", "the model's",
     "outputs have the types that the ONNX file gives them. Leave the key out, and cast in the "
     "network if another type is needed"},
    {"property", "output-blob-names", kApplied, "all", "all", "the outputs that matter"},
    {"property", "enable-dla", kMeaningless, "0", "0", kDla},
    {"property", "use-dla-core", kMeaningless, "none", "none", kDla},
    {"property", "warmup-engine", kApplied, "0", "0",
     "runs of each batch size when the network is loaded, so that the first frames are as fast as "
     "later ones"},
    {"property", "stabilize-buffer-count", kApplied, "0", "0",
     "the first frames of each stream are passed on without being looked at (nvinfer drops them)"},
    {"property", "custom-network-config", kRefused, "none", "none", kCode},
    {"property", "engine-create-func-name", kRefused, "none", "none", kCode},
    {"property", "tlt-encoded-model", kRefused, "none", "none", kTao},
    {"property", "tlt-model-key", kRefused, "none", "none", kTao},
    {"property", "model-file", kRefused, "none", "none", kCaffe},
    {"property", "proto-file", kRefused, "none", "none", kCaffe},
    {"property", "uff-file", kRefused, "none", "none", kUff},
    {"property", "uff-input-order", kRefused, "none", "none", kUff},
    {"property", "uff-input-dims", kRefused, "none", "none", kUff},
    {"property", "input-dims", kRefused, "none", "none",
     "the old form for UFF models. Use infer-dims = c;h;w"},
    {"property", "uff-input-blob-name", kRefused, "none", "none", kUff},
    {"property", "net-scale-factor", kApplied, "1", "1", "the factor of (x - offsets)"},
    {"property", "offsets", kApplied, "0", "0", "the mean of each channel"},
    {"property", "mean-file", kApplied, "none", "none", "a PPM picture with a mean for each pixel"},
    {"property", "model-color-format", kApplied, "0", "rgb; gray for one channel",
     "0 rgb, 1 bgr, 2 gray"},
    {"property", "network-input-order", kApplied, "0", "the model's", kOrder},
    {"property", "maintain-aspect-ratio", kApplied, "0", "0", "pad instead of stretching"},
    {"property", "symmetric-padding", kApplied, "0", "0", "pad on both sides, not right and below"},
    {"property", "scaling-filter", kApplied, "6", "bilinear",
     "0 and 6 nearest, 1 bilinear, 3 and 5 area. 2 (cubic) and 4 (Lanczos) are refused: take 1 or "
     "3"},
    {"property", "scaling-compute-hw", kMeaningless, "0", "0", "which unit of a Jetson scales"},
    {"property", "input-tensor-from-meta", kApplied, "0", "0",
     "take tensors that another stage has attached"},
    {"property", "labelfile-path", kApplied, "none", "none",
     "labels, one a line; for classifiers a line for each attribute, separated by ;"},
    {"property", "num-detected-classes", kApplied, "0", "the network's", "the classes that count"},
    {"property", "cluster-mode", kApplied, "0", "nms",
     "0 groups rectangles, 1 DBSCAN, 2 nms, 3 DBSCAN then nms, 4 none. As nvinfer is built, 0 and "
     "a missing key are nms with IoU 0.5 and the best 20, and so they are with compat = "
     "deepstream"},
    {"property", "enable-dbscan", kApplied, "none", "none", "1 stands for cluster-mode = 1"},
    {"property", "classifier-type", kApplied, "none", "the output's name",
     "the name of the attribute"},
    {"property", "classifier-threshold", kApplied, "0", "0", "the least confidence of a label"},
    {"property", "segmentation-threshold", kApplied, "0", "0",
     "the least probability of a pixel, of objects' masks too; 0.5 for one class"},
    {"property", "segmentation-output-order", kApplied, "0", "0", kOrder},
    {"property", "output-instance-mask", kApplied, "0", "1", "whether objects get their masks"},
    {"property", "output-tensor-meta", kApplied, "0", "0",
     "attach the network's outputs to the frame or object"},
    {"property", "disable-output-host-copy", kRefused, "0", "0",
     "outputs are read on the host by whoever needs them. Leave the key out"},
    {"property", "tensor-meta-pool-size", kMeaningless, "2 or 6", "none", kPool},
    {"property", "auto-inc-mem", kMeaningless, "1", "none", kPool},
    {"property", "max-gpu-mem-per", kMeaningless, "99", "none", kPool},
    {"property", "custom-lib-path", kApplied, "none", "none",
     "the library that the parser is in, built from its sources with Sightline's headers"},
    {"property", "parse-bbox-func-name", kApplied, "built in", "built in",
     "the library's function that finds boxes. Beside model-family the library is passed over"},
    {"property", "parse-bbox-instance-mask-func-name", kApplied, "none", "none",
     "likewise, of boxes with masks (network-type 3)"},
    {"property", "parse-classifier-func-name", kApplied, "built in", "built in",
     "likewise, of labels"},
    {"property", "parse-segmentation-func-name", kApplied, "built in", "built in",
     "likewise, of a class for each pixel"},
    {"property", "parse-func", kMeaningless, "0", "none", "the old choice among built-in parsers"},
    {"property", "raw-output-file-write", kApplied, "0", "0",
     "write each output of each look to a file in the current folder, named as nvinfer names them"},
    {"property", "dump-input-tensor", kApplied, "0", "0",
     "write what the network sees to a file for each look in the current folder"},
    {"property", "dump-output-tensor", kApplied, "0", "0",
     "write the network's outputs to a file for each look in the current folder"},
    {"property", "overwrite-input-tensor", kApplied, "0", "0",
     "the network sees the contents of ip-tensor-file instead of the picture"},
    {"property", "ip-tensor-file", kApplied, "none", "none",
     "a file of exactly the bytes of one input"},
    {"property", "overwrite-output-tensor", kApplied, "0", "0",
     "the contents of op-tensor-files take the place of the outputs"},
    {"property", "op-tensor-files", kApplied, "none", "none",
     "a file for each output, each of exactly its bytes"},
    {"class-attrs", "pre-cluster-threshold", kApplied, "0.2", "0.2",
     "the least confidence before clustering"},
    {"class-attrs", "threshold", kApplied, "0.2", "0.2", "the old name of pre-cluster-threshold"},
    {"class-attrs", "post-cluster-threshold", kApplied, "0", "0",
     "the least confidence after clustering"},
    {"class-attrs", "nms-iou-threshold", kApplied, "0.3", "0.3",
     "a box goes if it overlaps a better one by more"},
    {"class-attrs", "eps", kApplied, "0", "0",
     "the radius of DBSCAN, or how alike grouped rectangles are"},
    {"class-attrs", "minBoxes", kApplied, "0", "0", "the fewest neighbours in DBSCAN"},
    {"class-attrs", "dbscan-min-score", kApplied, "0", "0",
     "the least sum of confidences in DBSCAN"},
    {"class-attrs", "group-threshold", kApplied, "0", "0", "the fewest rectangles of a group"},
    {"class-attrs", "topk", kApplied, "-1", "-1", "the most results of the class; -1: no limit"},
    {"class-attrs", "roi-top-offset", kApplied, "0", "0",
     "boxes that begin above this row of the frame are dropped; 0: no limit"},
    {"class-attrs", "roi-bottom-offset", kApplied, "0", "0",
     "boxes that reach into the last rows of the frame, so many, are dropped; 0: no limit"},
    {"class-attrs", "detected-min-w", kApplied, "0", "0", kSmallBoxes},
    {"class-attrs", "detected-min-h", kApplied, "0", "0", kSmallBoxes},
    {"class-attrs", "detected-max-w", kApplied, "0", "0", kLargeBoxes},
    {"class-attrs", "detected-max-h", kApplied, "0", "0", kLargeBoxes},
    {"class-attrs", "border-color", kApplied, "1;0;0;1", "the palette's",
     "the colour in which sightoverlay draws the boxes: red;green;blue;alpha, 0 to 1"},
    {"class-attrs", "bg-color", kApplied, "none", "none",
     "the colour with which sightoverlay fills the boxes"},
    {"property", "compat", kOwn, "", "own",
     "deepstream: nvinfer's defaults where the file says nothing. Implied by the property "
     "config-file-path"},
    {"property", "device", kOwn, "", "auto", "auto, cpu, cuda:0"},
    {"property", "precision", kOwn, "", "fp32", "fp32, or fp16: how a GPU computes"},
    {"property", "provider", kOwn, "", "cuda", "cuda, or tensorrt (not verified): what runs it"},
    {"property", "channels-last", kOwn, "", "0",
     "how values lie in a GPU's memory between convolutions of float32"},
    {"property", "engine-workers", kOwn, "", "measured", "runs side by side"},
    {"property", "engine-threads", kOwn, "", "measured", "threads within a run"},
    {"property", "model-family", kOwn, "", "by the network's outputs or network-type",
     "how the outputs are read"},
    {"property", "parser", kOwn, "", "none",
     "a parser with the interface of sightline/postprocess.h, in custom-lib-path"},
    {"property", "parser-options", kOwn, "", "none", "what is handed to that parser as it is"},
    {"property", "nms-class-agnostic", kOwn, "", "0",
     "with nms and hybrid: a box also suppresses those of other classes"},
    {"property", "labels", kOwn, "", "class 0, class 1, …", "names of the classes"},
    {"property", "crop", kOwn, "", "box", "box, square, aligned, oriented"},
    {"property", "crop-margin", kOwn, "", "0", "added to the box on each side"},
    {"property", "crop-rounding", kOwn, "", "none",
     "even: crops begin and end at even pixels, as nvinfer's"},
    {"property", "alignment", kOwn, "", "none", "where landmarks come to rest"},
    {"property", "alignment-zoom", kOwn, "", "1", "enlarges the template"},
    {"property", "mirror-average", kOwn, "", "0", "average with the mirror image"},
    {"property", "second-look", kOwn, "", "0", "look at large detections once more"},
    {"property", "std", kOwn, "", "1", "the standard deviation of each channel"},
    {"property", "normalization", kOwn, "", "fixed", "fixed or per-image"},
    {"property", "pad-value", kOwn, "", "114 with maintain-aspect-ratio, else 0",
     "the pixel value outside the picture"},
    {"property", "reinfer-warm-up", kOwn, "", "1", "so many views of a new track are looked at"},
    {"property", "reinfer-growth", kOwn, "", "0.2",
     "look again when the box has grown by this share"},
    {"property", "reinfer-sharper", kOwn, "", "0.5",
     "look again when the crop is sharper by this share"},
    {"property", "reinfer-frontal", kOwn, "", "0.3",
     "look again when the face has turned by this share"},
    {"property", "look-at-predicted", kOwn, "", "0",
     "whether objects are looked at that nobody saw in this frame"},
    {"property", "operate-on-labels", kOwn, "", "all", "only objects with these labels"},
    {"property", "roi", kOwn, "", "the frame",
     "left;top;width;height of one or more parts of the frame that are looked at"},
    {"property", "roi-units", kOwn, "", "pixels",
     "pixels, or relative: shares of the frame's width and height"},
    {"property", "tiles", kOwn, "", "none", "columns x rows in which each part is cut"},
    {"property", "tile-size", kOwn, "", "none", "width x height of tiles, in pixels of the frame"},
    {"property", "tile-overlap", kOwn, "", "0.2", "by which share of a tile neighbours overlap"},
    {"property", "tile-whole", kOwn, "", "1", "look at the whole part, too"},
    {"property", "tile-merge", kOwn, "", "0.5",
     "detections of two tiles that overlap by this share of the smaller one are one"},
    {"property", "tile-threshold", kOwn, "", "0",
     "the least confidence of what a tile shows, with tile-whole"},
    {"property", "tile-largest", kOwn, "", "0",
     "the largest height of what a tile shows, as a share of the tile's, with tile-whole; 0: no "
     "limit"},
    {"property", "attach-input-tensor", kOwn, "", "0",
     "attach what the network saw to the frame or object"},
    {"property", "input-tensor-name", kOwn, "", "the network input's name",
     "which tensor is taken with input-tensor-from-meta"},
    {"property", "input-tensor-gie-id", kOwn, "", "-1", "of which stage; -1: of any"},
    {"property", "clip-object-outside-roi", kOwn, "", "1",
     "with input-tensor-from-meta: detections are cut to the part that the tensor shows"},
    {"property", "unlabelled-classes", kOwn, "", "keep",
     "drop: classifications without a label are dropped, as nvinfer's"},
    {"property", "tensor-name", kOwn, "", "embedding; of a stage without a network, input",
     "the name of the tensor that is attached"},
    {"property", "tensor-data-type", kOwn, "", "float32",
     "of a stage without a network: float32, float16, uint8, int8"},
    {"property", "landmark-scale", kOwn, "", "unit", "unit or pixel"},
    {"property", "embedding-normalize", kOwn, "", "1", "scale the vector to length 1"},
    {"property", "head-sizes", kOwn, "", "none", "cuts the only output into heads"},
    {"property", "apply-softmax", kOwn, "", "0", "outputs are no probabilities yet"},
    {"property", "unclip-ratio", kOwn, "", "1.5", "how far a line of text is widened"},
    {"property", "dictionary-path", kOwn, "", "none", "the characters of a network that reads"},
    {"property", "regression-scale", kOwn, "", "1", kRegression},
    {"property", "regression-offset", kOwn, "", "0", kRegression},
};
// clang-format on

std::string count_of(KeyUse use) {
  return std::to_string(std::ranges::count(kKeys, use, &ConfigKey::use));
}

std::string row(const ConfigKey& key) {
  const auto cell = [](std::string_view text) { return std::string(text) + " | "; };
  return "| `" + std::string(key.name) + "` | " + cell(name_of(key.use)) + cell(key.nvinfer) +
         cell(key.own) + std::string(key.text) + " |\n";
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

const ConfigKey* find_config_key(std::string_view group, std::string_view name) {
  constexpr std::string_view kClass = "class-attrs";
  if (group.starts_with("class-attrs-")) group = kClass;
  const auto* const found = std::ranges::find_if(
      kKeys, [&](const ConfigKey& key) { return key.group == group && key.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

std::string_view name_of(KeyUse use) {
  switch (use) {
    case kApplied:
      return "applied";
    case kRefused:
      return "refused";
    case kMeaningless:
      return "no meaning here";
    case kOwn:
      break;
  }
  return "own";
}

std::string describe_config_keys() {
  std::string page =
      "# What becomes of nvinfer's keys\n\n"
      "Generated by `sightline config keys`; a test checks that they agree. Of the " +
      std::to_string(std::size(kKeys) -
                     static_cast<std::size_t>(std::ranges::count(kKeys, kOwn, &ConfigKey::use))) +
      " keys of nvinfer's files " + count_of(kApplied) + " are applied, " + count_of(kRefused) +
      " refused with what to use instead, and " + count_of(kMeaningless) +
      " have no meaning here: they are named once on the bus. `sightline config check FILE` says "
      "it of one file.\n\n"
      "A refused key is an error where nothing else says what to do, and a warning beside "
      "`onnx-file`.\n";
  for (const auto& [group, title] :
       {std::pair{"property", "`[property]`"},
        std::pair{"class-attrs", "`[class-attrs-all]`, `[class-attrs-N]`"}}) {
    page += "\n## " + std::string(title) +
            "\n\n| key | | nvinfer's default | default here | |\n| --- | --- | --- | --- | --- |\n";
    for (const ConfigKey& key : kKeys)
      if (key.group == group && key.use != kOwn) page += row(key);
  }
  page += "\n## Keys that nvinfer does not have\n\n| key | default | |\n| --- | --- | --- |\n";
  for (const ConfigKey& key : kKeys)
    if (key.use == kOwn)
      page += "| `" + std::string(key.name) + "` | " + std::string(key.own) + " | " +
              std::string(key.text) + " |\n";
  return page;
}

}  // namespace sightline
