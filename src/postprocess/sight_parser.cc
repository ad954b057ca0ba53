// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers with the interface of include/sightline/postprocess.h.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "postprocess/class_map.h"
#include "postprocess/foreign_detector.h"
#include "postprocess/foreign_parsers.h"
#include "postprocess/labels.h"
#include "postprocess/outputs.h"
#include "sightline/postprocess.h"

namespace sightline {

namespace {

constexpr std::size_t kLargestTensor = std::size_t{1} << 30, kMostLabels = 4096;
constexpr std::size_t kMostDimensions = 32;

static_assert(static_cast<int>(SIGHT_PARSER_FLOAT32) == static_cast<int>(ElementType::kFloat32) &&
              static_cast<int>(SIGHT_PARSER_BOOL) == static_cast<int>(ElementType::kBool));

NetworkRole role_of(const SightParser& parser) {
  switch (parser.kind) {
    case SIGHT_PARSER_DETECTOR:
      return NetworkRole::kDetector;
    case SIGHT_PARSER_CLASSIFIER:
      return NetworkRole::kClassifier;
    case SIGHT_PARSER_SEGMENTATION:
      return NetworkRole::kSegmentation;
    case SIGHT_PARSER_LANDMARKS:
      return NetworkRole::kLandmarks;
    default:
      return NetworkRole::kRaw;
  }
}

// What `symbol` stands for in the library. Throws Error(kConfig).
const SightParser& find_parser(const ParserLibrary& library, const ConfigValue& symbol) {
  const void* const found = library.get(symbol);
  const std::string what = symbol.text() + " of " + library.name();
  decltype(SightParser::magic) magic;  // it may be a function, anywhere
  std::memcpy(&magic, found, sizeof magic);
  const auto* const parser = static_cast<const SightParser*>(found);
  if (magic != SIGHT_PARSER_MAGIC ||
      reinterpret_cast<std::uintptr_t>(found) % alignof(SightParser) != 0)
    symbol.fail(what +
                " is no SightParser. Functions for DeepStream are named by parse-bbox-func-name, "
                "parse-classifier-func-name and the like");
  if (parser->abi != SIGHT_PARSER_ABI)
    symbol.fail(what + " has version " + std::to_string(parser->abi) +
                " of the interface, expected " + std::to_string(SIGHT_PARSER_ABI) +
                ". Build it with this version's sightline/postprocess.h");
  if (parser->struct_size < sizeof(SightParser))
    symbol.fail(what + " is of " + std::to_string(parser->struct_size) + " bytes, expected " +
                std::to_string(sizeof(SightParser)) + " at least");
  if (parser->kind < SIGHT_PARSER_DETECTOR || parser->kind > SIGHT_PARSER_TENSORS)
    symbol.fail(what + " is of kind " + std::to_string(parser->kind) + ", which there is not");
  if (parser->parse == nullptr) symbol.fail(what + " has no function to parse with");
  return *parser;
}

// A network as a parser sees it.
class SeenNetwork {
 public:
  // Without data.
  SeenNetwork(const NetworkShape& shape, const SightParserNetwork& facts) : facts_(facts) {
    for (const NetworkShape::Output& output : shape.outputs)
      tensors_.push_back({output.name.c_str(), static_cast<std::int32_t>(output.type),
                          static_cast<std::uint32_t>(output.shape.size()), output.shape.data(),
                          nullptr, 0});
    finish(shape);
  }
  // With the outputs of one item.
  SeenNetwork(const NetworkShape& shape, const SightParserNetwork& facts,
              std::span<const Tensor> outputs)
      : facts_(facts) {
    check_outputs(outputs, shape);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      tensors_.push_back({shape.outputs[i].name.c_str(), static_cast<std::int32_t>(outputs[i].type),
                          static_cast<std::uint32_t>(outputs[i].shape.size()),
                          outputs[i].shape.data(), outputs[i].on_host(), outputs[i].bytes()});
    finish(shape);
  }
  SeenNetwork(const SeenNetwork&) = delete;
  SeenNetwork& operator=(const SeenNetwork&) = delete;

  const SightParserNetwork* get() const { return &facts_; }

 private:
  void finish(const NetworkShape& shape) {
    facts_.struct_size = sizeof facts_;
    facts_.input_width = static_cast<std::uint32_t>(shape.input.width);
    facts_.input_height = static_cast<std::uint32_t>(shape.input.height);
    facts_.input_channels = static_cast<std::uint32_t>(shape.channels);
    facts_.n_outputs = static_cast<std::uint32_t>(tensors_.size());
    facts_.outputs = tensors_.data();
  }

