// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Another model while frames come.

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using testing::Ptr;

class SightInferChange : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  // As config(), in a file of its own.
  std::string other(const std::string& name, const std::string& keys) const {
    return folder_
        .write(name,
               "[property]\nonnx-file = mean.onnx\nmodel-family = raw\nbatch-size = 4\n"
               "engine-workers = 2\nengine-threads = 1\n" +
                   keys)
        .string();
  }
  static void change(Element& stage, const std::string& file) {
    g_object_set(stage.element(), "config-file", file.c_str(), nullptr);
  }
  // Waits until a change has been made or refused. What it says, after the warnings before it.
  static std::string outcome(Element& stage) {
    std::string text;
    EXPECT_TRUE(testing::eventually([&] {
      const Ptr<GstMessage> message =
          stage.message(static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING));
      if (message == nullptr) return false;
      if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_WARNING) {
        GError* error = nullptr;
        gst_message_parse_warning(message.get(), &error, nullptr);
        text += std::string("warning: ") + error->message + "\n";
        g_error_free(error);
        return false;
      }
      const GstStructure* structure = gst_message_get_structure(message.get());
      if (!gst_structure_has_name(structure, "sightinfer-model-updated")) return false;
      gboolean changed = FALSE;
      gst_structure_get_boolean(structure, "changed", &changed);
      text += changed ? "changed" : gst_structure_get_string(structure, "problem");
      return true;
    }));
    return text;
  }
  static std::vector<float> seen(Element& stage, int level) {
    EXPECT_EQ(stage.push(grey(level)), GST_FLOW_OK);
    return values(pull(stage));
  }
};

TEST_P(SightInferChange, TheNewOneIsTakenBetweenTwoFrames) {
  const auto stage = element(config(), GetParam(), "unique-id=7");
  EXPECT_EQ(seen(*stage, 100), mean(100));
  std::promise<std::string> signal;
  auto signalled = signal.get_future();
  g_signal_connect(stage->element(), "model-updated",
                   G_CALLBACK(+[](GstElement*, int error, const char* file, gpointer promise) {
                     static_cast<std::promise<std::string>*>(promise)->set_value(
                         std::to_string(error) + " " + file);
                   }),
                   &signal);
  const std::string half = other("half.ini", "net-scale-factor = 0.5\n");
  change(*stage, half);
  EXPECT_EQ(outcome(*stage), "changed");
  EXPECT_EQ(seen(*stage, 100), mean(50));
  ASSERT_EQ(signalled.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(signalled.get(), "0 " + half);
  gchar* file = nullptr;
  g_object_get(stage->element(), "config-file", &file, nullptr);
  EXPECT_EQ(file, half);
  g_free(file);
}

TEST_P(SightInferChange, AWrongOneIsRefusedAndTheOldOneStays) {
  const auto stage = element(config(), GetParam());
  EXPECT_EQ(seen(*stage, 100), mean(100));
  for (const auto& [file, complaint] :
       {std::pair{other("wrong.ini", "net-scale-fcator = 0.5\n"), "Did you mean net-scale-factor?"},
        {std::string("/nowhere/none.ini"), "no such configuration file"},
        {other("none.ini", "onnx-file = none.onnx\n"), "onnx-file"}}) {
    change(*stage, file);
    EXPECT_THAT(outcome(*stage),
                AllOf(HasSubstr("warning: "), HasSubstr(complaint), HasSubstr("goes on working")));
    EXPECT_EQ(seen(*stage, 100), mean(100));
  }
}

// Frames come without a break while models change; each is seen whole by one of them, in order.
TEST_P(SightInferChange, UnderLoadNoFrameIsLostOrSeenByHalf) {
  const auto stage = element(config(), GetParam());
  const std::string half = other("half.ini", "net-scale-factor = 0.5\n"),
                    twice = other("twice.ini", "net-scale-factor = 2\n");
  constexpr int kFrames = 600;
  std::atomic<int> pushed{0};
  std::thread changer([&] {
    for (int i = 0; i < 6; ++i) {
      const int after = (i + 1) * kFrames / 8;
      while (pushed < after) std::this_thread::yield();
      change(*stage, i % 2 == 0 ? half : twice);
    }
  });
  std::set<float> factors;
  int pulled = 0;
  const auto look_at = [&](const Ptr<GstBuffer>& out) {
    const auto level = static_cast<float>(1 + pulled++ % 100);
    for (const float factor : {1.f, 0.5f, 2.f})
      if (values(out) == mean(factor * level)) {
        factors.insert(factor);
        return;
      }
    ADD_FAILURE() << "none of the models says " << values(out).at(0) << " of " << level;
  };
  const auto push_one = [&] {
    EXPECT_EQ(stage->push(grey(1 + pushed % 100)), GST_FLOW_OK);
    ++pushed;
    while (const Ptr<GstBuffer> out = stage->pull()) look_at(out);
  };
  while (pushed < kFrames) {
    push_one();
    if (pushed % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  // On a busy machine the first model may take longer to load than all these frames.
  EXPECT_TRUE(testing::eventually([&] {
    if (factors.size() > 1) return true;
    push_one();
    return false;
  })) << "no change was made while frames came";
  changer.join();
  while (pulled < pushed) look_at(pull(*stage));
}

TEST_P(SightInferChange, AfterAStopNothingChangesAnyMore) {
  const std::string before = config();
  const auto stage = element(before, GetParam());
  const std::string half = other("half.ini", "net-scale-factor = 0.5\n");
  change(*stage, half);
  gst_element_set_state(stage->element(), GST_STATE_NULL);
  // It may have been made before.
  const bool changed = Ptr<GstMessage>(stage->message(GST_MESSAGE_ELEMENT)) != nullptr;
  gchar* file = nullptr;
  g_object_get(stage->element(), "config-file", &file, nullptr);
  EXPECT_EQ(file, changed ? half : before);
  g_free(file);
  EXPECT_EQ(stage->message(GST_MESSAGE_ELEMENT), nullptr);
}

// Among properties that need a stage that is closed, only the file may be set at any time.
TEST_P(SightInferChange, OtherPropertiesStay) {
  const auto stage = element(config(), GetParam());
  g_object_set(stage->element(), "process-mode", 2, nullptr);
  EXPECT_THAT(stage->warning_text(),
              HasSubstr("process-mode can be set in the states NULL and READY"));
}

INSTANTIATE_TEST_SUITE_P(Window, SightInferChange, ::testing::Values(1, 4));

}  // namespace
}  // namespace sightline
