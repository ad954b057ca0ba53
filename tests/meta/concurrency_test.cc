// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many threads on one frame: readers, and writers that each own a buffer of their own with the same
// results. ThreadSanitizer sees what a plain run does not.

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "meta/handles.h"

namespace {

using sightline::FrameHandle;

constexpr int kThreads = 8, kRounds = 300, kObjects = 5;
constexpr SightBox kBox = {1, 2, 3, 4};

void read_everything(SightFrame* frame) {
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    SightBox box;
    sight_object_get_box(object, &box);
    EXPECT_EQ(box.width, 3);
  }
  g_free(sight_frame_to_json(frame, 0));
}

// Adds one object and changes another on a copy of the buffer.
void add_and_change(GstBuffer* shared, int thread) {
  BufferPtr mine(gst_buffer_copy(shared));
  SightFrame* frame = sight_buffer_edit_frame(mine.get(), nullptr);
  const std::string label = "thread " + std::to_string(thread);
  ASSERT_NE(sight_frame_add_object(frame, label.c_str(), 0, 1, &kBox, 0, nullptr), nullptr);
  SightObject* object = sight_frame_edit_object(frame, sight_frame_get_object(frame, 0), nullptr);
  ASSERT_TRUE(sight_object_set_track(object, thread, nullptr));
  const SightFrame* read = sight_buffer_get_frame(mine.get());
  ASSERT_EQ(sight_frame_get_n_objects(read), kObjects + 1u);
  EXPECT_STREQ(sight_object_get_label(sight_frame_get_object(read, kObjects)), label.c_str());
  guint64 track = 0;
  EXPECT_TRUE(sight_object_get_track(sight_frame_get_object(read, 0), &track));
  EXPECT_EQ(track, static_cast<guint64>(thread));
}

TEST(Concurrency, EveryWriterSeesItsOwnChangesAndNobodyElses) {
  BufferPtr shared = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(shared.get(), nullptr);
  for (int i = 0; i < kObjects; ++i)
    sight_frame_add_object(frame, "first", 0, 1, &kBox, 0, nullptr);

  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) {
        if (thread % 2 == 0)
          add_and_change(shared.get(), thread);
        else
          read_everything(sight_buffer_get_frame(shared.get()));
      }
    });
  threads.clear();
  EXPECT_EQ(sight_frame_get_n_objects(sight_buffer_get_frame(shared.get())), guint{kObjects});
  EXPECT_FALSE(sight_object_get_track(sight_frame_get_object(frame, 0), nullptr));
}

TEST(Concurrency, IdsAreUnique) {
  std::vector<std::vector<guint64>> ids(kThreads);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      auto frame = FrameHandle::adopt(sight_frame_new(1, 1));
      for (int round = 0; round < kRounds; ++round)
        ids[thread].push_back(sight_object_get_id(
            sight_frame_add_object(frame.get(), nullptr, 0, 1, &kBox, 0, nullptr)));
    });
  threads.clear();
  std::set<guint64> all;
  for (const auto& some : ids) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kRounds));
  EXPECT_FALSE(all.contains(0));
}

}  // namespace
