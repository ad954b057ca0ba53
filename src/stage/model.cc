// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/model.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <sstream>

#include <glib.h>

#include "core/data_paths.h"
#include "postprocess/nvinfer_rules.h"
#include "sightline/shape.h"
#include "stage/foreign_plugins.h"

namespace sightline {

namespace {

constexpr const char* kProperty = "property";
constexpr int kAnyInt = std::numeric_limits<int>::max();

Selection read_selection(const ConfigFile& config) {
  Selection selection;
  if (const auto mode = config.find(kProperty, "process-mode"))
    selection.objects =
        mode->as_one_of<bool>({{"1", false}, {"primary", false}, {"2", true}, {"secondary", true}});
  if (const auto id = config.find(kProperty, "operate-on-gie-id"))
    selection.stage_id = id->as_int(-1, kAnyInt);
  if (const auto ids = config.find(kProperty, "operate-on-class-ids")) {
    const auto values = ids->as_ints();
    selection.class_ids = {values.begin(), values.end()};
  }
  if (const auto labels = config.find(kProperty, "operate-on-labels")) {
    const auto names = labels->as_strings();
    selection.labels = {names.begin(), names.end()};
  }
  const auto pixels = [&](const char* key, int& value) {
    if (const auto given = config.find(kProperty, key)) value = given->as_int(0, kAnyInt);
  };
  if (const auto predicted = config.find(kProperty, "look-at-predicted"))
    selection.predicted = predicted->as_bool();
  pixels("input-object-min-width", selection.minimum.width);
  pixels("input-object-min-height", selection.minimum.height);
  pixels("input-object-max-width", selection.maximum.width);
  pixels("input-object-max-height", selection.maximum.height);
  return selection;
}

// Size, layout and type as the network's image input has them. Throws Error(kModel) if it is no
// image.
TensorSpec spec_of_input(const TensorInfo& input) {
  TensorSpec spec;
  spec.type = input.type;
  const Shape& shape = input.shape;
  const auto is_channels = [](std::int64_t n) { return n == 1 || n == 3; };
  if (shape.size() == 3 && (is_channels(shape[0]) || is_channels(shape[2]))) {
    spec.layout = is_channels(shape[0]) ? Layout::kNchw : Layout::kNhwc;
    const bool planar = spec.layout == Layout::kNchw;
    const auto height = shape[planar ? 1 : 0], width = shape[planar ? 2 : 1],
               channels = shape[planar ? 0 : 2];
    if (width > 0 && height > 0 && width <= 16384 && height <= 16384) {
      spec.size = {static_cast<int>(width), static_cast<int>(height)};
      spec.channels = channels == 1 ? Channels::kGray : Channels::kRgb;
      return spec;
    }
  }
  throw Error(ErrorCode::kModel,
              "the network's input \"" + input.name + "\" is " + to_string(shape) +
                  " for one item, expected an image [3,h,w], [1,h,w], [h,w,3] or [h,w,1]");
}

void require_same_layout(const ConfigFile& config, const TensorSpec& model,
                         const TensorSpec& chosen) {
  if (model.layout != chosen.layout)
    config.get(kProperty, "network-input-order")
        .fail(std::string("the network's input is ") +
              (model.layout == Layout::kNchw ? "nchw" : "nhwc"));
  if (model.channel_count() != chosen.channel_count())
    config.get(kProperty, "model-color-format")
        .fail("the network's input has " + std::to_string(model.channel_count()) + " channels");
}

std::string sha256(const std::string& text) {
  char* digest = g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(text.data()), text.size());
  std::string result = digest;
  g_free(digest);
  return result;
}

NetworkShape network_shape(const Engine& engine, const TensorSpec& input) {
  NetworkShape shape{input.size, {}, input.channel_count()};
  for (const TensorInfo& output : engine.outputs())
    shape.outputs.push_back({output.name, output.type, output.shape});
  return shape;
}

// A picture's tensor for a stage that has no network to say what it wants.
TensorSpec spec_without_network(const ConfigFile& config) {
  const ConfigValue dims = config.get(kProperty, "infer-dims");
  const std::vector<int> numbers = dims.as_ints();
  const bool fits = numbers.size() == 3 && (numbers[0] == 1 || numbers[0] == 3) &&
                    std::min(numbers[1], numbers[2]) > 0 &&
                    std::max(numbers[1], numbers[2]) <= 16384;
  if (!fits)
    dims.fail(
        "without a network (onnx-file) expected channels;height;width of the tensor that is "
        "made, as in 3;112;112");
  TensorSpec spec;
  spec.channels = numbers[0] == 1 ? Channels::kGray : Channels::kRgb;
  spec.size = {numbers[2], numbers[1]};
  if (const auto type = config.find(kProperty, "tensor-data-type"))
    spec.type = type->as_one_of<ElementType>({{"float32", ElementType::kFloat32},
                                              {"float16", ElementType::kFloat16},
                                              {"uint8", ElementType::kUint8},
                                              {"int8", ElementType::kInt8}});
  return spec;
}

// What a stage without a network says of its tensor: nothing but that it is there.
class MadeTensors final : public Postprocessor {
 public:
  NetworkRole role() const override { return NetworkRole::kRaw; }
  Results decode(std::span<const Tensor> outputs) const override {
    Results results;
    results.tensors.assign(outputs.begin(), outputs.end());
    return results;
  }
};

Tensor without_data(const TensorInfo& info) {
  return {info.name, info.type, info.shape, MemoryKind::kHost, nullptr, nullptr};
}

// The crop that nvinfer takes: its corner at even pixels at or behind the box's, its size even.
Rect at_even_pixels(const Rect& box) {
  const auto up = [](float value) { return std::ceil(std::trunc(value) / 2) * 2; };
  const auto down = [](float value) { return std::max(std::floor(value / 2) * 2, 2.f); };
  return {up(box.x), up(box.y), down(box.width), down(box.height)};
}

Rect grown(const Rect& box, float margin) {
  return {box.x - margin * box.width, box.y - margin * box.height, box.width * (1 + 2 * margin),
          box.height * (1 + 2 * margin)};
}

Rect squared(const Rect& box) {
  const float side = std::max(box.width, box.height);
  return {box.center().x - side / 2, box.center().y - side / 2, side, side};
}

// Enlarges a template about the centre of its crop: more of the face, less around it.
void zoom_template(AlignmentTemplate& target, float zoom) {
  const Point centre{static_cast<float>(target.size.width) / 2,
                     static_cast<float>(target.size.height) / 2};
  for (Point& p : target.points)
    p = {centre.x + zoom * (p.x - centre.x), centre.y + zoom * (p.y - centre.y)};
}

// Blocks for mirror images that stay resident: more are in use while a frame has many faces.
constexpr std::size_t kMirrorsKept = 8;

// The same region as a mirror shows it.
Region mirrored(const Region& region, Size tensor) {
  const auto width = static_cast<float>(tensor.width);
  Region result = region;
  result.to_frame = region.to_frame * Affine2{-1, 0, width, 0, 1, 0};
  if (result.content) result.content->x = width - region.content->right();
  return result;
}

// Where the model is; a complaint names the line that asks for it.
std::filesystem::path model_named_by(const ConfigFile& config, const std::filesystem::path& model) {
  try {
    return find_model(model);
  } catch (const Error& error) {
    throw Error(error.code(), config.get(kProperty, "onnx-file").where() + ": " + error.what());
  }
}

}  // namespace

