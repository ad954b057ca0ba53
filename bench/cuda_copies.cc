// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Nobody links to the driver: its functions are found by dlsym(), or by cuGetProcAddress(), which
// was found so. Both are answered here with functions that count and pass on. What kernels write
// into the host's memory by themselves is no copy and not seen.

#include "cuda_copies.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <cuda.h>
#include <dlfcn.h>

#include "cuda_copy.h"

namespace {

using sightline::bench::copies_in;
using sightline::bench::copy_of;
using sightline::bench::CudaCopies;
using sightline::bench::CudaCopy;
using sightline::bench::is_recorded;
using sightline::bench::real_symbol;
using sightline::bench::Where;

std::mutex mutex;  // guards the next three
CudaCopies counted;
std::map<std::uint64_t, std::uint64_t> sizes_to_host;  // copies of each size

std::map<CUgraphExec, std::vector<CudaCopy>> recorded;  // what each launch copies

void add_up(const CudaCopy& copy) {
  if (copy.to == Where::kDevice) {
    (copy.from == Where::kDevice ? counted.on_device : counted.to_device) += copy.bytes;
  } else if (copy.from == Where::kDevice) {
    counted.to_host += copy.bytes;
    ++counted.copies_to_host;
    counted.largest_to_host = std::max(counted.largest_to_host, copy.bytes);
    ++sizes_to_host[copy.bytes];
  }
}

void count(const CudaCopy& copy) {
  const std::lock_guard lock(mutex);
  add_up(copy);
}

// Of a call's arguments: what it copies.
void note_to_host(void*, CUdeviceptr, std::size_t bytes) {
  count({Where::kHost, Where::kDevice, bytes});
}
void note_to_device(CUdeviceptr, const void*, std::size_t bytes) {
  count({Where::kDevice, Where::kHost, bytes});
}
void note_on_device(CUdeviceptr, CUdeviceptr, std::size_t bytes) {
  count({Where::kDevice, Where::kDevice, bytes});
}
void note_any(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  count(copy_of(to, from, bytes));
}
void note_2d(const CUDA_MEMCPY2D* copy) { count(copy_of(*copy)); }
void note_3d(const CUDA_MEMCPY3D* copy) { count(copy_of(*copy)); }
void note_launch(CUgraphExec graph) {
  const std::lock_guard lock(mutex);
  const auto found = recorded.find(graph);
  if (found == recorded.end()) return;
  for (const CudaCopy& copy : found->second) add_up(copy);
}
void note_end(CUgraphExec graph) {
  const std::lock_guard lock(mutex);
  recorded.erase(graph);
}

// One for each function, for each of the two meanings of its default stream.
template <auto Note, int Id>
struct Counting {
  template <typename... Arguments>
  static CUresult pass_on(Arguments... arguments) {
    const auto all = std::forward_as_tuple(arguments...);
    if (!is_recorded(stream_of(std::get<sizeof...(Arguments) - 1>(all)))) note(all);
    return reinterpret_cast<CUresult (*)(Arguments...)>(real.load())(arguments...);
  }

  static inline std::atomic<void*> real = nullptr;

 private:
  // The last argument, if that is one. Copies without go into the default stream, which cannot be
  // recorded.
  static CUstream stream_of(CUstream stream) { return stream; }
  template <typename Other>
  static CUstream stream_of(const Other&) {
    return nullptr;
  }

  template <typename... Noted, typename Tuple, std::size_t... I>
  static void call(void (*note)(Noted...), const Tuple& all, std::index_sequence<I...>) {
    note(std::get<I>(all)...);
  }
  template <typename... Noted, typename Tuple>
  static void first_of(void (*note)(Noted...), const Tuple& all) {
    call(note, all, std::index_sequence_for<Noted...>{});
  }
  template <typename Tuple>
  static void note(const Tuple& all) {
    first_of(Note, all);
  }
};

// Makes a graph executable: what it copies is known then. One for each way to say how.
template <int Id>
struct Instantiating {
  template <typename... Rest>
  static CUresult pass_on(CUgraphExec* made, CUgraph graph, Rest... rest) {
    using F = CUresult (*)(CUgraphExec*, CUgraph, Rest...);
    const CUresult result = reinterpret_cast<F>(real.load())(made, graph, rest...);
    if (result != CUDA_SUCCESS) return result;
    std::vector<CudaCopy> copies = copies_in(graph);
    const std::lock_guard lock(mutex);
    recorded[*made] = std::move(copies);
    return result;
  }

