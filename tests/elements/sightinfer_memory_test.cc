// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer and frames that its network cannot reach. With a GPU: sightinfer_cuda_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using testing::InferTest;
using ::testing::Not;
using testing::Ptr;

#ifdef SIGHTLINE_CUDA

constexpr char kInCudaMemory[] =
    "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=48,framerate=25/1";

class SightInferMemory : public InferTest, public ::testing::Test {
 protected:
  // What the sink pad takes from somebody who has `offered`.
  static std::string taken(Element& element, const char* offered) {
    GstCaps* filter = gst_caps_from_string(offered);
    GstPad* pad = gst_element_get_static_pad(element.element(), "sink");
    GstCaps* caps = gst_pad_query_caps(pad, filter);
    gchar* text = gst_caps_to_string(caps);
    const std::string result = text;
    g_free(text);
    gst_caps_unref(caps);
    gst_object_unref(pad);
    gst_caps_unref(filter);
    return result;
  }
};

TEST_F(SightInferMemory, ANetworkOnTheCpuSaysWhatToDoWithFramesInCudaMemory) {
  Element element("sightinfer config-file=" + config("device = cpu\n"));
  element.set_caps(kInCudaMemory);
  element.push(frame(64, 48, 1, 2, 3));
  std::string said;
  EXPECT_TRUE(testing::eventually([&] { return !(said = element.error_text()).empty(); }));
  EXPECT_THAT(
      said, AllOf(HasSubstr("CUDA memory"), HasSubstr("cudadownload"), HasSubstr("device=cuda:0")));
}

TEST_F(SightInferMemory, WhoHasAChoiceIsToSendSystemMemoryToANetworkOnTheCpu) {
  Element element("sightinfer config-file=" + config("device = cpu\n"));
  const std::string both = std::string(kInCudaMemory) + "; " + caps(64, 48);
  EXPECT_THAT(taken(element, both.c_str()), AllOf(HasSubstr("RGB"), Not(HasSubstr("CUDAMemory"))));
  EXPECT_THAT(taken(element, "video/x-raw(memory:CUDAMemory)"), HasSubstr("CUDAMemory"));
}

// As decodebin's decoders do: linked after they have fixed their caps, they ask whether these will
// do, and choose others before the first frame if not.
TEST_F(SightInferMemory, WhoHasChosenCudaMemoryMayChooseAnewBeforeTheFirstFrame) {
  Element element("sightinfer config-file=" + config("device = cpu\n"));
  element.set_caps(kInCudaMemory);
  EXPECT_EQ(taken(element, kInCudaMemory), "EMPTY");
  element.set_caps(caps(8, 6));
  EXPECT_EQ(element.push(grey(100)), GST_FLOW_OK);
  EXPECT_NE(pull(element), nullptr);
  EXPECT_EQ(element.error_text(), "");
}

TEST_F(SightInferMemory, BeforeAModelIsLoadedBothAreTaken) {
  const Ptr<GstElement> element(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("sightinfer", nullptr))));
  GstPad* pad = gst_element_get_static_pad(element.get(), "sink");
  GstCaps* caps = gst_pad_query_caps(pad, nullptr);
  GstCaps* cuda = gst_caps_from_string(kInCudaMemory);
  EXPECT_TRUE(gst_caps_can_intersect(caps, cuda));
  gst_caps_unref(cuda);
  gst_caps_unref(caps);
  gst_object_unref(pad);
}

TEST_F(SightInferMemory, AGpuThatIsNotThereIsAnErrorThatSaysWhatIsMissing) {
  EXPECT_THAT(testing::start_error("sightinfer config-file=" + config("device = cuda:99\n")),
              AllOf(HasSubstr("cuda:99"), HasSubstr("is not there"), HasSubstr("device = cpu")));
}

#endif

}  // namespace
}  // namespace sightline
