// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery export and import: galleries as JSON, as JSON Lines, as arrays of NumPy, from
// one gallery into another, and those of other programs.

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/embedding_network.h"
#include "app/exit_status.h"
#include "app/gallery_parts.h"
#include "app/output_file.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "core/text_stream.h"
#include "gallery/exchange.h"
#include "gallery/foreign_galleries.h"
#include "gallery/gallery_file.h"
#include "gallery/npz_exchange.h"
#include "gallery/zip_archive.h"

namespace sightline {

namespace {

const std::vector<std::string> kFormats = {"json", "jsonl", "npz"};

struct ExchangeOptions {
  GalleryTarget target;
  std::string file;
  std::string format;              // of an export; empty: by the file's name
  std::string from = "sightline";  // whose file is imported
  std::string model;               // a configuration file, or ID:NAME:DIMENSIONS
};

bool is_standard(const std::string& file) { return file.empty() || file == "-"; }

std::string format_for(const ExchangeOptions& options) {
  if (!options.format.empty()) return options.format;
  for (const std::string& format : kFormats)
    if (options.file.ends_with("." + format)) return format;
  return kFormats.front();
}

using Write = std::function<void(std::string_view)>;

// JSON Lines go by as they are read; the other formats are made in memory.
void export_contents(GalleryContents& contents, const std::string& format, const Write& write) {
  if (format == "jsonl") return write_json_lines(contents, write);
  if (format == "npz") return write(to_npz(contents));
  write(to_json(document_of(contents)));
}

constexpr std::string_view kFileBegin = "SQLite format 3";  // of a gallery's

bool is_gallery_file(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return false;  // a pipe is read once
  std::string begin(kFileBegin.size(), ' ');
  std::ifstream(file, std::ios::binary).read(begin.data(), std::ssize(begin));
  return begin == kFileBegin;
}

// What SQLite and searches keep beside a gallery is a part of it.
bool is_beside_gallery(const std::string& file, const std::string& gallery) {
  std::error_code ignored;
  const auto canonical = [&](const std::filesystem::path& name) {  // which need not exist
    return std::filesystem::weakly_canonical(std::filesystem::absolute(name, ignored), ignored);
  };
  const std::filesystem::path target = canonical(file);
  const std::string own = canonical(gallery).string();
  for (const char* suffix : {"-wal", "-shm", "-journal", kIndexSuffix})
    if (target == own + suffix) return true;
  return false;
}

// Who says `export people.db` means the gallery to read.
void refuse_gallery(const ExchangeOptions& options) {
  const std::string& file = options.file;
  if (is_standard(file)) return;
  if (is_gallery_file(file))
    throw UsageError(
        "export " + file +
        ": is a gallery, or another SQLite file, and would be replaced. Name the gallery "
        "with --gallery, and another file to write to.");
  if (!is_database_url(options.target.gallery) && is_beside_gallery(file, options.target.gallery))
    throw UsageError("export " + file + ": is a part of " + options.target.gallery +
                     ", which would be damaged. Name another file to write to.");
}

int export_people(const ExchangeOptions& options) {
  refuse_gallery(options);
  const auto gallery = Gallery::open(options.target.gallery, Gallery::Mode::kReadOnly);
  const std::string format = format_for(options);
  {
    const auto contents = gallery->contents(format == "npz" ? Gallery::Pictures::kLeftOut
                                                            : Gallery::Pictures::kIncluded);
    if (is_standard(options.file))
      export_contents(*contents, format, print_bytes);
    else
      OutputFile::write(
          options.file, [&](const Write& write) { export_contents(*contents, format, write); },
          OutputFile::Readers::kOwner);
  }
  if (format == "npz")
    report_note(
        "Pictures, thresholds and the calibration are not in it: they are no arrays. A JSON export "
        "has them.");
  return kSuccess;
}

GalleryDocument foreign(const ExchangeOptions& options) {
  if (options.model.empty())
    throw UsageError("import: --from " + options.from +
                     ": such files do not say which model made their embeddings. Say it: --model "
                     "CONFIG.ini, or ID:NAME:DIMENSIONS.");
  const ModelFingerprint model = named_model(options.model, "import: --model");
  return options.from == "gvaidentify" ? from_gvaidentify(options.file, model)
                                       : from_face_recognition(options.file, model);
}

GalleryDocument document_in(TextStream& stream) {
  try {
    if (stream.ahead(kFileBegin.size()) == kFileBegin)
      throw Error(ErrorCode::kGallery,
                  "a gallery's own file, which cannot be read from a pipe. Name the file");
    const bool is_archive = is_npz(stream.ahead(4));
    const std::string text =
        is_archive ? stream.rest(kLargestArchive,
                                 "more than such an archive has. Export JSON Lines instead.")
                   : stream.rest(kLargestDocument,
                                 "more than is read at once. Is it another file? Export large "
                                 "galleries as JSON Lines.");
    return is_archive ? from_npz(text) : from_json(text);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kGallery) throw;
    throw Error(error.code(), stream.name() + ": " + error.what());
  }
}

std::unique_ptr<GalleryContents> contents_in(const std::string& file) {
  constexpr std::size_t kFirstLine = 16384;  // at most, with a model's id and name
  const bool standard = file == "-";
  const auto stream = std::make_shared<TextStream>(standard ? "/dev/stdin" : file,
                                                   standard ? "standard input" : file);
  if (!is_json_lines(stream->ahead(kFirstLine))) return contents_of(document_in(*stream));
  return read_json_lines(
      [stream](std::string& line) { return stream->next_line(line, kLongestLine); },
      stream->name());
}

// Opens what is imported, and calls take() with its contents.
int with_contents(const ExchangeOptions& options,
                  const std::function<int(std::unique_ptr<GalleryContents>)>& take) {
  if (options.from != "sightline") return take(contents_of(foreign(options)));
  if (!options.model.empty())
    throw UsageError("import: --model is for files of other programs; Sightline's say it.");
  if (!is_database_url(options.file) && !is_gallery_file(options.file))
    return take(contents_in(options.file));
  const auto source = Gallery::open(options.file, Gallery::Mode::kReadOnly);
  return take(source->contents());
}

int import_people(const ExchangeOptions& options) {
  const int added = with_contents(options, [&](std::unique_ptr<GalleryContents> contents) {
    // What is wrong is found before a gallery is made for it, unless there is very much of it.
    const auto checked = read_ahead(std::move(contents));
    return Gallery::open(options.target.gallery, Gallery::Mode::kCreate)->import_from(*checked);
  });
  const std::string shown = shown_location(options.target.gallery);
  if (options.target.json)
    print_line(json_line({{"gallery", shown}, {"added", added}}));
  else
    print_line(shown + ": " + counted(added, "picture") + " added");
  return kSuccess;
}

}  // namespace