bool Selection::takes(const SightObject* object) const {
  if (stage_id >= 0 && sight_object_get_stage_id(object) != static_cast<guint>(stage_id))
    return false;
  if (!class_ids.empty() && !class_ids.contains(sight_object_get_class_id(object))) return false;
  const char* const label = sight_object_get_label(object);
  if (!labels.empty() && !labels.contains(label == nullptr ? "" : label)) return false;
  SightBox box;
  sight_object_get_box(object, &box);
  const auto within = [](float value, int low, int high) {
    return value >= static_cast<float>(low) && (high == 0 || value <= static_cast<float>(high));
  };
  return within(box.width, minimum.width, maximum.width) &&
         within(box.height, minimum.height, maximum.height);
}

Model::CropSpec Model::CropSpec::from_config(const ConfigFile& config, const TensorSpec& defaults) {
  CropSpec crop;
  crop.spec = TensorSpec::from_config(config, defaults);
  if (const auto alignment = config.find(kProperty, "alignment")) {
    try {
      crop.alignment = AlignmentTemplate::parse(alignment->text(), crop.spec.size);
    } catch (const Error& error) {
      alignment->fail(error.what());
    }
    crop.crop = Crop::kAligned;
  }
  if (const auto kind = config.find(kProperty, "crop")) {
    crop.crop = kind->as_one_of<Crop>({{"box", Crop::kBox},
                                       {"square", Crop::kSquare},
                                       {"aligned", Crop::kAligned},
                                       {"oriented", Crop::kOriented}});
    if (crop.crop == Crop::kAligned && !crop.alignment)
      kind->fail("needs the key alignment: dlib-150, arcface-112 or five points");
    if (crop.crop != Crop::kAligned && crop.alignment) kind->fail("contradicts the key alignment");
  }
  if (const auto margin = config.find(kProperty, "crop-margin")) {
    if (crop.crop == Crop::kAligned)
      margin->fail("an aligned crop has no margin: its template says what is seen");
    crop.margin = margin->as_float(-0.45f, 10);
  }
  bool keep_aspect = false, symmetric = false;
  if (const auto keep = config.find(kProperty, "maintain-aspect-ratio"))
    keep_aspect = keep->as_bool();
  if (const auto padding = config.find(kProperty, "symmetric-padding")) {
    symmetric = padding->as_bool();
    if (symmetric && !keep_aspect)
      complain_or_remark(config, *padding, "needs maintain-aspect-ratio = 1");
  }
  // Black beside the picture is an edge that networks see.
  if (keep_aspect && !config.find(kProperty, "pad-value")) crop.spec.pad_value = {114, 114, 114};
  if (const auto rounding = config.find(kProperty, "crop-rounding"))
    crop.even = rounding->as_one_of<bool>({{"none", false}, {"even", true}});
  if (crop.even && crop.crop == Crop::kOriented)
    config.find(kProperty, "crop-rounding")->fail("a turned crop has no even pixels to begin at");
  if (const auto zoom = config.find(kProperty, "alignment-zoom")) {
    if (!crop.alignment) zoom->fail("needs the key alignment");
    zoom_template(*crop.alignment, zoom->as_float(0.1f, 10));
  }
  crop.placement = !keep_aspect ? Placement::kStretch
                   : symmetric  ? Placement::kLetterboxCentered
                                : Placement::kLetterbox;
  return crop;
}

