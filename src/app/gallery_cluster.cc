// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery cluster: unknown faces of recorded events, grouped, and named if it is known
// who they are.

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/embedding_network.h"
#include "app/enrolment.h"
#include "app/exit_status.h"
#include "app/gallery_parts.h"
#include "app/number_range.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/standard_output.h"
#include "core/text_stream.h"
#include "gallery/clustering.h"
#include "gallery/decision_rule.h"
#include "gallery/gallery_file.h"
#include "meta/event_reader.h"

namespace sightline {

namespace {

constexpr char kEmbedding[] = "embedding";  // the tensor, as sightmatch's tensor-name

constexpr std::size_t kLongestEvent = std::size_t{64} << 20;  // bytes, with its tensors and masks

struct ClusterOptions {
  GalleryTarget target;
  std::vector<std::string> events;
  float threshold = kPairThreshold;
  int min_size = 2;
  bool every_face = false;
  std::vector<std::string> names;  // "3=Ann Lee"
  std::string model;               // that made the embeddings; empty: the gallery's
};

// What was seen of one track, or of one object without a track.
struct Sighting {
  std::string file, stream;
  std::optional<guint64> track;
  guint64 frame = 0;                // the first in which it was seen
  std::optional<GstClockTime> pts;  // of that
  Embedding sum;                    // of the embeddings, of unit length each
  int faces = 0;
};

bool is_unknown(const SightObject* object) {
  const SightIdentity* identity = sight_object_get_identity(object);
  return identity == nullptr || !sight_identity_is_known(identity);
}

// The faces of all files. Embeddings of one track are of one face, and are averaged: a face that
// was in view for an hour counts as much as one that passed by.
class SightingReader {
 public:
  explicit SightingReader(bool every_face) : every_face_(every_face) {}

  void read(const std::string& file) {
    TextStream stream(file);
    std::string line;
    while (stream.next_line(line, kLongestEvent)) {
      if (line.empty()) continue;
      try {
        take(file, read_event(line));
      } catch (const Error& error) {
        throw Error(error.code(),
                    file + ":" + std::to_string(stream.line_number()) + ": " + error.what());
      }
    }
  }

  long lines() const { return lines_; }
  std::vector<Sighting> sightings() && { return std::move(sightings_); }

 private:
  void take(const std::string& file, const Event& event) {
    ++lines_;
    const SightFrame* frame = event.frame.get();
    for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i)
      take(file, event, sight_frame_get_object(frame, i));
  }

  void take(const std::string& file, const Event& event, const SightObject* object) {
    const SightTensor* tensor = sight_object_find_tensor(object, kEmbedding);
    if (tensor == nullptr || !(every_face_ || is_unknown(object))) return;
    gsize count = 0;
    const gfloat* values = sight_tensor_get_floats(tensor, &count, nullptr);
    if (values == nullptr)
      throw Error(ErrorCode::kInput, "the tensor \"embedding\" is not float32.");
    if (width_ == 0) width_ = count;
    if (count != width_)
      throw Error(ErrorCode::kInput, "an embedding of " + std::to_string(count) +
                                         " numbers after one of " + std::to_string(width_) +
                                         ": they are of two models.");
    const Embedding unit = to_unit_length({values, count});
    Sighting& sighting = sighting_of(file, event, object);
    sighting.sum.resize(width_);
    for (std::size_t i = 0; i < width_; ++i) sighting.sum[i] += unit[i];
    ++sighting.faces;
  }

  Sighting& sighting_of(const std::string& file, const Event& event, const SightObject* object) {
    const SightFrame* frame = event.frame.get();
    const char* stream = sight_frame_get_stream(frame);
    Sighting fresh{file,
                   stream == nullptr ? "" : stream,
                   std::nullopt,
                   sight_frame_get_number(frame),
                   event.pts,
                   {},
                   0};
    guint64 track = 0;
    if (!sight_object_get_track(object, &track)) return sightings_.emplace_back(std::move(fresh));
    fresh.track = track;
    const auto [found, is_new] =
        of_track_.try_emplace({file, fresh.stream, track}, sightings_.size());
    if (is_new) sightings_.push_back(std::move(fresh));
    return sightings_[found->second];
  }

