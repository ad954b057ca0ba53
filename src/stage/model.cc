// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include <glib.h>

#include "core/data_paths.h"

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

NetworkShape network_shape(const Engine& engine, Size input) {
  NetworkShape shape{input, {}};
  for (const TensorInfo& output : engine.outputs())
    shape.outputs.push_back({output.name, output.type, output.shape});
  return shape;
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

}  // namespace

bool Selection::takes(const SightObject* object) const {
  if (stage_id >= 0 && sight_object_get_stage_id(object) != static_cast<guint>(stage_id))
    return false;
  if (!class_ids.empty() && !class_ids.contains(sight_object_get_class_id(object))) return false;
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
    crop.crop = kind->as_one_of<Crop>(
        {{"box", Crop::kBox}, {"square", Crop::kSquare}, {"aligned", Crop::kAligned}});
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
    if (symmetric && !keep_aspect) padding->fail("needs maintain-aspect-ratio = 1");
  }
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
    SightBox box;
    sight_object_get_box(object, &box);
    source = {box.x, box.y, box.width, box.height};
    if (source.empty()) return std::nullopt;
  }
  source = grown(source, margin);
  return Look{{Region::box(crop == Crop::kSquare ? squared(source) : source, spec.size, placement)},
              std::nullopt};
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
  if (mirror_memory_ == nullptr || engine_->gpu() != nullptr) return nullptr;
  return std::make_shared<MirrorPair>(*mirror_memory_, crop_.spec);
}

std::vector<Tensor> Model::combine(std::span<RunResult> runs) const {
  for (const RunResult& run : runs)
    if (!run.error.empty()) throw Error(ErrorCode::kFailed, run.error);
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

// Throws Error(kConfig) unless what the network says of an object holds wherever the object goes.
void Model::require_results_that_stay(const ConfigFile& config) const {
  const NetworkRole role = postprocessor_->role();
  const char* complaint =
      !selection_.objects ? "results of whole frames are of no track: process-mode = secondary"
      : role == NetworkRole::kDetector || role == NetworkRole::kLandmarks
          ? "places in the picture cannot be taken over to where the object is now: only for "
            "embeddings, classifications and raw tensors"
          : nullptr;
  if (complaint == nullptr) return;
  if (const auto interval = config.find(kProperty, "secondary-reinfer-interval"))
    interval->fail(complaint);
  throw Error(ErrorCode::kConfig,
              config.name() + ": the property secondary-reinfer-interval: " + complaint);
}

std::optional<int> Model::gpu(const std::filesystem::path& config_file,
                              const ModelOverrides& overrides) {
  std::string device = overrides.device;
  if (device.empty()) {
    const ConfigFile config = ConfigFile::read(config_file);
    const auto value = config.find(kProperty, "device");
    device = value ? value->text() : EngineOptions().device;
  }
  return find_gpu(device);
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& config_file,
                                         const ModelOverrides& overrides) {
  const ConfigFile config = ConfigFile::read(config_file);
  EngineOptions options = EngineOptions::from_config(config);
  if (!overrides.device.empty()) options.device = overrides.device;
  if (overrides.batch_size) options.batch_size = *overrides.batch_size;

  std::shared_ptr<Model> model(new Model);
  model->name_ = config_file.stem().string();
  if (const auto id = config.find(kProperty, "gie-unique-id"))
    model->unique_id_ = id->as_int(1, kAnyInt);
  if (const auto interval = config.find(kProperty, "interval"))
    model->interval_ = interval->as_int(0, kAnyInt);
  if (overrides.unique_id) model->unique_id_ = *overrides.unique_id;
  model->selection_ = read_selection(config);

  options.model = find_model(options.model);
  model->engine_ = Engine::open(options);
  const TensorSpec input = spec_of_input(model->engine_->input());
  model->crop_ = CropSpec::from_config(config, input);
  require_same_layout(config, input, model->crop_.spec);
  model->input_writer_ = InputWriter::make(model->crop_.spec, model->engine_->gpu());
  model->postprocessor_ = make_postprocessor(config, network_shape(*model->engine_, input.size));
  if (const auto mirror = config.find(kProperty, "mirror-average")) {
    model->mirror_average_ = mirror->as_bool();
    if (model->mirror_average_ && model->postprocessor_->role() != NetworkRole::kEmbedding)
      mirror->fail(
          "only the outputs of an embedding network can be averaged with those of the mirror "
          "image");
    if (model->mirror_average_ && can_mirror(model->crop_.spec))
      model->mirror_memory_ =
          std::make_unique<TensorPool>(model->crop_.spec.bytes_per_item(), kMirrorsKept);
  }
  if (const auto second = config.find(kProperty, "second-look")) {
    model->second_look_ = second->as_float(0, 1);
    if (model->postprocessor_->role() != NetworkRole::kDetector || model->selection_.objects)
      second->fail("only a detector that sees whole frames looks twice");
  }
  if (model->postprocessor_->role() == NetworkRole::kLandmarks && !model->selection_.objects)
    throw Error(
        ErrorCode::kConfig,
        config.name() +
            ": landmarks belong to objects: process-mode = secondary is missing in [property]");
  model->reinfer_rule_ = ReinferRule::from_config(config);
  if (overrides.reinfer_interval) model->reinfer_rule_.interval = *overrides.reinfer_interval;
  if (model->reinfer_rule_.takes_over()) model->require_results_that_stay(config);
  config.reject_unknown();

  model->fingerprint_.id = sha256(model->engine_->model_sha256() + '\n' + model->crop_.canonical() +
                                  (model->mirror_average_ ? " mirror" : ""));
  model->fingerprint_.name = model->name_;
  if (model->postprocessor_->role() == NetworkRole::kEmbedding)
    model->fingerprint_.dimensions =
        static_cast<int>(element_count(model->engine_->outputs().front().shape));
  return model;
}

}  // namespace sightline