std::optional<Look> Model::CropSpec::look(Size frame, const SightObject* object) const {
  if (crop == Crop::kAligned) return object == nullptr ? std::nullopt : aligned_look(object);
  Rect source{0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)};
  if (object != nullptr) {
    const SightPoint* corners = sight_object_get_corners(object);
    if (crop == Crop::kOriented && corners != nullptr)
      return oriented_look({corners, SIGHT_N_CORNERS});
    SightBox box;
    sight_object_get_box(object, &box);
    source = {box.x, box.y, box.width, box.height};
    if (source.empty()) return std::nullopt;
  }
  return look_at(source);
}

Look Model::CropSpec::look_at(const Rect& box) const {
  Rect source = grown(box, margin);
  if (crop == Crop::kSquare) source = squared(source);
  if (even) source = at_even_pixels(source);
  return Look{{Region::box(source, spec.size, placement)}, std::nullopt};
}

// Of the box as it would lie level about its centre, then turned: its top side as the first two
// corners have it.
Look Model::CropSpec::oriented_look(std::span<const SightPoint> corners) const {
  const auto length = [](const SightPoint& from, const SightPoint& to) {
    return std::hypot(to.x - from.x, to.y - from.y);
  };
  const float width = length(corners[0], corners[1]), height = length(corners[1], corners[2]);
  const float x = (corners[0].x + corners[2].x) / 2, y = (corners[0].y + corners[2].y) / 2;
  Look look = look_at({x - width / 2, y - height / 2, width, height});
  const double angle = std::atan2(corners[1].y - corners[0].y, corners[1].x - corners[0].x);
  const double c = std::cos(angle), s = std::sin(angle);
  const Affine2 turn =
      Affine2::translation(x, y) * Affine2{c, -s, 0, s, c, 0} * Affine2::translation(-x, -y);
  look.regions.front().to_frame = turn * look.regions.front().to_frame;
  return look;
}

