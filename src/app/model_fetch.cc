// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/model_fetch.h"

#include <fstream>
#include <optional>
#include <span>

#include <glib.h>

#include "app/gst_pointer.h"
#include "app/output_file.h"
#include "app/temporary_folder.h"
#include "core/data_paths.h"
#include "core/error.h"
#include "engine/coco_ssd_converter.h"
#include "engine/face_api_converter.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

void copy_into(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  fs::copy_file(file, folder / file.filename(), fs::copy_options::overwrite_existing, error);
  if (error)
    throw Error(ErrorCode::kFailed, file.string() + ": cannot be copied to " + folder.string() +
                                        ": " + error.message() + ".");
}

// npm's own complaint without what it says to its programmers.
std::string complaint(const std::string& output) {
  std::string lines;
  std::size_t start = 0;
  while (start < output.size()) {
    const std::size_t end = std::min(output.find('\n', start), output.size());
    const std::string line = output.substr(start, end - start);
    if (line.rfind("npm ERR!", 0) == 0 || line.rfind("npm error", 0) == 0) lines += "\n  " + line;
    start = end + 1;
  }
  return lines;
}

struct Finished {
  int status;
  std::string errors;
};

Finished run_npm(const fs::path& folder) {
  const char* words[] = {"npm",           "ci",   "--ignore-scripts", "--no-audit", "--no-fund",
                         "--no-progress", nullptr};
  char* raw_errors = nullptr;
  int status = 0;
  GError* raw = nullptr;
  const bool started =
      g_spawn_sync(folder.c_str(), const_cast<char**>(words), nullptr,
                   static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL),
                   nullptr, nullptr, nullptr, &raw_errors, &status, &raw);
  const ErrorPtr error(raw);
  const TextPtr errors(raw_errors);
  if (!started)
    throw Error(ErrorCode::kNotFound,
                std::string("npm does not start (") + error->message +
                    "). Install it (Debian: apt-get install npm), or fetch the packages elsewhere "
                    "and give the folder: sightline models fetch --from DIR");
  return {status, errors == nullptr ? "" : errors.get()};
}

// Where one of a model's sources lies; none if it is not there.
std::optional<fs::path> find_source(const CatalogueModel& model, const ModelSource& source,
                                    const fs::path& from) {
  for (const fs::path& candidate :
       {from / "node_modules" / model.package / source.file, from / model.package / source.file,
        from / fs::path(source.file).filename()}) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate;
  }
  return std::nullopt;
}

void require_hash(const fs::path& path, const std::string& expected, const std::string& remedy) {
  const std::string found = sha256_of(path);
  if (found != expected)
    throw Error(ErrorCode::kModel,
                path.string() + ": sha256 is " + found + ", expected " + expected + ". " + remedy);
}

std::vector<fs::path> checked_sources(const CatalogueModel& model, const fs::path& from) {
  std::vector<fs::path> paths;
  for (const ModelSource& source : model.sources) {
    const auto path = find_source(model, source, from);
    if (!path)
      throw Error(ErrorCode::kNotFound,
                  from.string() + ": holds neither " + model.file + " nor " + model.package + "/" +
                      source.file + ". Expected a node_modules folder with the npm package " +
                      model.package + "@" + model.version + ", or the files themselves.");
    require_hash(*path, source.sha256,
                 "It is damaged, or of another version than " + model.version + ".");
    paths.push_back(*path);
  }
  return paths;
}

void convert(const CatalogueModel& model, const std::vector<fs::path>& sources,
             const fs::path& result) {
  if (model.converter == "copy")
    fs::copy_file(sources.at(0), result, fs::copy_options::overwrite_existing);
  else if (model.converter == "face-api-recognition")
    convert_face_api_recognition(sources.at(0), sources.at(1), result);
  else if (model.converter == "face-api-landmarks")
    convert_face_api_landmarks(sources.at(0), sources.at(1), result);
  else if (model.converter == "face-api-age-gender")
    convert_face_api_age_gender(sources.at(0), sources.at(1), result);
  else if (model.converter == "coco-ssd")
    convert_coco_ssd(sources.at(0), std::span(sources).subspan(1), result);
  else
    throw Error(ErrorCode::kConfig, model.name +
                                        ": the catalogue names a converter that is not there: " +
                                        model.converter + ". Build or install sightline again.");
}

}  // namespace

fs::path install_packages(const fs::path& package_list, const fs::path& folder) {
  for (const char* name : {"package.json", "package-lock.json"})
    copy_into(package_list / name, folder);
  const Finished npm = run_npm(folder);
  if (npm.status != 0)
    throw Error(ErrorCode::kFailed,
                "npm could not fetch the packages:" + complaint(npm.errors) +
                    "\nIs there a network? Without one, give a folder that has them: sightline "
                    "models fetch --from DIR");
  return folder / "node_modules";
}

void install_model(const CatalogueModel& model, const fs::path& from) {
  const fs::path folder = user_models_directory();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ErrorCode::kFailed, folder.string() + ": cannot be made: " + error.message() + ".");
  OutputFile output(folder / model.file);
  const fs::path finished = from / model.file;
  // A models folder of another machine holds results already.
  if (std::error_code ignored; fs::is_regular_file(finished, ignored)) {
    require_hash(finished, model.sha256, "It is damaged; fetch it again there.");
    fs::copy_file(finished, output.path(), fs::copy_options::overwrite_existing);
  } else {
    convert(model, checked_sources(model, from), output.path());
    require_hash(output.path(), model.sha256, "The conversion went wrong; please report this.");
  }
  output.commit();
}

}  // namespace sightline
