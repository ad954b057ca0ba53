// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All streams of a run side by side, each with its name, in a window or in a file. A stream that is
// down leaves a grey tile; the wall goes on.

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/pipeline.h"
#include "app/recording.h"
#include "core/geometry.h"

namespace sightline {

// Where tiles lie: as square a grid as will hold them.
struct WallLayout {
  Size wall, tile;
  int columns = 1;

  static WallLayout of(std::size_t tiles);
  int x(std::size_t index) const { return static_cast<int>(index) % columns * tile.width; }
  int y(std::size_t index) const { return static_cast<int>(index) / columns * tile.height; }
};

class Wall {
 public:
  // A tile a name, all grey at first. `target` names a file (.mp4, .mov, .mkv); empty: a window.
  // Throws Error, UsageError.
  Wall(const std::vector<std::string>& names, const std::filesystem::path& target);
  ~Wall();
  Wall(const Wall&) = delete;
  Wall& operator=(const Wall&) = delete;

  // Throws UsageError unless the file's ending is that of a clip.
  static void require_fitting(const std::filesystem::path& target);

  // From any thread. Pictures that come faster than the wall's 15 a second are passed over.
  void show(std::size_t tile, GstSample* picture);
  void set_down(std::size_t tile);

  // Whether somebody closed the window. Throws Error if the wall can't go on.
  bool closed();
  // Ends the file, which then appears.
  void finish();

 private:
  struct Tile {
    GstElement* source = nullptr;
    GstElement* caption = nullptr;
    std::string name;
    GstClockTime next = 0;  // when it takes its next picture
  };

  void add_tile(const std::string& name, GstElement* compositor, std::size_t index);
  GstElement* add_compositor();

  Pipeline pipeline_;
  WallLayout layout_;
  std::vector<Tile> tiles_;
  SamplePtr grey_;
  GstElement* composed_ = nullptr;  // takes the pictures of the wall
  GstElement* window_ = nullptr;
  std::unique_ptr<Recording> recording_;
  std::mutex mutex_;  // of Tile::next
};

}  // namespace sightline
