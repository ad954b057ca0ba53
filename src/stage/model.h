// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A configuration file joined into what a stage needs: which objects, which part of the frame,
// which tensor, which network, and what its outputs mean.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "gallery/gallery.h"
#include "postprocess/postprocess.h"
#include "preprocess/preprocess.h"
#include "sightline/frame.h"
#include "stage/class_colors.h"
#include "stage/configuration.h"
#include "stage/crop_quality.h"
#include "stage/frame_parts.h"
#include "stage/input_writer.h"
#include "stage/mirror_pair.h"
#include "stage/output_screen.h"
#include "stage/reinfer_rule.h"
#include "stage/second_look.h"
#include "stage/tensor_files.h"
#include "stage/tensor_source.h"

namespace sightline {

// Which part of the frame the network sees of an object.
enum class Crop {
  kBox,      // its box, stretched
  kSquare,   // the smallest square around its box, centred
  kAligned,  // turned and scaled so that its landmarks come to rest at the template's points
  kOriented  // its oriented box, turned upright; of an object without one, its box
};

struct Selection {
  bool objects = false;     // false: whole frames (primary); true: each selected object (secondary)
  int stage_id = -1;        // only objects that this stage made; -1: any
  std::set<int> class_ids;  // empty: any
  std::set<std::string, std::less<>> labels;  // likewise
  Size minimum;                               // of the box, in frame pixels
  Size maximum;                               // 0: no limit
  // Whether the network sees what nobody saw: objects that a tracker expects where they are.
  bool predicted = false;

  bool takes(const SightObject* object) const;
};

// One region for one network, in each of the forms that it is to be seen in.
struct Look {
  std::vector<Region> regions;         // as it is, and mirrored if the model averages the two
  std::optional<CropQuality> quality;  // of an aligned crop
  std::optional<Rect> part{};          // of the frame, where it is not looked at as a whole
};

// What a stage says and keeps of the tensors around its network.
struct TensorWishes {
  bool outputs = false;  // attach the network's outputs (output-tensor-meta)
  bool inputs = false;   // attach what it saw (attach-input-tensor)
};

class Model {
 public:
  // Throws Error: kConfig, kModel, kNotFound, kDevice, each naming file and line, or tensor.
  static std::shared_ptr<const Model> load(const std::filesystem::path& config_file,
                                           const ModelOverrides& overrides);

  // The GPU that the network of this configuration will run on; nothing: the CPU. Throws Error, as
  // load() would.
  static std::optional<int> gpu(const std::filesystem::path& config_file,
                                const ModelOverrides& overrides);

  const std::string& config_file() const { return config_file_; }
  const std::string& name() const {
    return name_;
  }  // the configuration's file name without its ending
  // What the configuration says that is to be told: of defaults, and of keys that are passed over.
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  int unique_id() const { return unique_id_; }
  int interval() const { return interval_; }  // frames passed over between two looks
  const Selection& selection() const { return selection_; }
  const TensorSpec& spec() const { return crop_.spec; }
  // A stage without a network makes tensors and attaches them. It has no engine.
  bool has_network() const { return engine_ != nullptr; }
  Engine& engine() const { return *engine_; }
  bool runs_on_gpu() const { return has_network() && engine_->gpu() != nullptr; }
  // How many models share the engine at the moment; this one is among them.
  int sharers() const { return static_cast<int>(engine_.use_count()); }
  const InputWriter& input_writer() const { return *input_writer_; }
  // What the network's input is called, or the tensor that a stage without one makes.
  const std::string& input_name() const { return input_name_; }
  Shape input_shape() const;  // of one item
  const Postprocessor& postprocessor() const { return *postprocessor_; }
  const ModelFingerprint& fingerprint() const {
    return fingerprint_;
  }  // dimensions 0 unless it makes an embedding