  std::vector<SightParserTensor> tensors_;
  SightParserNetwork facts_;
};

// Takes what a parser says, and keeps the first complaint about it. Nothing of it throws, since
// there is somebody else's code above it.
class Taker : public SightParserResults {
 public:
  Taker() : SightParserResults{} {
    struct_size = sizeof(SightParserResults);
    SightParserResults::add_object = [](SightParserResults* self, const SightParserObject* object) {
      return take(self, [&](Taker& taker) { taker.object(object); });
    };
    SightParserResults::add_label = [](SightParserResults* self, const char* attribute,
                                       const char* label, std::int32_t class_id, float sure) {
      return take(self, [&](Taker& taker) { taker.label(attribute, label, class_id, sure); });
    };
    SightParserResults::add_tensor = [](SightParserResults* self, const SightParserTensor* tensor) {
      return take(self, [&](Taker& taker) { taker.tensor(tensor); });
    };
    SightParserResults::set_landmarks = [](SightParserResults* self, std::uint32_t count,
                                           const SightParserPoint* points) {
      return take(self, [&](Taker& taker) { taker.landmarks(count, points); });
    };
    SightParserResults::set_segmentation = [](SightParserResults* self, std::uint32_t width,
                                              std::uint32_t height, const std::int32_t* classes,
                                              const float* confidences) {
      return take(self,
                  [&](Taker& taker) { taker.segmentation(width, height, classes, confidences); });
    };
    SightParserResults::fail = [](SightParserResults* self, const char* sentence) {
      take(self, [&](Taker& taker) { taker.sentence_ = sentence == nullptr ? "" : sentence; });
    };
  }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;
  virtual ~Taker() = default;

  // To be called with what open() or parse() returned. Throws Error(kModel).
  void require_success(const ForeignParser& parser, const char* function, int returned) const {
    if (!complaint_.empty()) throw Error(ErrorCode::kModel, complaint_);
    if (returned == 0) return;
    parser.fail(std::string(function) + "() " +
                (sentence_.empty() ? "returned " + std::to_string(returned) + ", which is failure"
                                   : "failed: " + sentence_));
  }

 protected:
  // Each throws Error if it does not take what it is given.
  virtual void object(const SightParserObject*) { refuse("objects"); }
  virtual void label(const char*, const char*, std::int32_t, float) { refuse("labels"); }
  virtual void tensor(const SightParserTensor*) { refuse("tensors"); }
  virtual void landmarks(std::uint32_t, const SightParserPoint*) { refuse("landmarks"); }
  virtual void segmentation(std::uint32_t, std::uint32_t, const std::int32_t*, const float*) {
    refuse("segmentation");
  }
  [[noreturn]] virtual void refuse(const char* what) const {
    throw Error(ErrorCode::kModel, std::string(what) + " are not taken here");
  }

 private:
  template <typename Action>
  static int take(SightParserResults* self, Action&& action) noexcept {
    auto& taker = static_cast<Taker&>(*self);
    try {
      action(taker);
      return 0;
    } catch (const std::exception& error) {
      if (taker.complaint_.empty()) taker.complaint_ = error.what();
      return 1;
    }
  }

  std::string complaint_, sentence_;
};

// What all kinds have in common: the library, its parser, its state.
class OpenParser {
 public:
  OpenParser(const ConfigFile& config, const ConfigValue& symbol, const NetworkShape& network,
             const SightParserNetwork& facts)
      : OpenParser(config, symbol, network, facts, ParserLibrary::load(config, symbol)) {}
  OpenParser(const OpenParser&) = delete;
  OpenParser& operator=(const OpenParser&) = delete;
  ~OpenParser() { close(); }

  const ForeignParser& who() const { return who_; }
  const SightParser& parser() const { return parser_; }

  void parse(const SeenNetwork& network, Taker& taker) const {
    const int returned = who_.guard([&] { return parser_.parse(state_, network.get(), &taker); });
    taker.require_success(who_, "parse", returned);
  }

