// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/cuda.h"

#include <cstring>
#include <optional>
#include <utility>

#include <cuda.h>
#include <dlfcn.h>

#include "core/error.h"
#include "core/shared_values.h"

namespace sightline::cuda {

namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// The functions that are used, by the names that cuda.h gives them ("cuMemAlloc" is a macro for
// "cuMemAlloc_v2").
#define SIGHTLINE_CUDA_FUNCTIONS(F) \
  F(cuInit)                         \
  F(cuDriverGetVersion)             \
  F(cuGetErrorName)                 \
  F(cuGetErrorString)               \
  F(cuDeviceGetCount)               \
  F(cuDeviceGet)                    \
  F(cuDeviceGetName)                \
  F(cuDeviceGetAttribute)           \
  F(cuDeviceTotalMem)               \
  F(cuDevicePrimaryCtxRetain)       \
  F(cuDevicePrimaryCtxRelease)      \
  F(cuCtxPushCurrent)               \
  F(cuCtxPopCurrent)                \
  F(cuStreamCreate)                 \
  F(cuStreamDestroy)                \
  F(cuStreamSynchronize)            \
  F(cuStreamWaitEvent)              \
  F(cuStreamBeginCapture)           \
  F(cuStreamEndCapture)             \
  F(cuGraphGetNodes)                \
  F(cuGraphNodeGetType)             \
  F(cuGraphMemcpyNodeGetParams)     \
  F(cuGraphMemcpyNodeSetParams)     \
  F(cuPointerGetAttribute)          \
  F(cuGraphInstantiate)             \
  F(cuGraphDestroy)                 \
  F(cuGraphExecDestroy)             \
  F(cuGraphLaunch)                  \
  F(cuEventCreate)                  \
  F(cuEventDestroy)                 \
  F(cuEventRecord)                  \
  F(cuEventSynchronize)             \
  F(cuEventQuery)                   \
  F(cuEventElapsedTime)             \
  F(cuMemAlloc)                     \
  F(cuMemFree)                      \
  F(cuMemHostAlloc)                 \
  F(cuMemFreeHost)                  \
  F(cuMemcpyHtoDAsync)              \
  F(cuMemcpyDtoHAsync)              \
  F(cuMemcpyDtoDAsync)              \
  F(cuMemcpy2DAsync)                \
  F(cuMemsetD8Async)                \
  F(cuModuleLoadData)               \
  F(cuModuleUnload)                 \
  F(cuModuleGetFunction)            \
  F(cuLaunchKernel)

#define SIGHTLINE_TEXT(name) #name
#define SIGHTLINE_POINTER(name) decltype(&::name) name = nullptr;
#define SIGHTLINE_LOAD(name) name = reinterpret_cast<decltype(name)>(find(SIGHTLINE_TEXT(name)));

class Driver {
 public:
  SIGHTLINE_CUDA_FUNCTIONS(SIGHTLINE_POINTER)

  Driver() : library_(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr)
      throw Error(ErrorCode::kDevice,
                  std::string("NVIDIA's driver is not there: ") + dlerror() + ". " + needed());
    SIGHTLINE_CUDA_FUNCTIONS(SIGHTLINE_LOAD)
    if (const CUresult result = cuInit(0); result != CUDA_SUCCESS)
      throw Error(ErrorCode::kDevice, "NVIDIA's driver does not start: " + text(result));
  }

  int version() const {
    int number = 0;
    check(cuDriverGetVersion(&number), "cuDriverGetVersion");
    return number;
  }

  std::string text(CUresult result) const {
    const char* name = nullptr;
    const char* words = nullptr;
    if (cuGetErrorName(result, &name) != CUDA_SUCCESS || name == nullptr) name = "unknown";
    if (cuGetErrorString(result, &words) != CUDA_SUCCESS || words == nullptr) words = "no words";
    return std::string(words) + " (" + name + ")";
  }

  void check(CUresult result, const char* what) const {
    if (result != CUDA_SUCCESS)
      throw Error(ErrorCode::kFailed, std::string("CUDA: ") + what + ": " + text(result));
  }

  static std::string needed() {
    return "This build needs a driver that offers CUDA " + version_text(CUDA_VERSION) +
           " or newer: see `sightline doctor`";
  }