std::optional<Look> Model::CropSpec::aligned_look(const SightObject* object) const {
  guint count = 0;
  const SightPoint* landmarks = sight_object_get_landmarks(object, &count);
  std::vector<Point> points;
  for (guint i = 0; i < count; ++i) points.push_back({landmarks[i].x, landmarks[i].y});
  try {
    const Region region = alignment->region(points, spec.size);
    return Look{{region}, alignment_quality(*alignment, points, region, spec.size)};
  } catch (const Error&) {
    return std::nullopt;  // no landmarks, or all in one place
  }
}

std::string Model::CropSpec::canonical() const {
  std::ostringstream text;
  text << spec.size.width << 'x' << spec.size.height << ' ' << static_cast<int>(spec.channels)
       << ' ' << static_cast<int>(spec.layout) << ' ' << name_of(spec.type) << ' '
       << static_cast<int>(spec.filter) << ' ' << static_cast<int>(spec.normalization) << ' '
       << spec.scale;
  for (const auto& values : {spec.mean, spec.deviation, spec.pad_value})
    for (const float value : values) text << ' ' << value;
  for (const float value : spec.mean_image) text << ' ' << value;
  text << ' ' << static_cast<int>(crop) << ' ' << margin << ' ' << static_cast<int>(placement);
  if (even) text << " even";
  if (alignment) {
    text << ' ' << alignment->size.width << 'x' << alignment->size.height;
    for (const Point p : alignment->points) text << ' ' << p.x << ',' << p.y;
  }
  return text.str();
}

std::optional<Look> Model::look(Size frame, const SightObject* object) const {
  std::optional<Look> look = crop_.look(frame, object);
  if (look && mirror_average_)
    look->regions.push_back(mirrored(look->regions.front(), crop_.spec.size));
  return look;
}

std::shared_ptr<MirrorPair> Model::mirror_pair() const {
  if (mirror_memory_ == nullptr || runs_on_gpu()) return nullptr;
  return std::make_shared<MirrorPair>(*mirror_memory_, crop_.spec);
}

std::vector<Look> Model::looks(Size frame) const {
  std::vector<Look> looks;
  if (parts_.is_whole_frame()) {
    if (auto whole = look(frame, nullptr)) looks.push_back(std::move(*whole));
    return looks;
  }
  for (const Rect& part : parts_.of(frame)) {
    looks.push_back(crop_.look_at(part));
    looks.back().part = part;
  }
  return looks;
}

Shape Model::input_shape() const {
  const TensorSpec& spec = crop_.spec;
  const std::int64_t channels = spec.channel_count();
  return spec.layout == Layout::kNchw ? Shape{channels, spec.size.height, spec.size.width}
                                      : Shape{spec.size.height, spec.size.width, channels};
}

