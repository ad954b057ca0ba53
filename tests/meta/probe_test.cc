// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Buffers in the probes of sight_pad_add_probe(), between two pads without elements.

#include <functional>
#include <utility>
#include <vector>

#include <sightline/frame.h>
#include <sightline/probe.h>

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"

namespace {

using Function = std::function<GstPadProbeReturn(GstBuffer*)>;

class Probe : public testing::Test {
 protected:
  void SetUp() override {
    gst_pad_set_chain_function(to_, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      static_cast<std::vector<BufferPtr>*>(GST_PAD(pad)->chaindata)->emplace_back(buffer);
      return GST_FLOW_OK;
    });
    to_->chaindata = &arrived_;
    gst_pad_set_active(from_, TRUE);
    gst_pad_set_active(to_, TRUE);
    ASSERT_EQ(gst_pad_link(from_, to_), GST_PAD_LINK_OK);
    gst_pad_push_event(from_, gst_event_new_stream_start("test"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(from_, gst_event_new_segment(&segment));
  }

  void TearDown() override {
    gst_pad_set_active(from_, FALSE);
    gst_pad_set_active(to_, FALSE);
    gst_object_unref(from_);
    gst_object_unref(to_);
  }

  gulong add(Function function) {
    return sight_pad_add_probe(
        from_,
        [](GstPad*, GstBuffer* buffer, gpointer data) {
          return (*static_cast<Function*>(data))(buffer);
        },
        new Function(std::move(function)),
        [](gpointer data) { delete static_cast<Function*>(data); });
  }

  GstFlowReturn push(BufferPtr buffer) { return gst_pad_push(from_, buffer.release()); }

  GstPad* const from_ = gst_pad_new("from", GST_PAD_SRC);
  GstPad* const to_ = gst_pad_new("to", GST_PAD_SINK);
  std::vector<BufferPtr> arrived_;
};

GstPadProbeReturn add_object(GstBuffer* buffer) {
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  EXPECT_NE(frame, nullptr) << "not writable";
  const SightBox box{1, 2, 3, 4};
  if (frame != nullptr) sight_frame_add_object(frame, "found", 0, 1, &box, 0, nullptr);
  return GST_PAD_PROBE_OK;
}

guint objects_of(const BufferPtr& buffer) {
  const SightFrame* frame = sight_buffer_get_frame(buffer.get());
  return frame == nullptr ? 0 : sight_frame_get_n_objects(frame);
}

TEST_F(Probe, ABufferThatOthersHoldIsReplacedAndTheirsStays) {
  add(add_object);
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, 16, nullptr));
  const BufferPtr held(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(push(std::move(buffer)), GST_FLOW_OK);
  ASSERT_EQ(arrived_.size(), 1u);
  EXPECT_NE(arrived_[0].get(), held.get());
  EXPECT_EQ(gst_buffer_peek_memory(arrived_[0].get(), 0), gst_buffer_peek_memory(held.get(), 0))
      << "the pixels were copied";
  EXPECT_EQ(objects_of(arrived_[0]), 1u);
  EXPECT_EQ(objects_of(held), 0u);
}

TEST_F(Probe, ABufferThatNobodyElseHoldsStaysTheSame) {
  add(add_object);
  BufferPtr buffer = make_buffer();
  const GstBuffer* const same = buffer.get();
  push(std::move(buffer));
  ASSERT_EQ(arrived_.size(), 1u);
  EXPECT_EQ(arrived_[0].get(), same);
  EXPECT_EQ(objects_of(arrived_[0]), 1u);
}

TEST_F(Probe, WhatWasEditedIsSealedWhenTheBufferGoesOn) {
  SightFrame* edited = nullptr;
  add([&](GstBuffer* buffer) {
    edited = sight_frame_ref(sight_buffer_edit_frame(buffer, nullptr));
    return GST_PAD_PROBE_OK;
  });
  push(make_buffer());
  EXPECT_TRUE(sight_frame_is_sealed(edited));
  sight_frame_unref(edited);
}

TEST_F(Probe, DroppedAndHandledBuffersEndHere) {
  for (const GstPadProbeReturn result : {GST_PAD_PROBE_DROP, GST_PAD_PROBE_HANDLED}) {
    BufferPtr kept;
    const gulong id = add([&](GstBuffer* buffer) {
      kept.reset(gst_buffer_ref(buffer));
      return result;
    });
    EXPECT_EQ(push(make_buffer()), GST_FLOW_OK);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(kept.get()), 1);
    EXPECT_TRUE(arrived_.empty());
    gst_pad_remove_probe(from_, id);
  }
}

TEST_F(Probe, ARemovedProbeLetsGoOfItsData) {
  int destroyed = 0;
  const gulong id = sight_pad_add_probe(
      from_, [](GstPad*, GstBuffer*, gpointer) { return GST_PAD_PROBE_DROP; }, &destroyed,
      [](gpointer data) { ++*static_cast<int*>(data); });
  ASSERT_NE(id, 0u);
  gst_pad_remove_probe(from_, id);
  EXPECT_EQ(destroyed, 1);
  push(make_buffer());
  EXPECT_EQ(arrived_.size(), 1u);
}

}  // namespace