 private:
  // A driver that lacks a function is older than the headers; one of an older minor version that
  // has them all will do.
  void* find(const char* name) {
    if (void* const function = dlsym(library_, name)) return function;
    std::string found = "its version is unknown";
    int version = 0;
    if (cuDriverGetVersion != nullptr && cuDriverGetVersion(&version) == CUDA_SUCCESS)
      found = "it offers CUDA " + version_text(version);
    throw Error(ErrorCode::kDevice,
                std::string("NVIDIA's driver lacks ") + name + "; " + found + ". " + needed());
  }

  void* library_;  // stays for the process: the driver does not take to being unloaded
};

#undef SIGHTLINE_LOAD
#undef SIGHTLINE_POINTER
#undef SIGHTLINE_TEXT

// Tried again after a failure, so that each who asks is told why.
const Driver& driver() {
  static const Driver the_driver;
  return the_driver;
}

int attribute(CUdevice device, CUdevice_attribute which) {
  int value = 0;
  driver().check(driver().cuDeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
  return value;
}

DeviceInfo describe(int ordinal) {
  const Driver& d = driver();
  CUdevice device = 0;
  d.check(d.cuDeviceGet(&device, ordinal), "cuDeviceGet");
  char name[256] = {};
  d.check(d.cuDeviceGetName(name, sizeof name - 1, device), "cuDeviceGetName");
  DeviceInfo info{ordinal, name, attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                  attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR), 0};
  d.check(d.cuDeviceTotalMem(&info.memory_bytes, device), "cuDeviceTotalMem");
  return info;
}

// For destructors: when the process ends, the driver may have gone first, and has freed all itself.
template <typename F>
void release(const Device& device, F&& free) {
  if (driver().cuCtxPushCurrent(device.context()) != CUDA_SUCCESS) return;
  free();
  CUcontext popped = nullptr;
  driver().cuCtxPopCurrent(&popped);
}

}  // namespace

std::string driver_version() { return version_text(driver().version()); }

std::vector<DeviceInfo> devices() {
  const Driver& d = driver();
  int count = 0;
  d.check(d.cuDeviceGetCount(&count), "cuDeviceGetCount");
  std::vector<DeviceInfo> all;
  for (int i = 0; i < count; ++i) all.push_back(describe(i));
  return all;
}

std::shared_ptr<const Device> Device::open(int ordinal) {
  static SharedValues<int, const Device> open_ones;
  return open_ones.get(ordinal, [ordinal] {
    const std::vector<DeviceInfo> all = devices();
    if (ordinal < 0 || ordinal >= static_cast<int>(all.size())) {
      std::string known;
      for (const DeviceInfo& info : all)
        known +=
            (known.empty() ? "" : ", ") + std::to_string(info.ordinal) + " (" + info.name + ")";
      throw Error(ErrorCode::kDevice, "there is no GPU " + std::to_string(ordinal) +
                                          ". There are: " + (known.empty() ? "none" : known));
    }
    return std::shared_ptr<const Device>(new Device(all[static_cast<std::size_t>(ordinal)]));
  });
}

Device::Device(DeviceInfo info) : info_(std::move(info)) {
  const Driver& d = driver();
  d.check(d.cuDeviceGet(&handle_, info_.ordinal), "cuDeviceGet");
  d.check(d.cuDevicePrimaryCtxRetain(&context_, handle_), "cuDevicePrimaryCtxRetain");
}

Device::~Device() { driver().cuDevicePrimaryCtxRelease(handle_); }

Current::Current(const Device& device) {
  driver().check(driver().cuCtxPushCurrent(device.context()), "cuCtxPushCurrent");
}

Current::~Current() {
  CUcontext popped = nullptr;
  driver().cuCtxPopCurrent(&popped);
}

