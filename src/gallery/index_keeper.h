// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Keeps an index of a gallery up to date.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gallery/embedding_index.h"
#include "gallery/follower.h"
#include "gallery/gallery.h"
#include "gallery/neighbor_graph.h"
#include "gallery/person_table.h"

namespace sightline {

// Everything that deciding needs, never changed once it is published.
struct GalleryIndex {
  std::uint64_t version = 0;  // of those that a keeper has had
  std::string gallery;        // as Changes
  std::int64_t change = 0;
  std::optional<ModelFingerprint> model;
  OwnRule rule;
  std::optional<Calibration> calibration;
  Compare compare = Compare::kBest;  // what counts: what was asked for, else the gallery's own
  PersonTable persons;
  EmbeddingIndex embeddings{1};  // empty until there is a model
  EmbeddingIndex means{1};       // of each person (person_means.h); empty unless compared with
};

// What `changes` make of `before` (null: of nothing). Rows of `before` that are no more are added
// to `removed_rows`. Throws Error(kGallery) if the gallery is of another model now.
std::shared_ptr<GalleryIndex> with_changes(const GalleryIndex* before, const Changes& changes,
                                           std::vector<std::uint32_t>& removed_rows);

// A thread of its own looks for changes every 250 ms, applies them to a copy of the index and
// publishes it: who searches never waits. Another one makes what takes long, while the index is
// searched without: the graph of a large gallery, and its file.
class IndexKeeper {
 public:
  // `compare`: whatever the gallery says. Throws as Follower::open, and if the gallery cannot be
  // read.
  IndexKeeper(const std::string& location, std::optional<Compare> compare);
  ~IndexKeeper();
  IndexKeeper(const IndexKeeper&) = delete;
  IndexKeeper& operator=(const IndexKeeper&) = delete;

  std::shared_ptr<const GalleryIndex> current() const;
  std::string problem() const;  // that the last look found; empty: none

 private:
  class Task;

  void open();
  std::shared_ptr<GalleryIndex> from_file();
  void follow();
  void look();
  void take(const Changes& changes);
  Compare compare_by(const OwnRule& rule) const;
  void publish(std::shared_ptr<GalleryIndex> index);
  void set_problem(const std::string& problem);
  void tend();
  void finish_task();
  void begin_task();
  void tend_graph();
  bool is_stopping() const;

  const std::string location_;
  const bool has_file_;  // beside the gallery there may be an index file
  const std::optional<Compare> compare_;
  std::unique_ptr<Follower> follower_;
  std::string lasting_problem_;  // stays until there are other changes

  // Of the thread that looks.
  std::vector<std::uint32_t> to_wipe_;  // removed rows that are in the graph still
  std::unique_ptr<Task> task_;
  std::uint64_t renumbered_ = 0;  // how often rows got other numbers
  std::size_t rows_in_file_ = 0;  // 0: there is none, or it must be written again
  bool graph_in_file_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable stop_;
  bool stopping_ = false;
  std::shared_ptr<const GalleryIndex> index_;
  std::string problem_;

  std::thread thread_;  // the last to be made, the first to end
};

// Makes the graph, if the gallery is large enough for one, and writes the index file, so that no
// other program has to. `progress` is told how many of how many embeddings are in, and stops it by
// returning false. Throws Error(kGallery). Returns false if it was stopped, or there is no such
// file of this gallery: a small one, or a database.
bool make_index_file(const std::string& location,
                     const std::function<bool(std::size_t, std::size_t)>& progress);

}  // namespace sightline