  const bool every_face_;
  std::size_t width_ = 0;
  long lines_ = 0;
  std::vector<Sighting> sightings_;
  std::map<std::tuple<std::string, std::string, guint64>, std::size_t> of_track_;
};

std::vector<Embedding> faces_of(const std::vector<Sighting>& sightings) {
  std::vector<Embedding> faces;
  for (const Sighting& sighting : sightings) faces.push_back(to_unit_length(sighting.sum));
  return faces;
}

std::string place_of(const Sighting& sighting) {
  std::string text = sighting.stream.empty() ? sighting.file : sighting.stream;
  text += ", frame " + std::to_string(sighting.frame);
  if (sighting.pts) {
    char time[32];
    std::snprintf(time, sizeof time, ", %.3f s", static_cast<double>(*sighting.pts) / GST_SECOND);
    text += time;
  }
  if (sighting.track) text += ", track " + std::to_string(*sighting.track);
  return text + ": " + counted(sighting.faces, "face");
}

Json json_of(const Sighting& sighting) {
  Json value = {{"file", sighting.file}, {"frame", sighting.frame}, {"faces", sighting.faces}};
  if (!sighting.stream.empty()) value["stream"] = sighting.stream;
  if (sighting.track) value["track"] = *sighting.track;
  if (sighting.pts) value["pts"] = *sighting.pts;
  return value;
}

// "3=Ann Lee" → group 3 is called so. Groups are counted from 1.
std::map<std::size_t, std::string> names_for(const std::vector<std::string>& texts,
                                             std::size_t groups) {
  std::map<std::size_t, std::string> names;
  for (const std::string& text : texts) {
    const std::size_t sign = text.find('=');
    std::size_t number = 0;
    if (sign != std::string::npos && sign > 0 && sign < 9 &&
        std::ranges::all_of(text.substr(0, sign), [](char c) { return c >= '0' && c <= '9'; }))
      number = std::stoul(text.substr(0, sign));
    if (number == 0 || number > groups || sign + 1 == text.size())
      throw UsageError("cluster: --name " + text + ": expected a group's number from 1 to " +
                       std::to_string(groups) + " and a name, as 1=\"Ann Lee\".");
    const auto [found, is_new] = names.emplace(number, clean_name(text.substr(sign + 1)));
    if (!is_new)
      throw UsageError("cluster: --name " + text + ": group " + std::to_string(number) +
                       " is named already, " + found->second + ". Give it one name.");
  }
  return names;
}

std::vector<std::vector<std::size_t>> grouped(const std::vector<Embedding>& faces,
                                              float threshold) {
  ProgressBar progress("cluster");
  return cluster(faces, threshold, [&](double share) {
    progress.update(share, counted(static_cast<long>(faces.size()), "sighting"));
  });
}

// Nothing: there is no gallery yet, or one that is not bound to a model.
std::optional<ModelFingerprint> model_of_gallery(const std::string& location) {
  try {
    return Gallery::open(location, Gallery::Mode::kReadWrite)->fingerprint();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) return std::nullopt;
    throw;
  }
}

// Events don't say which model made their embeddings; the gallery that named nobody in them does,
// or whoever asks.
ModelFingerprint model_for(const ClusterOptions& options, std::size_t dimensions) {
  const std::string& location = options.target.gallery;
  std::optional<ModelFingerprint> model = model_of_gallery(location);
  if (!options.model.empty()) {
    const ModelFingerprint named = named_model(options.model, "cluster: --model");
    if (model) Gallery::open(location, Gallery::Mode::kReadOnly)->require_model(named);
    model = named;
  }
  if (!model)
    throw Error(ErrorCode::kGallery,
                shown_location(location) +
                    " is not there yet, or not bound to a model, and events do not say which one "
                    "made their embeddings. Say it: --model CONFIG.ini, the configuration file of "
                    "that network (models/face-embed.ini), or --model ID:NAME:DIMENSIONS.");
  if (static_cast<std::size_t>(model->dimensions) != dimensions)
    throw Error(ErrorCode::kInput, "the events' embeddings have " + std::to_string(dimensions) +
                                       " numbers, those of model " + describe(*model) + " have " +
                                       std::to_string(model->dimensions) +
                                       ". Name the gallery, or the model, that they are of.");
  return *model;
}

// Each sighting becomes one embedding of the person.
void enrol(const std::string& location, const std::vector<Sighting>& sightings,
           const std::vector<Embedding>& faces, const std::vector<std::vector<std::size_t>>& groups,
           const std::map<std::size_t, std::string>& names, const ModelFingerprint& model) {
  std::vector<PersonViews> persons;
  std::vector<std::size_t> owners;  // of views, into `persons`
  for (const auto& [number, name] : names) {
    persons.push_back({name, {}});
    for (const std::size_t i : groups[number - 1]) {
      persons.back().views.push_back({place_of(sightings[i]), faces[i], {}, {}});
      owners.push_back(persons.size() - 1);
    }
  }
  std::vector<long> there(persons.size());
  for (const std::size_t view : store_views(location, persons, model)) ++there[owners[view]];
  for (std::size_t i = 0; i < persons.size(); ++i) {
    const long added = static_cast<long>(persons[i].views.size()) - there[i];
    report_note(persons[i].name + ": " + counted(added, "sighting") + " enrolled in " +
                shown_location(location) +
                (there[i] > 0 ? ", " + std::to_string(there[i]) + " known already" : ""));
  }
}