 private:
  OpenParser(const ConfigFile&, const ConfigValue& symbol, const NetworkShape& network,
             const SightParserNetwork& facts, const std::shared_ptr<const ParserLibrary>& library)
      : who_(library, symbol.text()), parser_(find_parser(*library, symbol)) {
    if (parser_.open == nullptr) return;
    const SeenNetwork seen(network, facts);
    Taker taker;
    try {
      const int returned = who_.guard([&] { return parser_.open(seen.get(), &state_, &taker); });
      taker.require_success(who_, "open", returned);
    } catch (const Error& error) {
      if (state_ != nullptr) close();
      symbol.fail(error.what());
    }
  }

  void close() {
    if (parser_.close == nullptr) return;
    try {
      parser_.close(state_);
    } catch (...) {  // there is nobody left to tell
    }
  }

  ForeignParser who_;
  const SightParser& parser_;
  void* state_ = nullptr;
};

std::string read_options(const ConfigFile& config) {
  const auto value = config.find("property", "parser-options");
  return value ? value->text() : std::string();
}

// A parser's tensor, copied. Throws Error(kModel).
Tensor copied(const ForeignParser& who, const SightParserTensor* given) {
  if (given == nullptr || given->name == nullptr) who.fail("a tensor without a name");
  const std::string name = "tensor \"" + std::string(given->name) + "\"";
  if (given->element_type < SIGHT_PARSER_FLOAT32 || given->element_type > SIGHT_PARSER_BOOL)
    who.fail(name + ": there is no element type " + std::to_string(given->element_type));
  if (given->n_dims > kMostDimensions || (given->n_dims > 0 && given->dims == nullptr))
    who.fail(name + ": " + std::to_string(given->n_dims) + " dimensions, expected at most " +
             std::to_string(kMostDimensions) + ", and no null pointer");
  Tensor tensor{given->name, static_cast<ElementType>(given->element_type),
                Shape(given->dims, given->dims + given->n_dims)};
  std::size_t count = 0;
  try {
    count = tensor.count();
  } catch (const Error& error) {
    who.fail(name + ": " + error.what());
  }
  if (count > kLargestTensor / size_of(tensor.type) || given->size != tensor.bytes() ||
      (given->data == nullptr && count > 0))
    who.fail(name + ": " + std::to_string(given->size) + " bytes, expected " +
             to_string(tensor.shape) + " of " + std::string(name_of(tensor.type)) +
             ", at most 2^30 bytes, and no null pointer");
  auto owned = std::make_shared<std::vector<std::byte>>(given->size);
  if (given->size > 0) std::memcpy(owned->data(), given->data, given->size);
  tensor.data = owned->data();
  tensor.owner = owned;
  return tensor;
}

std::vector<Point> copied(std::span<const SightParserPoint> points) {
  std::vector<Point> result;
  for (const SightParserPoint& point : points) result.push_back({point.x, point.y});
  return result;
}

// Labels and tensors, which come from each kind.
class ResultsTaker : public Taker {
 public:
  ResultsTaker(const ForeignParser& who, const std::vector<std::string>& names)
      : who_(who), names_(names) {}

  Results results;

 protected:
  void label(const char* attribute, const char* text, std::int32_t class_id, float sure) override {
    if (attribute == nullptr) who_.fail("a label of no attribute");
    const std::string name = "a label of \"" + std::string(attribute) + "\"";
    if (!std::isfinite(sure)) who_.fail(name + ": its confidence is no finite number");
    const bool has_name = class_id >= 0 && static_cast<std::size_t>(class_id) < names_.size();
    if (text == nullptr && !has_name)
      who_.fail(name + ": no text, and the configuration has no label " + std::to_string(class_id));
    if (results.classifications.size() >= kMostLabels)
      who_.fail("more than " + std::to_string(kMostLabels) + " labels");
    results.classifications.push_back(
        {attribute, text != nullptr ? text : names_[static_cast<std::size_t>(class_id)], class_id,
         sure});
  }
  void tensor(const SightParserTensor* given) override {
    results.tensors.push_back(copied(who_, given));
  }
  [[noreturn]] void refuse(const char* what) const override {
    who_.fail(std::string("gave ") + what + ", which its kind has not");
  }

  const ForeignParser& who() const { return who_; }

 private:
  const ForeignParser& who_;
  const std::vector<std::string>& names_;
};

std::vector<const char*> pointers_to(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return pointers;
}

// --- Detectors.

class SightDetector final : public ForeignDetector {
 public:
  SightDetector(const ConfigFile& config, const NetworkShape& network, const ConfigValue& symbol,
                ForeignParser parser)
      : ForeignDetector(config, network, std::move(parser)),
        options_(read_options(config)),
        names_(read_class_names(config, static_cast<std::size_t>(classes()))),
        name_pointers_(pointers_to(names_)),
        open_(config, symbol, network, facts()) {}

