// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/picture_enrolment.h"

#include <map>
#include <utility>

#include "app/progress.h"
#include "app/report.h"

namespace sightline {

namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenStores = 1s;  // what a kill costs at most
// Of one person, judged at a time: thumbnails and crops of so many are in memory.
constexpr std::size_t kMostTogether = 64;

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

PictureEnrolment::PictureEnrolment(const EnrolmentRequest& request, KnownFaces& known,
                                   std::function<void(const PictureOutcome&)> report)
    : request_(request), known_(known), report_(std::move(report)), stored_(Clock::now()) {}

EnrolmentCounts PictureEnrolment::run(const std::vector<PictureOfPerson>& pictures) {
  const Clock::time_point begin = Clock::now();
  std::vector<std::string> files;
  std::vector<const PictureOfPerson*> new_ones;
  for (const PictureOfPerson& picture : pictures) {
    if (known_.has_picture(picture.person, picture.hash)) {
      settle(picture, PictureOutcome::Status::kKnown);
      continue;
    }
    new_ones.push_back(&picture);
    files.push_back(picture.file);
  }
  if (!files.empty()) {
    ProgressBar progress("enroll");
    FacePipeline pipeline(request_.stages);
    std::size_t done = 0;
    pipeline.look_at(files, [&](PictureFaces&& faces) {
      const PictureOfPerson& picture = *new_ones[done++];
      progress.update(static_cast<double>(done) / static_cast<double>(files.size()),
                      std::to_string(done) + " of " + std::to_string(files.size()) + ", " +
                          std::to_string(counts_.refused) + " refused: " + picture.file);
      look_at(picture, std::move(faces));
    });
    judge();
    store();
    counts_.network_seconds = pipeline.network_seconds();
  }
  counts_.seconds = seconds(Clock::now() - begin);
  return counts_;
}

void PictureEnrolment::look_at(const PictureOfPerson& picture, PictureFaces&& faces) {
  // Never by the clock: what is judged together decides what fits together.
  const bool is_somebody_else =
      !of_person_.empty() && of_person_.front().picture.person != picture.person;
  if (is_somebody_else || (of_person_.size() >= kMostTogether && !request_.all_or_none)) judge();
  if (Clock::now() - stored_ > kBetweenStores && !request_.all_or_none) store();

  auto objection = picture_objection(faces, request_.rule);
  if (objection && !(request_.force && objection->may_be_forced))
    return settle(picture, PictureOutcome::Status::kRefused, std::move(objection));
  if (!model_) {
    model_ = faces.model;
    if (known_.model())
      Gallery::open(request_.gallery, Gallery::Mode::kReadOnly)->require_model(*model_);
  }
  FaceView view =
      view_of(face_to_enrol(faces), faces.picture.get(), source_of(picture.file, picture.hash));
  view.embedding = to_unit_length(view.embedding);
  of_person_.push_back({picture, std::move(view), std::move(objection)});
}

// All that was seen of one person.
void PictureEnrolment::judge() {
  if (of_person_.empty()) return;
  const std::string& person = of_person_.front().picture.person;
  std::map<std::string, std::size_t> first;  // of the pictures with the same contents
  std::vector<Embedding> views;
  std::vector<std::size_t> view_of_candidate;
  for (const Candidate& candidate : of_person_) {
    const std::string& hash = candidate.picture.hash;
    const auto [found, is_new] = first.try_emplace(hash, views.size());
    const bool is_another = is_new || hash.empty();
    view_of_candidate.push_back(is_another ? views.size() : found->second);
    // A picture is no witness for itself.
    if (is_another) views.push_back(candidate.view.embedding);
  }
  const auto objections = person_objections(person, views, known_, request_.rule);
  for (std::size_t i = 0; i < of_person_.size(); ++i)
    accept(std::move(of_person_[i]), std::optional<Refusal>(objections[view_of_candidate[i]]));
  of_person_.clear();
}

// Unless there is an objection.
void PictureEnrolment::accept(Candidate&& candidate, std::optional<Refusal>&& objection) {
  const PictureOfPerson& picture = candidate.picture;
  if (objection && !request_.force)
    return settle(picture, PictureOutcome::Status::kRefused, std::move(objection));
  if (objection) candidate.objection = std::move(objection);
  candidate.is_known = known_.has_picture(picture.person, picture.hash);
  if (!candidate.is_known) known_.add(picture.person, candidate.view.embedding, picture.hash);
  accepted_.push_back(std::move(candidate));
}

void PictureEnrolment::store() {
  const bool dropped = request_.all_or_none && counts_.refused > 0;
  std::vector<PersonViews> persons;
  std::vector<Candidate*> stored;
  for (Candidate& candidate : accepted_) {
    if (candidate.is_known) continue;
    if (persons.empty() || persons.back().name != candidate.picture.person)
      persons.push_back({candidate.picture.person, {}});
    persons.back().views.push_back(std::move(candidate.view));
    stored.push_back(&candidate);
  }
  if (!persons.empty() && !dropped)
    for (const std::size_t view : store_views(request_.gallery, persons, *model_))
      stored[view]->is_known = true;
  for (Candidate& candidate : accepted_) {
    const auto status = dropped               ? PictureOutcome::Status::kDropped
                        : candidate.is_known  ? PictureOutcome::Status::kKnown
                        : candidate.objection ? PictureOutcome::Status::kForced
                                              : PictureOutcome::Status::kEnrolled;
    if (candidate.is_known) candidate.objection.reset();
    settle(candidate.picture, status, std::move(candidate.objection));
  }
  accepted_.clear();
  stored_ = Clock::now();
}

void PictureEnrolment::settle(const PictureOfPerson& picture, PictureOutcome::Status status,
                              std::optional<Refusal> objection) {
  switch (status) {
    case PictureOutcome::Status::kEnrolled:
    case PictureOutcome::Status::kForced:
      ++counts_.enrolled;
      break;
    case PictureOutcome::Status::kRefused:
      ++counts_.refused;
      break;
    case PictureOutcome::Status::kKnown:
      ++counts_.known;
      break;
    case PictureOutcome::Status::kDropped:
      break;
  }
  report_({picture, status, std::move(objection)});
}

}  // namespace sightline