Stream::Stream(DevicePtr device) : device_(std::move(device)) {
  const Current current(*device_);
  driver().check(driver().cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
}

Stream::~Stream() {
  release(*device_, [this] { driver().cuStreamDestroy(stream_); });
}

void Stream::upload(Address to, const void* from, std::size_t bytes) const {
  const Current current(*device_);
  driver().check(driver().cuMemcpyHtoDAsync(to, from, bytes, stream_), "copying to the GPU");
}

void Stream::download(void* to, Address from, std::size_t bytes) const {
  const Current current(*device_);
  driver().check(driver().cuMemcpyDtoHAsync(to, from, bytes, stream_), "copying from the GPU");
}

void Stream::upload_rows(Address to, std::size_t to_stride, const void* from,
                         std::size_t from_stride, std::size_t row_bytes, std::size_t rows) const {
  const Current current(*device_);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from;
  copy.srcPitch = from_stride;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = to;
  copy.dstPitch = to_stride;
  copy.WidthInBytes = row_bytes;
  copy.Height = rows;
  driver().check(driver().cuMemcpy2DAsync(&copy, stream_), "copying rows to the GPU");
}

void Stream::copy(Address to, Address from, std::size_t bytes) const {
  const Current current(*device_);
  driver().check(driver().cuMemcpyDtoDAsync(to, from, bytes, stream_), "copying on the GPU");
}

void Stream::fill(Address to, std::uint8_t value, std::size_t bytes) const {
  const Current current(*device_);
  driver().check(driver().cuMemsetD8Async(to, value, bytes, stream_), "filling GPU memory");
}

void Stream::wait_for(const Event& event) const {
  const Current current(*device_);
  driver().check(driver().cuStreamWaitEvent(stream_, event.handle(), CU_EVENT_WAIT_DEFAULT),
                 "waiting for an event");
}

void Stream::wait_on_host() const { cuda::wait_on_host(*device_, stream_); }

void wait_on_host(const Device& device, CUstream_st* stream) {
  const Current current(device);
  driver().check(driver().cuStreamSynchronize(stream), "waiting for the GPU");
}

Event::Event(DevicePtr device, Timing timing) : device_(std::move(device)) {
  const Current current(*device_);
  const unsigned flags = timing == Timing::kOn ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING;
  driver().check(driver().cuEventCreate(&event_, flags | CU_EVENT_BLOCKING_SYNC), "cuEventCreate");
}

Event::~Event() {
  release(*device_, [this] { driver().cuEventDestroy(event_); });
}

void Event::record(const Stream& stream) { record(stream.handle()); }

void Event::record(CUstream_st* stream) {
  const Current current(*device_);
  driver().check(driver().cuEventRecord(event_, stream), "cuEventRecord");
}

bool Event::has_passed() const {
  const Current current(*device_);
  const CUresult result = driver().cuEventQuery(event_);
  if (result == CUDA_ERROR_NOT_READY) return false;
  driver().check(result, "cuEventQuery");
  return true;
}

void Event::wait_on_host() const {
  const Current current(*device_);
  driver().check(driver().cuEventSynchronize(event_), "waiting for the GPU");
}

float Event::milliseconds(const Event& begin, const Event& end) {
  const Current current(*begin.device_);
  float time = 0;
  driver().check(driver().cuEventElapsedTime(&time, begin.event_, end.event_),
                 "cuEventElapsedTime");
  return time;
}

DeviceMemory::DeviceMemory(DevicePtr device, std::size_t bytes)
    : device_(std::move(device)), bytes_(bytes) {
  if (bytes == 0) return;
  const Current current(*device_);
  driver().check(driver().cuMemAlloc(&address_, bytes),
                 ("asking for " + std::to_string(bytes) + " bytes of GPU memory").c_str());
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  if (address_ == 0) return;
  release(*device_, [this] { driver().cuMemFree(address_); });
}

PinnedMemory::PinnedMemory(DevicePtr device, std::size_t bytes)
    : device_(std::move(device)), bytes_(bytes) {
  if (bytes == 0) return;
  const Current current(*device_);
  void* memory = nullptr;
  driver().check(driver().cuMemHostAlloc(&memory, bytes, CU_MEMHOSTALLOC_PORTABLE),
                 ("asking for " + std::to_string(bytes) + " bytes of pinned memory").c_str());
  data_ = static_cast<std::byte*>(memory);
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept { *this = std::move(other); }

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

PinnedMemory::~PinnedMemory() {
  if (data_ == nullptr) return;
  release(*device_, [this] { driver().cuMemFreeHost(data_); });
}

namespace {

// What work was recorded as, until it is made executable.
class Recording {
 public:
  Recording(const Stream& stream, const std::function<void()>& work) {
    // Other threads may do as they please meanwhile.
    driver().check(driver().cuStreamBeginCapture(stream.handle(), CU_STREAM_CAPTURE_MODE_RELAXED),
                   "beginning to record");
    try {
      work();
    } catch (...) {
      driver().cuStreamEndCapture(stream.handle(), &graph_);
      if (graph_ != nullptr) driver().cuGraphDestroy(graph_);
      throw;
    }
    driver().check(driver().cuStreamEndCapture(stream.handle(), &graph_), "recording work");
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() { driver().cuGraphDestroy(graph_); }

  CUgraph graph() const { return graph_; }

  std::vector<CUgraphNode> nodes() const {
    std::size_t count = 0;
    driver().check(driver().cuGraphGetNodes(graph_, nullptr, &count), "cuGraphGetNodes");
    std::vector<CUgraphNode> all(count);
    driver().check(driver().cuGraphGetNodes(graph_, all.data(), &count), "cuGraphGetNodes");
    return all;
  }

 private:
  CUgraph graph_ = nullptr;
};

void* pinned_source(const CUDA_MEMCPY3D& copy) {
  unsigned kind = 0;
  const auto address = reinterpret_cast<CUdeviceptr>(copy.srcHost);
  const bool pinned = driver().cuPointerGetAttribute(&kind, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                                     address) == CUDA_SUCCESS &&
                      kind == CU_MEMORYTYPE_HOST;
  const bool row = copy.Height <= 1 && copy.Depth <= 1 && copy.srcXInBytes == 0 && copy.srcY == 0 &&
                   copy.srcZ == 0;
  if (!pinned || !row)
    throw Error(ErrorCode::kFailed, "CUDA: the work to be recorded reads memory of the host");
  return const_cast<void*>(copy.srcHost);
}

// What a recorded copy reads on the host, from now on in memory of its own; nothing where it reads
// none.
std::optional<PinnedMemory> own_source(CUgraphNode node, const DevicePtr& device) {
  CUgraphNodeType type{};
  driver().check(driver().cuGraphNodeGetType(node, &type), "cuGraphNodeGetType");
  if (type == CU_GRAPH_NODE_TYPE_HOST)
    throw Error(ErrorCode::kFailed, "CUDA: the work to be recorded calls the host");
  if (type != CU_GRAPH_NODE_TYPE_MEMCPY) return std::nullopt;
  CUDA_MEMCPY3D copy{};
  driver().check(driver().cuGraphMemcpyNodeGetParams(node, &copy), "cuGraphMemcpyNodeGetParams");
  if (copy.dstMemoryType == CU_MEMORYTYPE_HOST)
    throw Error(ErrorCode::kFailed, "CUDA: the work to be recorded writes memory of the host");
  if (copy.srcMemoryType != CU_MEMORYTYPE_HOST) return std::nullopt;
  PinnedMemory source(device, copy.WidthInBytes);
  std::memcpy(source.data(), pinned_source(copy), copy.WidthInBytes);
  copy.srcHost = source.data();
  driver().check(driver().cuGraphMemcpyNodeSetParams(node, &copy), "cuGraphMemcpyNodeSetParams");
  return source;
}

}  // namespace

Graph::Graph(const Stream& stream, const std::function<void()>& work) : device_(stream.device()) {
  const Current current(*device_);
  const Recording recording(stream, work);
  for (const CUgraphNode node : recording.nodes())
    if (auto source = own_source(node, device_)) sources_.push_back(std::move(*source));
  driver().check(driver().cuGraphInstantiate(&graph_, recording.graph(), 0), "cuGraphInstantiate");
}

Graph::~Graph() {
  release(*device_, [this] { driver().cuGraphExecDestroy(graph_); });
}

void Graph::launch(const Stream& stream) const {
  const Current current(*device_);
  driver().check(driver().cuGraphLaunch(graph_, stream.handle()), "starting recorded work");
}

Module::Module(DevicePtr device, std::span<const unsigned char> image)
    : device_(std::move(device)) {
  const Current current(*device_);
  const CUresult result = driver().cuModuleLoadData(&module_, image.data());
  if (result != CUDA_SUCCESS)
    throw Error(ErrorCode::kDevice,
                "the kernels of this build do not load on " + device_->info().name +
                    " (compute capability " + std::to_string(device_->info().compute_major) + "." +
                    std::to_string(device_->info().compute_minor) + ", driver with CUDA " +
                    driver_version() + "): " + driver().text(result) + ". " + Driver::needed());
}

Module::~Module() {
  release(*device_, [this] { driver().cuModuleUnload(module_); });
}

CUfunc_st* Module::function(const char* name) const {
  const Current current(*device_);
  CUfunction function = nullptr;
  driver().check(driver().cuModuleGetFunction(&function, module_, name), name);
  return function;
}

void launch(CUfunc_st* function, Extent grid, Extent block, std::span<void* const> arguments,
            const Stream& stream) {
  const Current current(*stream.device());
  driver().check(
      driver().cuLaunchKernel(function, grid.x, grid.y, grid.z, block.x, block.y, block.z, 0,
                              stream.handle(), const_cast<void**>(arguments.data()), nullptr),
      "starting a kernel");
}

}  // namespace sightline::cuda