void add_gallery_exchange(CLI::App& gallery, const Installation& installation, Action& action) {
  const auto options = std::make_shared<ExchangeOptions>();
  CLI::App* command = gallery.add_subcommand("export", "Writes everything to a file");
  add_target(*command, options->target);
  command->add_option("FILE", options->file, "Where to; without it to standard output");
  command
      ->add_option("--format", options->format,
                   "json, jsonl (a line an embedding) or npz (arrays of NumPy, without pictures "
                   "and thresholds); without it by the file's name")
      ->check(CLI::IsMember(kFormats));
  command->callback([&action, options] { action = [options] { return export_people(*options); }; });

  command = gallery.add_subcommand("import", "Adds what is in a file, all or nothing");
  add_target(*command, options->target);
  command
      ->add_option("FILE", options->file,
                   "What to read: another gallery (a file, or postgresql://…), or a file in any "
                   "format that `export` writes; -: standard input")
      ->required();
  command
      ->add_option("--from", options->from,
                   "Whose file it is: sightline, gvaidentify or face_recognition")
      ->check(CLI::IsMember({"sightline", "gvaidentify", "face_recognition"}))
      ->capture_default_str();
  command
      ->add_option("--model", options->model,
                   "What made the embeddings of another program: the configuration file of that "
                   "network, or ID:NAME:DIMENSIONS")
      ->type_name("MODEL");
  command->callback([&action, options, installation] {
    action = [options, installation] {
      if (options->from != "sightline") prepare_gstreamer(installation.plugin);
      return import_people(*options);
    };
  });
}

}  // namespace sightline
