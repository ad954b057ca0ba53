// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline doctor: what is there, what is missing, and how to get it.

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/build_paths.h"
#include "app/commands.h"
#include "app/exit_status.h"
#include "app/json_text.h"
#include "app/model_catalogue.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "core/cuda.h"
#include "core/data_paths.h"
#include "core/error.h"
#include "engine/session.h"
#include "gallery/gallery_database.h"
#include "preprocess/preprocess.h"

namespace sightline {

namespace {

// One thing that somebody may need.
struct Finding {
  std::string name;
  std::string purpose;
  bool present = false;
  bool needed = false;  // sightline is of no use without it
  std::string remedy;   // how to get it
};

struct Need {
  const char* factory;
  const char* purpose;
  bool needed;
};

// More than one row with a purpose: one of them is enough.
constexpr Need kElements[] = {
    {"sightinfer", "networks", true},
    {"sightmatch", "naming people", true},
    {"sightoverlay", "drawing", true},
    {"decodebin", "decoding", true},
    {"appsink", "pictures", true},
    {"videoconvert", "colour formats", true},
    {"videoflip", "which way up a picture is", true},
    {"jpegdec", "JPEG pictures", true},
    {"jpegparse", "which way up a JPEG picture is", false},
    {"pngdec", "PNG pictures", false},
    {"webpdec", "WebP pictures", false},
    {"jpegenc", "thumbnails of enrolled faces", true},
    {"videocrop", "thumbnails of enrolled faces", true},
    {"avdec_h264", "H.264 clips", false},
    {"avdec_h265", "H.265 clips", false},
    {"h264parse", "H.264 clips", false},
    {"qtdemux", "MP4 clips", false},
    {"x264enc", "--out: H.264", false},
    {"openh264enc", "--out: H.264, where x264enc is not there", false},
    {"mp4mux", "--out: MP4", false},
    {"rtspsrc", "rtsp:// addresses", false},
    {"souphttpsrc", "http:// addresses", false},
    {"v4l2src", "cameras", false},
    {"autovideosink", "--show", false},
};

std::vector<Finding> look_for_elements() {
  std::vector<Finding> findings;
  for (const Need& need : kElements) {
    const bool present = FactoryPtr(gst_element_factory_find(need.factory)) != nullptr;
    const std::string package = package_of(need.factory);
    findings.push_back(
        {need.factory, need.purpose, present, need.needed,
         package.empty() ? "build or install sightline again" : "apt-get install " + package});
  }
  return findings;
}

std::vector<Finding> look_for_models(const Installation& installation) {
  std::vector<Finding> findings;
  for (const CatalogueModel& model : read_catalogue(installation.models)) {
    const ModelState state = state_of(model);
    const std::string damaged =
        state == ModelState::kDamaged ? " (the file that is there has another hash)" : "";
    findings.push_back({model.name, model.role + damaged, state == ModelState::kFetched,
                        model.is_default,
                        "sightline models fetch" + (model.is_default ? "" : " " + model.name)});
  }
  return findings;
}

struct Gpu {
  cuda::DeviceInfo info;
  std::string complaint;  // why networks do not run on it; empty if they do
};

struct Gpus {
  std::vector<Gpu> found;
  std::string driver;     // the CUDA that it offers
  std::string complaint;  // why there are none
  std::string tensorrt;   // its version, or what is missing
};

std::string look_for_tensorrt() {
  try {
    return "TensorRT " + tensorrt_version() + " (not verified)";
  } catch (const std::exception& error) {
    return error.what();
  }
}

Gpus look_for_gpus() {
  Gpus gpus;
  try {
    gpus.driver = cuda::driver_version();
    for (const cuda::DeviceInfo& info : cuda::devices())
      gpus.found.push_back({info, gpu_complaint(info.ordinal)});
    if (gpus.found.empty()) gpus.complaint = "the driver knows no GPU";
    if (!gpus.found.empty()) gpus.tensorrt = look_for_tensorrt();
  } catch (const Error& error) {
    gpus.complaint = error.what();
  }
  return gpus;
}

struct Diagnosis {
  std::string plugin_error;
  Gpus gpus;
  std::vector<Finding> elements, models;