void Model::add_outputs(std::vector<Tensor> outputs, RegionResults& found) const {
  const NetworkRole role = postprocessor_->role();
  if (role == NetworkRole::kRaw) return;  // they are the results
  if (role == NetworkRole::kDetector) {
    found.outputs = std::move(outputs);
    return;
  }
  for (Tensor& output : outputs) found.results.tensors.push_back(std::move(output));
}

void Model::drop_unwanted(Results& results) const {
  if (!drops_unlabelled_) return;
  std::erase_if(results.classifications,
                [&](const Classification& c) { return !has_labels_ || c.label.empty(); });
}

void Model::ask_for_outputs(Request& request) const {
  request.keep_large_outputs =
      (tensor_wishes_.outputs || postprocessor_->role() == NetworkRole::kRaw) &&
      !tensor_files_.wants_outputs();
  if (output_screen_ != nullptr) request.reader = output_screen_->reader();
}

std::vector<Tensor> Model::combine(std::span<RunResult> runs) const {
  for (const RunResult& run : runs)
    if (!run.error.empty()) throw Error(ErrorCode::kFailed, run.error);
  if (runs.front().is_read) return output_screen_->restore(runs.front().outputs);
  if (runs.size() == 1) return std::move(runs.front().outputs);

  std::vector<Tensor> means;
  for (std::size_t output = 0; output < runs.front().outputs.size(); ++output) {
    const Tensor& first = runs[0].outputs[output];
    const auto a = first.floats(), b = runs[1].outputs[output].floats();
    std::vector<float> mean(a.size());
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (a[i] + b[i]) / 2;
    means.push_back(Tensor::copy_of(first.name, first.shape, mean));
  }
  return means;
}

bool Model::require_objects(const ConfigFile& config, const char* key) const {
  if (!selection_.objects)
    complain_or_remark(config, config.get(kProperty, key),
                       "results of whole frames are of no track: process-mode = secondary");
  return selection_.objects;
}

std::optional<int> Model::gpu(const std::filesystem::path& config_file,
                              const ModelOverrides& overrides) {
  const ConfigFile config = Configuration::read(config_file, overrides).file;
  if (!config.peek(kProperty, "onnx-file")) return std::nullopt;
  return find_gpu(EngineOptions::from_config(config).device);
}

void Model::require_places_for_objects(const ConfigFile& config) const {
  const NetworkRole role = postprocessor_->role();
  if (role == NetworkRole::kLandmarks && !selection_.objects)
    throw Error(
        ErrorCode::kConfig,
        config.name() +
            ": landmarks belong to objects: process-mode = secondary is missing in [property]");
  if (parts_.is_whole_frame()) return;
  const auto fail = [&](const std::string& complaint) {
    for (const char* key : {"tiles", "tile-size", "roi"})
      if (const auto value = config.find(kProperty, key)) value->fail(complaint);
  };
  if (selection_.objects)
    fail("parts of the frame are for whole frames, and process-mode = secondary looks at objects");
  if (crop_.crop == Crop::kAligned) fail("an aligned crop is of an object");
  if (crop_.crop == Crop::kOriented) fail("an oriented box is an object's");
  if (role != NetworkRole::kDetector && has_network())
    fail(
        "only what has a place in the frame can be found in parts of it: detectors, and stages "
        "without a network");
}

void Model::open_network(Configuration& configuration) {
  const ConfigFile& config = configuration.file;
  EngineOptions options = EngineOptions::from_config(config);
  options.model = model_named_by(config, options.model);
  engine_ = Engine::open(options);
  input_name_ = engine_->input().name;
  const TensorSpec input = spec_of_input(engine_->input());
  crop_ = CropSpec::from_config(config, input);
  require_same_layout(config, input, crop_.spec);
  input_writer_ = InputWriter::make(crop_.spec, engine_->gpu());
  const NetworkShape network = network_shape(*engine_, input);
  configuration.choose_family(network);
  load_foreign_families(config);
  postprocessor_ = make_postprocessor(config, network);
}