void print_text(const std::vector<Sighting>& sightings,
                const std::vector<std::vector<std::size_t>>& groups) {
  for (std::size_t group = 0; group < groups.size(); ++group) {
    print_line("group " + std::to_string(group + 1) + ": " +
               counted(static_cast<long>(groups[group].size()), "sighting"));
    for (const std::size_t i : groups[group]) print_line("  " + place_of(sightings[i]));
  }
}

Json json_of(const std::vector<Sighting>& sightings,
             const std::vector<std::vector<std::size_t>>& groups) {
  Json list = Json::array();
  for (std::size_t group = 0; group < groups.size(); ++group) {
    Json members = Json::array();
    for (const std::size_t i : groups[group]) members.push_back(json_of(sightings[i]));
    list.push_back({{"group", group + 1}, {"sightings", std::move(members)}});
  }
  return list;
}

int cluster_events(const ClusterOptions& options) {
  SightingReader reader(options.every_face);
  for (const std::string& file : options.events) reader.read(file);
  const long lines = reader.lines();
  const std::vector<Sighting> sightings = std::move(reader).sightings();
  if (sightings.empty())
    throw Error(ErrorCode::kInput, counted(lines, "line") +
                                       " without an unknown face that has its embedding. Write "
                                       "them: sightline run --tensors base64 --json events.jsonl");
  const std::vector<Embedding> faces = faces_of(sightings);
  std::vector<std::vector<std::size_t>> groups = grouped(faces, options.threshold);
  const std::size_t all = groups.size();
  std::erase_if(groups, [&](const auto& group) {
    return group.size() < static_cast<std::size_t>(options.min_size);
  });
  const auto names = names_for(options.names, groups.size());
  std::optional<ModelFingerprint> model;
  if (!names.empty()) model = model_for(options, faces.front().size());
  if (options.target.json)
    print_line(json_line({{"threshold", options.threshold},
                          {"sightings", sightings.size()},
                          {"groups", json_of(sightings, groups)},
                          {"smaller_groups", all - groups.size()}}));
  else
    print_text(sightings, groups);
  if (model) enrol(options.target.gallery, sightings, faces, groups, names, *model);
  report_note(counted(static_cast<long>(sightings.size()), "sighting") + " in " +
              counted(static_cast<long>(groups.size()), "group") + "; " +
              std::to_string(all - groups.size()) + " smaller than " +
              std::to_string(options.min_size) + " left out");
  return kSuccess;
}

}  // namespace

void add_gallery_cluster(CLI::App& gallery, const Installation& installation, Action& action) {
  const auto options = std::make_shared<ClusterOptions>();
  CLI::App* command = gallery.add_subcommand(
      "cluster", "Groups the unknown faces of recorded events by whose they are, for naming");
  add_target(*command, options->target);
  command
      ->add_option("EVENTS", options->events,
                   "Files that `run --json FILE --tensors base64` wrote, or sightjson with tensors")
      ->required();
  command
      ->add_option("--threshold", options->threshold,
                   "Mean similarity from which on two groups are one person's")
      ->check(number_range(-1.0, 1.0))
      ->capture_default_str();
  command->add_option("--min-size", options->min_size, "Leave out groups with fewer sightings")
      ->check(number_range(1, 1000000))
      ->capture_default_str();
  command->add_flag("--every-face", options->every_face, "Faces that have a name, too");
  command
      ->add_option("--name", options->names,
                   "NUMBER=NAME: enrol a group under this name; once for each. The numbers are "
                   "those of the same files and options without it")
      ->type_name("NUMBER=NAME");
  command
      ->add_option("--model", options->model,
                   "What made the embeddings, for a gallery that is new: the configuration file of "
                   "that network, or ID:NAME:DIMENSIONS")
      ->type_name("MODEL");
  command->footer(
      "A track is one sighting, by the mean of its embeddings; so is a face without a track. "
      "Groups "
      "are made by average linkage: two become one while the mean similarity between the faces of "
      "the one and the faces of the other is at least the threshold.");
  command->callback([&action, options, plugin = installation.plugin] {
    action = [options, plugin] {
      if (!options->model.empty()) prepare_gstreamer(plugin);
      return cluster_events(*options);
    };
  });
}

}  // namespace sightline
