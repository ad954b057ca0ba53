// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Stands before ONNX Runtime, by LD_PRELOAD or in its place for who loads it by name, and adds up
// the time that a program spends in runs of its networks, whatever language it calls them from.
// Part of bench/cascade_bench and of bench/enrolment. A program that cannot be asked writes the two
// figures when it ends, into the file that RUN_TIMER_FILE names.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <time.h>

#include <onnxruntime_c_api.h>

namespace {

std::atomic<std::int64_t> nanoseconds_in_runs = 0, core_nanoseconds_in_runs = 0;
decltype(OrtApi::Run) runtime_run = nullptr;
const OrtApiBase* runtime_base = nullptr;

// Of this thread, so without those that the runtime has of its own.
std::int64_t core_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

OrtStatus* ORT_API_CALL timed_run(OrtSession* session, const OrtRunOptions* options,
                                  const char* const* input_names, const OrtValue* const* inputs,
                                  std::size_t input_count, const char* const* output_names,
                                  std::size_t output_count, OrtValue** outputs) noexcept {
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t core_start = core_nanoseconds();
  OrtStatus* status = runtime_run(session, options, input_names, inputs, input_count, output_names,
                                  output_count, outputs);
  core_nanoseconds_in_runs += core_nanoseconds() - core_start;
  nanoseconds_in_runs += std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
  return status;
}

// The table of whoever is asked for, with our run in it. Functions are only ever added at the end,
// so that a copy of what this program was compiled with serves every older version.
const OrtApi* ORT_API_CALL timed_api(std::uint32_t version) noexcept {
  static const OrtApi* const newest = runtime_base->GetApi(ORT_API_VERSION);
  if (newest == nullptr || version > ORT_API_VERSION) return runtime_base->GetApi(version);
  static const OrtApi timed = [] {
    OrtApi copy = *newest;
    runtime_run = copy.Run;
    copy.Run = timed_run;
    return copy;
  }();
  return &timed;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) std::int64_t run_timer_nanoseconds() {
  return nanoseconds_in_runs;
}

__attribute__((visibility("default"))) std::int64_t run_timer_core_nanoseconds() {
  return core_nanoseconds_in_runs;
}

__attribute__((visibility("default"))) const OrtApiBase* ORT_API_CALL OrtGetApiBase() noexcept {
  static const OrtApiBase base = [] {
    void* runtime = dlopen("libonnxruntime.so.1", RTLD_NOW);
    if (runtime == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::abort();
    }
    runtime_base = reinterpret_cast<decltype(&OrtGetApiBase)>(dlsym(runtime, "OrtGetApiBase"))();
    return OrtApiBase{timed_api, runtime_base->GetVersionString};
  }();
  return &base;
}

}  // extern "C"

namespace {

__attribute__((destructor)) void write_figures() {
  const char* const path = std::getenv("RUN_TIMER_FILE");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%lld %lld\n", static_cast<long long>(nanoseconds_in_runs),
               static_cast<long long>(core_nanoseconds_in_runs));
  std::fclose(file);
}

}  // namespace