  Results decode(std::span<const Tensor> outputs) const override {
    const SeenNetwork seen(network(), facts(), outputs);
    ObjectTaker taker(*this);
    open_.parse(seen, taker);
    Results results = survivors(std::move(taker.objects));
    results.classifications = std::move(taker.results.classifications);
    results.tensors = std::move(taker.results.tensors);
    return results;
  }

 private:
  class ObjectTaker final : public ResultsTaker {
   public:
    explicit ObjectTaker(const SightDetector& detector)
        : ResultsTaker(detector.parser(), detector.names_), detector_(detector) {}

    std::vector<Detection> objects;

   private:
    void object(const SightParserObject* given) override {
      if (given == nullptr || given->struct_size < sizeof(SightParserObject))
        who().fail(
            "an object of another size than this version's SightParserObject: set struct_size");
      if (count_ >= kMostForeignObjects)
        who().fail("more than " + std::to_string(kMostForeignObjects) + " objects");
      detector_.take(count_++, *given, objects);
    }

    const SightDetector& detector_;
    std::size_t count_ = 0;
  };

  void take(std::size_t index, const SightParserObject& given,
            std::vector<Detection>& objects) const {
    if (!reaches_threshold(index, given.confidence, given.class_id)) return;
    Detection object{
        {given.x, given.y, given.width, given.height}, given.confidence, given.class_id};
    object.row = std::max(given.row, -1);
    if (given.n_landmarks > kMostForeignLandmarks ||
        (given.n_landmarks > 0 && given.landmarks == nullptr))
      fail(index, std::to_string(given.n_landmarks) + " landmarks, expected at most " +
                      std::to_string(kMostForeignLandmarks) + ", and no null pointer");
    object.landmarks = copied({given.landmarks, given.n_landmarks});
    if (given.landmark_confidences != nullptr)
      object.landmark_confidences.assign(given.landmark_confidences,
                                         given.landmark_confidences + given.n_landmarks);
    if (given.corners != nullptr) {
      object.corners.emplace();
      std::ranges::copy(copied({given.corners, object.corners->size()}), object.corners->begin());
    }
    if (given.mask != nullptr || given.mask_width > 0 || given.mask_height > 0)
      object.mask =
          read_mask(index, given.mask, given.mask_width, given.mask_height,
                    given.mask_area == nullptr ? object.box
                                               : Rect{given.mask_area[0], given.mask_area[1],
                                                      given.mask_area[2], given.mask_area[3]});
    check(index, object);
    objects.push_back(std::move(object));
  }

  SightParserNetwork facts() const {
    SightParserNetwork facts{};
    facts.n_classes = static_cast<std::uint32_t>(classes());
    facts.labels = name_pointers_.empty() ? nullptr : name_pointers_.data();
    facts.thresholds = thresholds().data();
    facts.threshold = least_threshold();
    facts.options = options_.c_str();
    return facts;
  }

  std::string options_;
  std::vector<std::string> names_;
  std::vector<const char*> name_pointers_;
  OpenParser open_;
};

// --- The other kinds.

class SightOther final : public Postprocessor {
 public:
  SightOther(const ConfigFile& config, const NetworkShape& network, const ConfigValue& symbol,
             NetworkRole role)
      : role_(role),
        network_(network),
        options_(read_options(config)),
        names_(read_names(config)),
        name_pointers_(pointers_to(names_)),
        threshold_(read_threshold(config)),
        open_(config, symbol, network, facts()) {}

  NetworkRole role() const override { return role_; }

  Results decode(std::span<const Tensor> outputs) const override {
    const SeenNetwork seen(network_, facts(), outputs);
    OtherTaker taker(*this);
    open_.parse(seen, taker);
    return std::move(taker.results);
  }

 private:
  class OtherTaker final : public ResultsTaker {
   public:
    explicit OtherTaker(const SightOther& parser)
        : ResultsTaker(parser.open_.who(), parser.names_), parser_(parser) {}

