// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What bench/cuda_copies.cc counts, with a driver that stands in for NVIDIA's.

#include "../../bench/cuda_copies.h"

#include <cuda.h>
#include <dlfcn.h>

#include <gtest/gtest.h>

#include "fake_driver.h"

namespace sightline {
namespace {

using bench::CudaCopies;
using testing::FakeGraph;
using testing::kDevice;
using testing::kKnown;

class CudaCopiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(driver_, nullptr) << dlerror();
    sightline_forget_cuda_copies();
  }

  template <typename... Arguments>
  void call(const char* name, Arguments... arguments) {
    void* const function = dlsym(driver_, name);
    ASSERT_NE(function, nullptr) << name;
    EXPECT_EQ(reinterpret_cast<CUresult (*)(Arguments...)>(function)(arguments...), CUDA_SUCCESS);
  }
  void* found_by(const char* name, int version) {
    void* function = nullptr;
    call<const char*, void**, int, cuuint64_t>("cuGetProcAddress", name, &function, version, 0);
    return function;
  }
  static CudaCopies counted() {
    CudaCopies copies;
    sightline_cuda_copies(&copies);
    return copies;
  }

  void* const driver_ = dlopen("libcuda.so.1", RTLD_NOW);
  FakeGraph inner_{{{kKnown, kDevice, 7}}};
  FakeGraph graph_{{{kDevice, kKnown, 100},     // to the device
                    {},                         // a kernel
                    {kKnown, kDevice + 8, 30},  // to the host
                    {kDevice, kDevice + 8, 5},  // within the device
                    {0, 0, 0, &inner_}}};
};

TEST_F(CudaCopiesTest, CountsCopiesByTheirWay) {
  call<void*, CUdeviceptr, std::size_t, CUstream>("cuMemcpyDtoHAsync_v2", nullptr, kDevice, 10,
                                                  nullptr);
  call<CUdeviceptr, const void*, std::size_t>("cuMemcpyHtoD_v2", kDevice, nullptr, 20);
  call<CUdeviceptr, CUdeviceptr, std::size_t, CUstream>("cuMemcpyAsync", 1, kDevice, 40, nullptr);
  const CudaCopies copies = counted();
  EXPECT_EQ(copies.to_host, 50u);
  EXPECT_EQ(copies.copies_to_host, 2u);
  EXPECT_EQ(copies.largest_to_host, 40u);
  EXPECT_EQ(copies.to_device, 20u);
  sightline_forget_cuda_copies();
  EXPECT_EQ(counted().to_host, 0u);
}

TEST_F(CudaCopiesTest, ARecordedCopyIsNotDone) {
  call<void*, CUdeviceptr, std::size_t, CUstream>("cuMemcpyDtoHAsync_v2", nullptr, kDevice, 10,
                                                  testing::recording_stream());
  EXPECT_EQ(counted().copies_to_host, 0u);
}

TEST_F(CudaCopiesTest, EachLaunchOfAGraphCountsItsCopiesAndThoseOfGraphsInIt) {
  auto* const graph = reinterpret_cast<CUgraph>(&graph_);
  CUgraphExec made = nullptr;
  call<CUgraphExec*, CUgraph, unsigned long long>("cuGraphInstantiateWithFlags", &made, graph, 0);
  EXPECT_EQ(counted().to_host, 0u);
  for (int i = 0; i < 3; ++i) call<CUgraphExec, CUstream>("cuGraphLaunch", made, nullptr);
  CudaCopies copies = counted();
  EXPECT_EQ(copies.to_host, 3u * 37);
  EXPECT_EQ(copies.copies_to_host, 6u);
  EXPECT_EQ(copies.to_device, 300u);
  EXPECT_EQ(copies.on_device, 15u);
  call<CUgraphExec, CUstream>("cuGraphLaunch", made, testing::recording_stream());
  call<CUgraphExec>("cuGraphExecDestroy", made);
  call<CUgraphExec, CUstream>("cuGraphLaunch", made, nullptr);
  EXPECT_EQ(counted().to_host, 3u * 37);
}

// A name means another function to who asks for CUDA 12.
TEST_F(CudaCopiesTest, FunctionsThatAreFoundByVersionCountToo) {
  auto* const graph = reinterpret_cast<CUgraph>(&graph_);
  CUgraphExec made = nullptr;
  using Older = CUresult (*)(CUgraphExec*, CUgraph, CUgraphNode*, char*, std::size_t);
  using Newer = CUresult (*)(CUgraphExec*, CUgraph, unsigned long long);
  const auto older = reinterpret_cast<Older>(found_by("cuGraphInstantiate", 11040));
  const auto newer = reinterpret_cast<Newer>(found_by("cuGraphInstantiate", 12000));
  ASSERT_NE(reinterpret_cast<void*>(older), reinterpret_cast<void*>(newer));
  older(&made, graph, nullptr, nullptr, 0);
  call<CUgraphExec, CUstream>("cuGraphLaunch", made, nullptr);
  EXPECT_EQ(counted().to_host, 37u);
  call<CUgraphExec>("cuGraphExecDestroy", made);
  newer(&made, graph, 0);
  call<CUgraphExec, CUstream>("cuGraphLaunch", made, nullptr);
  EXPECT_EQ(counted().to_host, 74u);
  using Copy = CUresult (*)(void*, CUdeviceptr, std::size_t, CUstream);
  reinterpret_cast<Copy>(found_by("cuMemcpyDtoHAsync", 12000))(nullptr, kDevice, 6, nullptr);
  EXPECT_EQ(counted().to_host, 80u);
}

}  // namespace
}  // namespace sightline
