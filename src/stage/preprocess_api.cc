// SPDX-License-Identifier: LGPL-2.1-or-later
//
// include/sightline/preprocess.h: the one-pass crop for somebody's own network.

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "meta/error.h"
#include "meta/tensor.h"
#include "sightline/preprocess.h"
#include "stage/frame_tensor.h"
#include "stage/mapped_frame.h"
#include "stage/model.h"

struct _SightPreprocessSpec {
  explicit _SightPreprocessSpec(const sightline::Model::CropSpec& wanted)
      : crop(wanted), tensors(wanted.spec) {}

  const sightline::Model::CropSpec crop;
  const sightline::FrameTensors tensors;
  std::atomic<int> references{1};
};

G_DEFINE_BOXED_TYPE(SightPreprocessSpec, sight_preprocess_spec, sight_preprocess_spec_ref,
                    sight_preprocess_spec_unref)

namespace sightline {
namespace {

constexpr const char* kGroup = "property";

// "a=1; b=2,3" as the lines of a configuration file. A piece without '=' belongs to the value
// before it, so that "alignment=1,2;3,4;…" stays whole.
std::string as_config_text(const std::string& text) {
  std::string lines = std::string("[") + kGroup + "]\n", piece;
  const auto flush = [&] {
    const bool continues = piece.find('=') == std::string::npos &&
                           piece.find_first_not_of(" \t\r\n") != std::string::npos;
    if (continues && lines.back() == '\n' && lines.find('=') != std::string::npos)
      lines.back() = ';';
    lines += piece + "\n";
    piece.clear();
  };
  for (const char c : text) {
    if (c == ';' || c == '\n')
      flush();
    else
      piece += c;
  }
  flush();
  return lines;
}

SightPreprocessSpec* make_spec(const ConfigFile& config, Size size) {
  TensorSpec defaults;
  defaults.size = size;
  if (const auto width = config.find(kGroup, "width"))
    defaults.size.width = width->as_int(1, 16384);
  if (const auto height = config.find(kGroup, "height"))
    defaults.size.height = height->as_int(1, 16384);
  if (defaults.size.width <= 0 || defaults.size.height <= 0)
    throw Error(
        ErrorCode::kConfig,
        config.name() + ": width and height of the tensor are missing: \"width=160; height=160\"");
  if (const auto type = config.find(kGroup, "element-type"))
    defaults.type = type->as_one_of<ElementType>({{"float32", ElementType::kFloat32},
                                                  {"float16", ElementType::kFloat16},
                                                  {"uint8", ElementType::kUint8},
                                                  {"int8", ElementType::kInt8}});
  return new SightPreprocessSpec(Model::CropSpec::from_config(config, defaults));
}

// What a buffer alone tells of its pixels.
GstVideoInfo info_of_meta(GstBuffer* buffer) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr)
    throw Error(ErrorCode::kInput,
                "the buffer has no GstVideoMeta, so its format is not known: pass a GstVideoInfo "
                "made from the caps");
  GstVideoInfo info;
  if (!gst_video_info_set_format(&info, meta->format, meta->width, meta->height))
    throw Error(ErrorCode::kInput, "the buffer's GstVideoMeta says " + std::to_string(meta->width) +
                                       "x" + std::to_string(meta->height) +
                                       ", which is no size of a frame");
  return info;
}

// What `spec` looks at of `object`, or of the frame; `name` is how an error calls the object.
Region region_of(const MappedFrame& frame, const SightObject* object,
                 const SightPreprocessSpec& spec, const std::string& name) {
  const Model::CropSpec& crop = spec.crop;
  const auto look = crop.look(frame.view().size, object);
  if (look) return look->regions.front();
  throw Error(ErrorCode::kInput,
              object == nullptr ? "an aligned crop needs an object with landmarks"
              : crop.crop == Crop::kAligned
                  ? name + " has no landmarks to align by: run a landmark network first"
                  : name + "'s box is empty");
}

Tensor frame_to_tensor(GstBuffer* buffer, const GstVideoInfo& info, const SightObject* object,
                       const SightPreprocessSpec& spec) {
  const MappedFrame frame(buffer, info, FrameTensors::map_for(buffer));
  return spec.tensors.make(frame, region_of(frame, object, spec, "the object"));
}

Tensor objects_to_tensor(GstBuffer* buffer, const GstVideoInfo& info,
                         std::span<SightObject* const> objects, const SightPreprocessSpec& spec) {
  const MappedFrame frame(buffer, info, FrameTensors::map_for(buffer));
  std::vector<Region> regions;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string name = "objects[" + std::to_string(i) + "]";
    if (objects[i] == nullptr) throw Error(ErrorCode::kInput, name + " is NULL");
    regions.push_back(region_of(frame, objects[i], spec, name));
  }
  return spec.tensors.make_batch(frame, regions);
}

}  // namespace
}  // namespace sightline

SightPreprocessSpec* sight_preprocess_spec_new(const char* text, GError** error) {
  using namespace sightline;
  g_return_val_if_fail(text != nullptr, nullptr);
  return catch_gerror(error, [&] {
    const ConfigFile config = ConfigFile::parse(as_config_text(text), "the specification");
    SightPreprocessSpec* spec = make_spec(config, {});
    try {
      config.reject_unknown();
    } catch (...) {
      sight_preprocess_spec_unref(spec);
      throw;
    }
    return spec;
  });
}

SightPreprocessSpec* sight_preprocess_spec_new_from_config(const char* config_file, guint width,
                                                           guint height, GError** error) {
  using namespace sightline;
  g_return_val_if_fail(config_file != nullptr, nullptr);
  return catch_gerror(error, [&] {
    if (width > 16384 || height > 16384)
      throw Error(ErrorCode::kConfig, "a tensor of " + std::to_string(width) + "x" +
                                          std::to_string(height) +
                                          " is too large, expected at most 16384x16384");
    return make_spec(ConfigFile::read(config_file),
                     {static_cast<int>(width), static_cast<int>(height)});
  });
}

SightPreprocessSpec* sight_preprocess_spec_ref(SightPreprocessSpec* spec) {
  g_return_val_if_fail(spec != nullptr, nullptr);
  spec->references.fetch_add(1, std::memory_order_relaxed);
  return spec;
}

void sight_preprocess_spec_unref(SightPreprocessSpec* spec) {
  g_return_if_fail(spec != nullptr);
  if (spec->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete spec;
}

SightTensor* sight_frame_to_tensor(GstBuffer* buffer, const GstVideoInfo* info,
                                   const SightObject* object, const SightPreprocessSpec* spec,
                                   GError** error) {
  using namespace sightline;
  g_return_val_if_fail(GST_IS_BUFFER(buffer) && spec != nullptr, nullptr);
  return catch_gerror(error, [&] {
    const GstVideoInfo frame = info != nullptr ? *info : info_of_meta(buffer);
    return wrap_tensor(frame_to_tensor(buffer, frame, object, *spec), "", 0, -1);
  });
}

SightTensor* sight_objects_to_tensor(GstBuffer* buffer, const GstVideoInfo* info,
                                     SightObject** objects, guint n_objects,
                                     const SightPreprocessSpec* spec, GError** error) {
  using namespace sightline;
  g_return_val_if_fail(GST_IS_BUFFER(buffer) && spec != nullptr, nullptr);
  g_return_val_if_fail(objects != nullptr || n_objects == 0, nullptr);
  return catch_gerror(error, [&] {
    const GstVideoInfo frame = info != nullptr ? *info : info_of_meta(buffer);
    return wrap_tensor(objects_to_tensor(buffer, frame, {objects, n_objects}, *spec), "", 0, -1);
  });
}