  // What the network is to see of `object`, or of the whole frame if that is null. Nothing where
  // the object has nothing to align by, or an empty box.
  std::optional<Look> look(Size frame, const SightObject* object) const;
  // What it is to see of a frame: the whole of it, or each region of interest and tile.
  std::vector<Look> looks(Size frame) const;
  const FrameParts& parts() const { return parts_; }
  // Set where the network takes tensors that others have made.
  const std::optional<TensorSource>& tensor_source() const { return tensor_source_; }
  const TensorWishes& tensor_wishes() const { return tensor_wishes_; }
  const TensorFiles& tensor_files() const { return tensor_files_; }
  // Frames of each stream that are passed on before the first is looked at.
  int frames_to_settle() const { return frames_to_settle_; }
  // Whether frames leave before their results are there.
  bool is_asynchronous() const { return asynchronous_; }
  const ClassColors& colors() const { return colors_; }
  // Puts the network's outputs where they are to be attached: with what stays with an object's
  // track where there is such, else beside the detections.
  void add_outputs(std::vector<Tensor> outputs, RegionResults& found) const;
  // Takes away what is not to be attached.
  void drop_unwanted(Results& results) const;
  const ReinferRule& reinfer_rule() const { return reinfer_rule_; }
  SecondLook second_look() const { return {second_look_, crop_.spec.size}; }
  // Runs a look takes: 2 where the network sees each crop and its mirror image, and its outputs are
  // averaged.
  std::size_t runs_per_look() const { return mirror_average_ ? 2 : 1; }
  // What the runs of one look share so that its pixels are sampled once; null where that is of no
  // use. The model must outlive it.
  std::shared_ptr<MirrorPair> mirror_pair() const;
  // Says of a request of a look how the outputs are to come: as far as they are needed.
  void ask_for_outputs(Request& request) const;
  // The outputs of the runs of one look as one. Throws Error(kFailed) if a run failed.
  std::vector<Tensor> combine(std::span<RunResult> runs) const;

  // How a region is chosen and what tensor it becomes; what sight_frame_to_tensor() needs without a
  // network.
  struct CropSpec {
    TensorSpec spec;
    Crop crop = Crop::kBox;
    float margin = 0;  // share of the box's width and height added on each side
    Placement placement = Placement::kStretch;
    bool even = false;  // whether crops begin and end at even pixels
    std::optional<AlignmentTemplate> alignment;

    static CropSpec from_config(const ConfigFile& config, const TensorSpec& defaults);
    std::optional<Look> look(Size frame, const SightObject* object) const;
    Look look_at(const Rect& source) const;
    Look oriented_look(std::span<const SightPoint> corners) const;
    std::optional<Look> aligned_look(const SightObject* object) const;
    std::string canonical() const;  // equal text means equal pre-processing
  };

 private:
  Model() = default;
  void open_network(Configuration& configuration);
  void make_tensors_only(const ConfigFile& config);
  void read_averaging(const ConfigFile& config);
  void read_repetition(const ConfigFile& config);
  void read_tensors(const ConfigFile& config);
  void read_labelling(const ConfigFile& config);
  void require_places_for_objects(const ConfigFile& config) const;
  // Complains of a key of a stage that looks at whole frames; false if that was only remarked on.
  bool require_objects(const ConfigFile& config, const char* key) const;
  void warm_up(const ConfigFile& config) const;
  void take_fingerprint();

  std::string config_file_, name_;
  std::vector<std::string> notes_, warnings_;
  int unique_id_ = 0;
  int interval_ = 0;
  int frames_to_settle_ = 0;
  bool asynchronous_ = false;
  bool drops_unlabelled_ = false, has_labels_ = false;
  std::string input_name_;
  FrameParts parts_;
  std::optional<TensorSource> tensor_source_;
  TensorWishes tensor_wishes_;
  TensorFiles tensor_files_;
  ClassColors colors_;
  Selection selection_;
  CropSpec crop_;
  bool mirror_average_ = false;
  std::unique_ptr<TensorPool> mirror_memory_;  // where pairs are made
  ReinferRule reinfer_rule_;
  float second_look_ = 0;  // share of the tensor's height; 0: never
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<const InputWriter> input_writer_;
  std::unique_ptr<Postprocessor> postprocessor_;
  std::shared_ptr<const OutputScreen> output_screen_;  // null: outputs come whole
  ModelFingerprint fingerprint_;
};

}  // namespace sightline