   private:
    void landmarks(std::uint32_t count, const SightParserPoint* points) override {
      if (parser_.role_ != NetworkRole::kLandmarks) refuse("landmarks");
      if (count > kMostForeignLandmarks || (count > 0 && points == nullptr))
        who().fail(std::to_string(count) + " landmarks, expected at most " +
                   std::to_string(kMostForeignLandmarks) + ", and no null pointer");
      results.landmarks = copied({points, count});
      for (const Point& point : results.landmarks) {
        const float place[] = {point.x, point.y};
        if (const auto what = implausible(place))
          who().fail("a landmark at " + *what + ", expected pixels of the network's input");
      }
    }

    void segmentation(std::uint32_t width, std::uint32_t height, const std::int32_t* classes,
                      const float* confidences) override {
      if (parser_.role_ != NetworkRole::kSegmentation) refuse("a segmentation");
      if (width == 0 || height == 0 || width > kMostMaskPixels ||
          height > kMostMaskPixels / width || classes == nullptr)
        who().fail("a segmentation of " + std::to_string(width) + " × " + std::to_string(height) +
                   " pixels, expected 1 to " + std::to_string(kMostMaskPixels) +
                   ", and no null pointer");
      if (segmented_) who().fail("a second segmentation");
      segmented_ = true;
      const std::size_t pixels = std::size_t{width} * height;
      ClassMap map{height,
                   width,
                   std::make_shared<std::vector<std::int32_t>>(classes, classes + pixels),
                   {}};
      if (confidences != nullptr) map.confidences.assign(confidences, confidences + pixels);
      check(map);
      Results made = results_of(std::move(map), parser_.names_);
      std::ranges::move(made.tensors, std::back_inserter(results.tensors));
      std::ranges::move(made.classifications, std::back_inserter(results.classifications));
    }

    void check(const ClassMap& map) const {
      const std::size_t classes = parser_.classes_;
      for (const std::int32_t id : *map.classes)
        if (id < kNoClass || (classes > 0 && id >= 0 && static_cast<std::size_t>(id) >= classes))
          who().fail("a pixel of class " + std::to_string(id) + ", expected -1 to " +
                     (classes > 0 ? std::to_string(classes - 1) + " (num-detected-classes)"
                                  : std::string("any class")));
      if (!std::ranges::all_of(map.confidences, [](float value) { return std::isfinite(value); }))
        who().fail("a pixel's confidence is no finite number");
    }

    const SightOther& parser_;
    bool segmented_ = false;
  };

  // Of a segmentation, whose classes may be counted without being named, one a class; else as they
  // come.
  std::vector<std::string> read_names(const ConfigFile& config) {
    constexpr int kMostClasses = 1 << 16;
    std::vector<std::string> names;
    if (const auto labels = read_labels(config))
      for (const auto& line : labels->lines) names.insert(names.end(), line.begin(), line.end());
    classes_ = names.size();
    if (role_ != NetworkRole::kSegmentation) return names;
    if (const auto value = config.find("property", "num-detected-classes"))
      classes_ = static_cast<std::size_t>(value->as_int(1, kMostClasses));
    return read_class_names(config, classes_);
  }

  float read_threshold(const ConfigFile& config) const {
    const char* const key = role_ == NetworkRole::kClassifier     ? "classifier-threshold"
                            : role_ == NetworkRole::kSegmentation ? "segmentation-threshold"
                                                                  : nullptr;
    if (key == nullptr) return 0;
    const auto value = config.find("property", key);
    return value ? value->as_float(0, 1) : 0;
  }

  SightParserNetwork facts() const {
    SightParserNetwork facts{};
    facts.n_classes = static_cast<std::uint32_t>(classes_);
    facts.labels = name_pointers_.empty() ? nullptr : name_pointers_.data();
    facts.threshold = threshold_;
    facts.options = options_.c_str();
    return facts;
  }

  NetworkRole role_;
  NetworkShape network_;
  std::string options_;
  std::size_t classes_ = 0;
  std::vector<std::string> names_;
  std::vector<const char*> name_pointers_;
  float threshold_;
  OpenParser open_;
};

}  // namespace

std::unique_ptr<Postprocessor> make_sight_parser(const ConfigFile& config,
                                                 const NetworkShape& network,
                                                 const ConfigValue& parser) {
  const auto library = ParserLibrary::load(config, parser);
  const NetworkRole role = role_of(find_parser(*library, parser));
  if (role == NetworkRole::kDetector)
    return std::make_unique<SightDetector>(config, network, parser,
                                           ForeignParser(library, parser.text()));
  return std::make_unique<SightOther>(config, network, parser, role);
}

}  // namespace sightline