void Model::make_tensors_only(const ConfigFile& config) {
  if (!config.find(kProperty, "infer-dims"))
    throw Error(ErrorCode::kConfig,
                config.name() +
                    ": the key onnx-file is missing in group [property]. A stage without a network "
                    "makes tensors, and needs infer-dims = channels;height;width");
  // What says where and how networks run may be said of all stages.
  for (const char* key : {"device", "gpu-id", "batch-size"}) config.find(kProperty, key);
  crop_ = CropSpec::from_config(config, spec_without_network(config));
  input_name_ = "input";
  if (const auto name = config.find(kProperty, "tensor-name")) {
    input_name_ = name->text();
    if (input_name_.empty()) name->fail("expected a name");
  }
  input_writer_ = InputWriter::make(crop_.spec, nullptr);
  postprocessor_ = std::make_unique<MadeTensors>();
}

void Model::read_averaging(const ConfigFile& config) {
  if (const auto mirror = config.find(kProperty, "mirror-average")) {
    mirror_average_ = mirror->as_bool();
    if (mirror_average_ && postprocessor_->role() != NetworkRole::kEmbedding)
      mirror->fail(
          "only the outputs of an embedding network can be averaged with those of the mirror "
          "image");
    if (mirror_average_ && can_mirror(crop_.spec))
      mirror_memory_ = std::make_unique<TensorPool>(crop_.spec.bytes_per_item(), kMirrorsKept);
  }
  if (const auto second = config.find(kProperty, "second-look")) {
    second_look_ = second->as_float(0, 1);
    if (second_look_ > 0 &&
        (postprocessor_->role() != NetworkRole::kDetector || selection_.objects))
      second->fail("only a detector that sees whole frames looks twice");
  }
}

// When the network looks, and when its results are used again.
void Model::read_repetition(const ConfigFile& config) {
  if (const auto interval = config.find(kProperty, "interval"))
    interval_ = interval->as_int(0, kAnyInt);
  if (const auto frames = config.find(kProperty, "stabilize-buffer-count"))
    frames_to_settle_ = frames->as_int(0, kAnyInt);
  reinfer_rule_ = ReinferRule::from_config(config);
  if (reinfer_rule_.takes_over() && !require_objects(config, "secondary-reinfer-interval"))
    reinfer_rule_ = {};
  if (const auto mode = config.find(kProperty, "classifier-async-mode")) {
    asynchronous_ = mode->as_bool() && require_objects(config, "classifier-async-mode");
    if (!asynchronous_) return;
    if (!has_network()) mode->fail("needs a network (onnx-file)");
    const NetworkRole role = postprocessor_->role();
    if (role != NetworkRole::kDetector && role != NetworkRole::kLandmarks) return;
    complain_or_remark(
        config, *mode,
        "places in the picture cannot come later than the picture: only for embeddings, "
        "classifications and raw tensors");
    asynchronous_ = false;
  }
}

void Model::read_tensors(const ConfigFile& config) {
  const auto is_on = [&](const char* key) {
    const auto value = config.find(kProperty, key);
    return value && value->as_bool();
  };
  tensor_source_ = TensorSource::from_config(config, input_name_);
  if (tensor_source_ && mirror_average_)
    config.get(kProperty, "mirror-average")
        .fail("needs the picture, and input-tensor-from-meta takes ready tensors");
  tensor_wishes_ = {is_on("output-tensor-meta"), is_on("attach-input-tensor")};
  if (!has_network()) {
    if (tensor_source_)
      config.get(kProperty, "input-tensor-from-meta").fail("needs a network (onnx-file)");
    tensor_wishes_ = {};  // what it makes is attached anyway
    return;
  }
  std::vector<Tensor> outputs;
  for (const TensorInfo& output : engine_->outputs()) outputs.push_back(without_data(output));
  tensor_files_ = TensorFiles::from_config(config, without_data(engine_->input()), outputs);
  if (!tensor_wishes_.outputs && !tensor_files_.wants_outputs())
    output_screen_ =
        OutputScreen::make(*engine_, *postprocessor_, network_shape(*engine_, crop_.spec));
  if (asynchronous_ && (tensor_source_ || tensor_wishes_.inputs || tensor_files_.wants_input() ||
                        tensor_files_.wants_outputs()))
    config.get(kProperty, "classifier-async-mode")
        .fail(
            "frames leave before the network sees them: not with input-tensor-from-meta, "
            "attach-input-tensor, and tensors that are written to files or come from there");
}

