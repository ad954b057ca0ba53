// SPDX-License-Identifier: LGPL-2.1-or-later
//
// NVIDIA GPUs through the driver's own interface. The driver's library is opened when the first GPU
// is asked for and never linked to, so that one build runs with and without it; cuda.h stays inside
// cuda.cc.
//
// All work is done in a device's primary context, the one that the CUDA runtime, and so ONNX
// Runtime, uses, too. Functions make it current for as long as they need it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct CUctx_st;
struct CUevent_st;
struct CUfunc_st;
struct CUgraphExec_st;
struct CUmod_st;
struct CUstream_st;

namespace sightline::cuda {

using Address = unsigned long long;  // in device memory

// What the machine has, for people and for choosing.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;  // "NVIDIA H100 80GB HBM3"
  int compute_major = 0, compute_minor = 0;
  std::size_t memory_bytes = 0;
};

// "13.0" of the interface that the driver offers. Throws Error(kDevice) that says what is missing,
// and the least that would do: the build has no CUDA, no driver, one that is too old, or no GPU.
std::string driver_version();
std::vector<DeviceInfo> devices();  // likewise

class Device {
 public:
  // The device of this ordinal, one object a process while somebody has it. Throws Error(kDevice)
  // as above, or that names the devices there are.
  static std::shared_ptr<const Device> open(int ordinal);

  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  const DeviceInfo& info() const { return info_; }
  int handle() const { return handle_; }
  CUctx_st* context() const { return context_; }

 private:
  explicit Device(DeviceInfo info);

  DeviceInfo info_;
  int handle_ = 0;
  CUctx_st* context_ = nullptr;
};

using DevicePtr = std::shared_ptr<const Device>;

// Makes a device's context this thread's while it lives.
class Current {
 public:
  explicit Current(const Device& device);
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  ~Current();
};

class Event;

// Work in order; does not wait for the default stream.
class Stream {
 public:
  explicit Stream(DevicePtr device);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  const DevicePtr& device() const { return device_; }
  CUstream_st* handle() const { return stream_; }

  // Host memory that is not pinned makes these wait.
  void upload(Address to, const void* from, std::size_t bytes) const;
  void download(void* to, Address from, std::size_t bytes) const;
  // `rows` rows of `row_bytes`, which lie `from_stride` and `to_stride` bytes apart.
  void upload_rows(Address to, std::size_t to_stride, const void* from, std::size_t from_stride,
                   std::size_t row_bytes, std::size_t rows) const;
  void copy(Address to, Address from, std::size_t bytes) const;  // within the device
  void fill(Address to, std::uint8_t value, std::size_t bytes) const;
  // What is put into it from now on waits, on the device, until the event has passed.
  void wait_for(const Event& event) const;
  void wait_on_host() const;

 private:
  DevicePtr device_;
  CUstream_st* stream_ = nullptr;
};

// For the work in a stream that is not ours.
void wait_on_host(const Device& device, CUstream_st* stream);

// A point in a stream's work.
class Event {
 public:
  enum class Timing { kOff, kOn };
  explicit Event(DevicePtr device, Timing timing = Timing::kOff);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  void record(const Stream& stream);
  void record(CUstream_st* stream);  // of this context, but not ours
  CUevent_st* handle() const { return event_; }
  bool has_passed() const;
  void wait_on_host() const;  // no wait if it was never recorded
  // Between two events that have passed and were made with Timing::kOn.
  static float milliseconds(const Event& begin, const Event& end);

 private:
  DevicePtr device_;
  CUevent_st* event_ = nullptr;
};

// Throws Error(kFailed) where the device has no more, with how much was asked for.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(DevicePtr device, std::size_t bytes);
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();

  Address address() const { return address_; }
  std::size_t bytes() const { return bytes_; }

 private:
  DevicePtr device_;
  Address address_ = 0;
  std::size_t bytes_ = 0;
};

// Host memory that the device copies from and to by itself.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(DevicePtr device, std::size_t bytes);
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) noexcept;
  ~PinnedMemory();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  DevicePtr device_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Work that was recorded once and is started as a whole, with the addresses that it had then.
class Graph {
 public:
  // What `work` puts into `stream` is recorded, not done. What it copies from pinned memory of the
  // host is copied from there once, now, and the same each time. Throws what `work` throws, and
  // Error(kFailed) where the driver refuses (work that waits for the device, for example), or if
  // something recorded calls the host, writes its memory, or reads such as is not pinned.
  Graph(const Stream& stream, const std::function<void()>& work);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  void launch(const Stream& stream) const;

 private:
  DevicePtr device_;
  std::vector<PinnedMemory> sources_;
  CUgraphExec_st* graph_ = nullptr;
};

struct Extent {
  unsigned x = 1, y = 1, z = 1;
};

// Kernels that were compiled when the project was built.
class Module {
 public:
  // Throws Error(kDevice) if the image holds no code for this device, or its driver is too old.
  Module(DevicePtr device, std::span<const unsigned char> image);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  CUfunc_st* function(const char* name) const;

 private:
  DevicePtr device_;
  CUmod_st* module_ = nullptr;
};

// `arguments` point to the kernel's parameters in order.
void launch(CUfunc_st* function, Extent grid, Extent block, std::span<void* const> arguments,
            const Stream& stream);

}  // namespace sightline::cuda