  bool healthy() const {
    const auto missing = [](const Finding& finding) { return finding.needed && !finding.present; };
    return plugin_error.empty() && std::ranges::none_of(elements, missing) &&
           std::ranges::none_of(models, missing);
  }
};

std::string gstreamer_version() {
  const TextPtr text(gst_version_string());
  return text.get();
}

std::string compute_capability(const cuda::DeviceInfo& info) {
  return std::to_string(info.compute_major) + "." + std::to_string(info.compute_minor);
}

Json to_json(const Finding& finding) {
  Json value = {{"name", finding.name},
                {"purpose", finding.purpose},
                {"present", finding.present},
                {"needed", finding.needed}};
  if (!finding.present) value["remedy"] = finding.remedy;
  return value;
}

Json to_json(const Gpus& gpus) {
  Json value = {{"cuda", gpus.driver}, {"devices", Json::array()}};
  if (!gpus.complaint.empty()) value["complaint"] = gpus.complaint;
  if (!gpus.tensorrt.empty()) value["tensorrt"] = gpus.tensorrt;
  for (const Gpu& gpu : gpus.found) {
    Json device = {{"device", "cuda:" + std::to_string(gpu.info.ordinal)},
                   {"name", gpu.info.name},
                   {"compute_capability", compute_capability(gpu.info)},
                   {"memory_bytes", gpu.info.memory_bytes},
                   {"usable", gpu.complaint.empty()}};
    if (!gpu.complaint.empty()) device["complaint"] = gpu.complaint;
    value["devices"].push_back(device);
  }
  return value;
}

Json to_json(const Diagnosis& diagnosis) {
  Json value = {
      {"healthy", diagnosis.healthy()},   {"sightline", kVersion},
      {"gstreamer", gstreamer_version()}, {"runtime", runtime_name()},
      {"providers", runtime_providers()}, {"simd", simd_targets()},
      {"gpus", to_json(diagnosis.gpus)},  {"models_folder", user_models_directory().string()}};
  if (!diagnosis.plugin_error.empty()) value["plugin_error"] = diagnosis.plugin_error;
  value["elements"] = value["models"] = Json::array();
  for (const Finding& finding : diagnosis.elements) value["elements"].push_back(to_json(finding));
  for (const Finding& finding : diagnosis.models) value["models"].push_back(to_json(finding));
  return value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void print(const std::string& title, const std::vector<Finding>& findings) {
  print_line(title);
  for (const Finding& finding : findings) {
    char line[200];
    std::snprintf(line, sizeof line, "  %-8s %-24s %s",
                  finding.present  ? "ok"
                  : finding.needed ? "MISSING"
                                   : "-",
                  finding.name.c_str(), finding.purpose.c_str());
    print_line(finding.present ? line : std::string(line) + "   → " + finding.remedy);
  }
}

void print_text(const Gpus& gpus) {
  if (!gpus.complaint.empty()) print_line("GPU          none: " + gpus.complaint);
  if (!gpus.tensorrt.empty()) print_line("TensorRT     " + gpus.tensorrt);
  for (const Gpu& gpu : gpus.found) {
    print_line("GPU          cuda:" + std::to_string(gpu.info.ordinal) + ": " + gpu.info.name +
               ", " + std::to_string(gpu.info.memory_bytes >> 20) + " MiB, compute capability " +
               compute_capability(gpu.info) + ", driver with CUDA " + gpus.driver);
    print_line(gpu.complaint.empty() ? "             networks run on it"
                                     : "             networks do not run on it: " + gpu.complaint);
  }
}

void print_text(const Diagnosis& diagnosis) {
  print_line(std::string("sightline    ") + kVersion);
  print_line("GStreamer    " + gstreamer_version());
  print_line("runtime      " + runtime_name());
  print_line("providers    " + joined(runtime_providers()));
  print_line("SIMD         " + joined(simd_targets()));
  print_text(diagnosis.gpus);
  print_line(std::string("galleries    files") +
             (has_gallery_databases() ? ", PostgreSQL" : "; not PostgreSQL: built without libpq"));
  print_line("models in    " + user_models_directory().string());
  if (!diagnosis.plugin_error.empty()) print_line("MISSING      " + diagnosis.plugin_error);
  print("GStreamer elements", diagnosis.elements);
  print("Models", diagnosis.models);
  print_line(diagnosis.healthy() ? "All that is needed is there."
                                 : "Something that is needed is missing: see the arrows above.");
}

int doctor(const Installation& installation, bool json) {
  Diagnosis diagnosis;
  try {
    prepare_gstreamer(installation.plugin);
  } catch (const Error& error) {
    diagnosis.plugin_error = error.what();
  }
  diagnosis.gpus = look_for_gpus();
  diagnosis.elements = look_for_elements();
  diagnosis.models = look_for_models(installation);
  if (json)
    print_line(json_line(to_json(diagnosis)));
  else
    print_text(diagnosis);
  return diagnosis.healthy() ? kSuccess : kFailure;
}

}  // namespace

void add_doctor(CLI::App& program, const Installation& installation, Action& action) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command =
      program.add_subcommand("doctor", "Says what is there, what is missing and how to get it");
  command->add_flag("--json", *json, "Print one JSON object");
  command->callback([&action, json, installation] {
    action = [json, installation] { return doctor(installation, *json); };
  });
}

}  // namespace sightline