// A classifier that was given no labels names its classes by number; for nvinfer that is no label.
void Model::read_labelling(const ConfigFile& config) {
  const auto rule = config.find(kProperty, "unlabelled-classes");
  drops_unlabelled_ = rule && rule->as_one_of<bool>({{"keep", false}, {"drop", true}}) &&
                      postprocessor_->role() == NetworkRole::kClassifier;
  // A parser of a library gives labels itself.
  has_labels_ =
      config.peek(kProperty, "custom-lib-path") && !config.peek(kProperty, "model-family");
  for (const char* key : {"labels", "labelfile-path"})
    has_labels_ = has_labels_ || config.peek(kProperty, key);
}

// Runs of each size of batch, so that whatever the runtime prepares at a first run is there.
void Model::warm_up(const ConfigFile& config) const {
  const auto wanted = config.find(kProperty, "warmup-engine");
  if (!wanted || !wanted->as_bool() || !has_network()) return;
  for (int size = 1; size <= engine_->max_batch(); ++size) {
    std::vector<std::promise<std::string>> problems(static_cast<std::size_t>(size));
    std::vector<Request> requests;
    for (auto& problem : problems)
      requests.push_back({[](std::span<std::byte> item) { std::ranges::fill(item, std::byte{0}); },
                          [&problem](RunResult&& result) { problem.set_value(result.error); }});
    engine_->submit(std::move(requests));
    for (auto& problem : problems)
      if (const std::string text = problem.get_future().get(); !text.empty())
        throw Error(ErrorCode::kModel, config.name() + ": a run to warm up failed: " + text);
  }
}

void Model::take_fingerprint() {
  fingerprint_.id = sha256(engine_->model_sha256() + '\n' + crop_.canonical() +
                           (mirror_average_ ? " mirror" : ""));
  fingerprint_.name = name_;
  if (postprocessor_->role() == NetworkRole::kEmbedding)
    fingerprint_.dimensions = static_cast<int>(element_count(engine_->outputs().front().shape));
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& config_file,
                                         const ModelOverrides& overrides) {
  Configuration configuration = Configuration::read(config_file, overrides);
  const ConfigFile& config = configuration.file;
  std::shared_ptr<Model> model(new Model);
  model->config_file_ = config_file.string();
  model->name_ = config_file.stem().string();
  if (const auto id = config.find(kProperty, "gie-unique-id"))
    model->unique_id_ = id->as_int(1, kAnyInt);
  model->selection_ = read_selection(config);
  model->parts_ = FrameParts::from_config(config);
  if (config.find(kProperty, "onnx-file"))
    model->open_network(configuration);
  else
    model->make_tensors_only(config);
  model->require_places_for_objects(config);
  model->read_averaging(config);
  model->read_repetition(config);
  model->read_tensors(config);
  model->colors_ = ClassColors::from_config(config);
  model->read_labelling(config);
  model->warm_up(config);
  configuration.reject_unknown();
  model->notes_ = configuration.notes;
  model->warnings_ = configuration.warnings;
  if (model->has_network()) model->take_fingerprint();
  return model;
}

}  // namespace sightline