  static inline std::atomic<void*> real = nullptr;
};

struct Entry {
  const char* name;  // without "_v2" and the like
  bool per_thread;   // the default stream is the thread's own
  void* counting;
  std::atomic<void*>* real;
};

template <auto Note, int Id, typename... Arguments>
Entry entry(const char* name, bool per_thread) {
  using It = Counting<Note, Id>;
  CUresult (*const function)(Arguments...) = &It::template pass_on<Arguments...>;
  return {name, per_thread, reinterpret_cast<void*>(function), &It::real};
}

template <int Id, typename... Rest>
void add_instantiating(std::vector<Entry>& table, const char* name) {
  const auto add = [&]<int Number>(std::integral_constant<int, Number>, bool per_thread) {
    CUresult (*const function)(CUgraphExec*, CUgraph, Rest...) =
        &Instantiating<Number>::template pass_on<Rest...>;
    table.push_back(
        {name, per_thread, reinterpret_cast<void*>(function), &Instantiating<Number>::real});
  };
  add(std::integral_constant<int, 2 * Id>(), false);
  add(std::integral_constant<int, 2 * Id + 1>(), true);
}

template <auto Note, int Id, typename... Arguments>
void add(std::vector<Entry>& table, const char* name) {
  table.push_back(entry<Note, 2 * Id, Arguments...>(name, false));
  table.push_back(entry<Note, 2 * Id + 1, Arguments...>(name, true));
}

constexpr char kInstantiate[] = "cuGraphInstantiate";
constexpr char kInstantiateWithFlags[] = "cuGraphInstantiateWithFlags";

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = [] {
    using D = CUdeviceptr;
    using N = std::size_t;
    std::vector<Entry> all;
    add<note_to_host, 0, void*, D, N>(all, "cuMemcpyDtoH");
    add<note_to_host, 1, void*, D, N, CUstream>(all, "cuMemcpyDtoHAsync");
    add<note_to_device, 2, D, const void*, N>(all, "cuMemcpyHtoD");
    add<note_to_device, 3, D, const void*, N, CUstream>(all, "cuMemcpyHtoDAsync");
    add<note_on_device, 4, D, D, N>(all, "cuMemcpyDtoD");
    add<note_on_device, 5, D, D, N, CUstream>(all, "cuMemcpyDtoDAsync");
    add<note_any, 6, D, D, N>(all, "cuMemcpy");
    add<note_any, 7, D, D, N, CUstream>(all, "cuMemcpyAsync");
    add<note_2d, 8, const CUDA_MEMCPY2D*>(all, "cuMemcpy2D");
    add<note_2d, 9, const CUDA_MEMCPY2D*>(all, "cuMemcpy2DUnaligned");
    add<note_2d, 10, const CUDA_MEMCPY2D*, CUstream>(all, "cuMemcpy2DAsync");
    add<note_3d, 11, const CUDA_MEMCPY3D*>(all, "cuMemcpy3D");
    add<note_3d, 12, const CUDA_MEMCPY3D*, CUstream>(all, "cuMemcpy3DAsync");
    add<note_launch, 13, CUgraphExec, CUstream>(all, "cuGraphLaunch");
    add<note_end, 14, CUgraphExec>(all, "cuGraphExecDestroy");
    add_instantiating<0, CUgraphNode*, char*, N>(all, kInstantiate);
    add_instantiating<1, unsigned long long>(all, kInstantiateWithFlags);
    add_instantiating<2, CUDA_GRAPH_INSTANTIATE_PARAMS*>(all, "cuGraphInstantiateWithParams");
    return all;
  }();
  return table;
}

// "cuMemcpyDtoHAsync_v2_ptsz" is "cuMemcpyDtoHAsync", per thread.
std::pair<std::string_view, bool> plain_name(std::string_view name) {
  bool per_thread = false;
  for (const std::string_view ending : {"_ptsz", "_ptds"})
    if (name.ends_with(ending)) {
      per_thread = true;
      name.remove_suffix(ending.size());
    }
  if (name.ends_with("_v2")) name.remove_suffix(3);
  return {name, per_thread};
}

// The function to hand out in place of `found`, which is the driver's of this name.
void* instead_of(void* found, std::string_view full_name, bool per_thread_asked) {
  if (found == nullptr || !(full_name.starts_with("cuMemcpy") || full_name.starts_with("cuGraph")))
    return found;
  const auto [name, per_thread_named] = plain_name(full_name);
  const bool per_thread = per_thread_named || per_thread_asked;
  for (const Entry& entry : entries()) {
    if (entry.name != name || entry.per_thread != per_thread) continue;
    if (found != entry.counting) *entry.real = found;
    return entry.counting;
  }
  return found;
}

// Of what version CUDA is asked, one name means another function.
std::string_view name_in(int version, std::string_view name) {
  return version >= 12000 && name == kInstantiate ? kInstantiateWithFlags : name;
}

// cuGetProcAddress, of which there are two.
std::atomic<void*> real_find = nullptr, real_find_v2 = nullptr;

CUresult find_function(const char* name, void** function, int version, cuuint64_t flags) {
  using F = CUresult (*)(const char*, void**, int, cuuint64_t);
  const CUresult result = reinterpret_cast<F>(real_find.load())(name, function, version, flags);
  if (result == CUDA_SUCCESS && function != nullptr)
    *function = instead_of(*function, name_in(version, name),
                           flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM);
  return result;
}

CUresult find_function_v2(const char* name, void** function, int version, cuuint64_t flags,
                          CUdriverProcAddressQueryResult* status) {
  using F = decltype(&find_function_v2);
  const CUresult result =
      reinterpret_cast<F>(real_find_v2.load())(name, function, version, flags, status);
  if (result != CUDA_SUCCESS || function == nullptr || *function == nullptr) return result;
  if (std::strcmp(name, "cuGetProcAddress") == 0) {
    real_find_v2 = *function;
    *function = reinterpret_cast<void*>(&find_function_v2);
  } else {
    *function = instead_of(*function, name_in(version, name),
                           flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM);
  }
  return result;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void* dlsym(void* library, const char* name) {
  void* const found = real_symbol(library, name);
  if (found == nullptr || std::strncmp(name, "cu", 2) != 0) return found;
  if (std::strcmp(name, "cuGetProcAddress") == 0) {
    real_find = found;
    return reinterpret_cast<void*>(&find_function);
  }
  if (std::strcmp(name, "cuGetProcAddress_v2") == 0) {
    real_find_v2 = found;
    return reinterpret_cast<void*>(&find_function_v2);
  }
  // Without it, most are those of before CUDA 4, which nobody calls and which count in 32 bits.
  const bool is_of_today = std::string_view(name).find("_v2") != std::string_view::npos ||
                           std::strncmp(name, "cuMemcpyAsync", 13) == 0 ||
                           std::strncmp(name, "cuGraph", 7) == 0 ||
                           plain_name(name).first == "cuMemcpy";
  return is_of_today ? instead_of(found, name, false) : found;
}

void sightline_cuda_copies(CudaCopies* copies) {
  const std::lock_guard lock(mutex);
  *copies = counted;
}

void sightline_forget_cuda_copies() {
  const std::lock_guard lock(mutex);
  counted = {};
  sizes_to_host.clear();
}

void sightline_print_cuda_copies() {
  constexpr std::size_t kMost = 12;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes;
  {
    const std::lock_guard lock(mutex);
    sizes.assign(sizes_to_host.begin(), sizes_to_host.end());
  }
  const auto bytes = [](const auto& size) { return size.first * size.second; };
  std::sort(sizes.begin(), sizes.end(),
            [&](const auto& a, const auto& b) { return bytes(a) > bytes(b); });
  for (std::size_t i = 0; i < std::min(kMost, sizes.size()); ++i)
    std::printf("  %10llu copies of %8llu bytes\n",
                static_cast<unsigned long long>(sizes[i].second),
                static_cast<unsigned long long>(sizes[i].first));
}
}
