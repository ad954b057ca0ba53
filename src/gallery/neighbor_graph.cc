// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/neighbor_graph.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
#define NO_MANUAL_VECTORIZATION  // hnswlib prefetches by what lies behind the last link of a list
#endif
#include <hnswlib/hnswlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "gallery/byte_scores.h"

namespace sightline {
namespace {

class ByteSpace final : public hnswlib::SpaceInterface<float> {
 public:
  explicit ByteSpace(std::size_t dimensions)
      : bytes_(4 * quads(dimensions)), size_(byte_vector_size(dimensions)) {}
  std::size_t get_data_size() override { return size_; }
  hnswlib::DISTFUNC<float> get_dist_func() override { return byte_distance(); }
  void* get_dist_func_param() override { return &bytes_; }

 private:
  std::size_t bytes_;
  std::size_t size_;
};

// What a file says of a graph before the levels and links of its rows.
struct Head {
  std::uint64_t rows = 0;
  std::uint64_t node_bytes = 0;
  std::uint64_t links = 0;
  std::uint32_t entry = 0;
  std::int32_t top_level = -1;
};

std::vector<std::byte> byte_vector(std::span<const float> values, std::span<const float> centre) {
  std::vector<std::byte> bytes(byte_vector_size(values.size()));
  write_byte_vector(values, centre, bytes.data());
  return bytes;
}

// Room for later rows, before the graph has to be made anew.
std::size_t with_room(std::size_t rows) { return rows + rows / 4 + 4096; }

std::size_t in_pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// A search jumps about in it: of small pages, the processor would have to look up nearly each one.
void in_large_pages(void* memory, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory), first = in_pages(begin);
  const std::size_t whole = (begin + bytes) / page * page;
  if (whole > first) ::madvise(reinterpret_cast<void*>(first), whole - first, MADV_HUGEPAGE);
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::kInput, "the graph of neighbours " + what);
}

using Links = hnswlib::HierarchicalNSW<float>;

// A place that a search has reached, and how far it is from what is looked for, in one number,
// since a search mostly orders them: nearer ones are less.
class Reached {
 public:
  Reached(float distance, hnswlib::tableint place)
      : key_(std::uint64_t{std::bit_cast<std::uint32_t>(std::max(distance, 0.0f))} << 32 | place) {}
  hnswlib::tableint place() const { return static_cast<hnswlib::tableint>(key_); }
  bool is_nearer(const Reached& other) const { return key_ >> 32 < other.key_ >> 32; }
  auto operator<=>(const Reached& other) const = default;

 private:
  std::uint64_t key_;
};

// One search of hnswlib's graph. What hnswlib's own does, one neighbour after the other, waits for
// memory most of the time; this asks for all neighbours of a place before it compares the first.
class Walk {
 public:
  Walk(const Links& graph, const std::byte* query)
      : graph_(graph), query_(query), seen_(graph.cur_element_count / kBits + 1) {}

  // Where the levels above the lowest lead to.
  Reached descend() {
    Reached at{distance(graph_.enterpoint_node_), graph_.enterpoint_node_};
    for (int level = graph_.maxlevel_; level > 0; --level) {
      for (bool nearer = true; nearer;) {
        const Reached before = at;
        for (const hnswlib::tableint place : links(graph_.get_linklist(at.place(), level)))
          at = std::min(at, {distance(place), place});
        nearer = at.is_nearer(before);
      }
    }
    return at;
  }

  // The `width` nearest places that are found from there, nearest first.
  std::vector<Reached> spread(const Reached& from, std::size_t width) {
    std::vector<Reached> open{from}, best{from};  // heaps: the nearest on top, the farthest
    is_new(from.place());
    while (!open.empty()) {
      std::pop_heap(open.begin(), open.end(), std::greater());
      const Reached at = open.back();
      open.pop_back();
      if (best.size() == width && best.front().is_nearer(at)) break;
      for (const hnswlib::tableint place : new_neighbors(at.place())) {
        const Reached next{distance(place), place};
        if (best.size() == width) {
          if (!next.is_nearer(best.front())) continue;
          std::pop_heap(best.begin(), best.end());
          best.pop_back();
        }
        open.push_back(next);
        std::push_heap(open.begin(), open.end(), std::greater());
        best.push_back(next);
        std::push_heap(best.begin(), best.end());
      }
      if (!open.empty()) prefetch(graph_.get_linklist0(open.front().place()), graph_.offsetData_);
    }
    std::sort_heap(best.begin(), best.end());
    return best;
  }

 private:
  static constexpr std::size_t kBits = 64;

  static std::span<const hnswlib::tableint> links(const hnswlib::linklistsizeint* list) {
    return {list + 1, *reinterpret_cast<const unsigned short*>(list)};
  }
  static void prefetch(const void* memory, std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    for (std::size_t i = 0; i < bytes; i += kLine)
      __builtin_prefetch(static_cast<const std::byte*>(memory) + i);
  }
  const void* data(hnswlib::tableint place) const {
    return graph_.data_level0_memory_ + place * graph_.size_data_per_element_ + graph_.offsetData_;
  }
  float distance(hnswlib::tableint place) const {
    return graph_.fstdistfunc_(query_, data(place), graph_.dist_func_param_);
  }
  bool is_new(hnswlib::tableint place) {
    std::uint64_t& word = seen_[place / kBits];
    const std::uint64_t bit = std::uint64_t{1} << place % kBits;
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }
  std::span<const hnswlib::tableint> new_neighbors(hnswlib::tableint place) {
    new_.clear();
    for (const hnswlib::tableint neighbor : links(graph_.get_linklist0(place))) {
      if (!is_new(neighbor)) continue;
      new_.push_back(neighbor);
      prefetch(data(neighbor), graph_.data_size_);
    }
    return new_;
  }

  const Links& graph_;
  const std::byte* query_;
  std::vector<std::uint64_t> seen_;  // a bit for each place
  std::vector<hnswlib::tableint> new_;
};

}  // namespace

class NeighborGraph::Graph {
 public:
  Graph(std::size_t dimensions, std::size_t capacity, const Shape& shape)
      : space_(dimensions), graph_(&space_, capacity, shape.links, shape.build_width) {
    in_large_pages(graph_.data_level0_memory_,
                   graph_.max_elements_ * graph_.size_data_per_element_);
  }
  ~Graph() {
    if (mapping_ == nullptr) return;
    graph_.data_level0_memory_ = nullptr;
    ::munmap(mapping_, mapped_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Links* operator->() { return &graph_; }

  // Puts the file's pages where the nodes are; what is written stays in this process.
  void map_nodes(int file, std::size_t offset, std::size_t bytes) {
    const std::size_t room =
        in_pages(std::max(graph_.max_elements_ * graph_.size_data_per_element_, bytes));
    void* memory = ::mmap(nullptr, room, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (::mmap(memory, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
               static_cast<off_t>(offset)) == MAP_FAILED) {
      ::munmap(memory, room);
      throw std::bad_alloc();
    }
    std::free(graph_.data_level0_memory_);  // NOLINT: hnswlib's own
    graph_.data_level0_memory_ = static_cast<char*>(memory);
    mapping_ = memory;
    mapped_ = room;
  }

  std::size_t memory() const {
    const std::size_t of_row = graph_.size_data_per_element_ + sizeof(char*) + sizeof(int) +
                               sizeof(std::mutex) + sizeof(hnswlib::vl_type);
    return graph_.cur_element_count * of_row +
           graph_.cur_element_count / graph_.M_ * graph_.size_links_per_element_;
  }

 private:
  ByteSpace space_;
  Links graph_;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
};

NeighborGraph::NeighborGraph(std::span<const float> centre, std::size_t capacity,
                             const Shape& shape)
    : centre_(centre.begin(), centre.end()),
      graph_(std::make_unique<Graph>(centre.size(), with_room(capacity), shape)) {}

NeighborGraph::~NeighborGraph() = default;

std::size_t NeighborGraph::search_width(std::size_t rows) {
  return std::max(kLeastWidth,
                  static_cast<std::size_t>(kWidthOfRoot * std::sqrt(static_cast<double>(rows))));
}

std::size_t NeighborGraph::capacity() const { return (*graph_)->max_elements_; }

std::size_t NeighborGraph::memory() const {
  return graph_->memory() + places_.size() * sizeof(std::uint32_t);
}

bool NeighborGraph::add_all(std::size_t count, std::size_t threads,
                            const std::function<std::span<const float>(std::size_t)>& values,
                            const std::function<bool(std::size_t)>& progress) {
  constexpr std::size_t kBetweenReports = 1000;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  const auto add_some = [&](bool reports) {
    for (std::size_t row = next++; row < count && !stopped; row = next++) {
      (*graph_)->addPoint(byte_vector(values(row), centre_).data(), row);
      if (reports && progress && row % kBetweenReports < threads && !progress(row)) stopped = true;
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(add_some, false);
  add_some(true);
  for (std::thread& helper : helpers) helper.join();
  if (stopped) return false;
  places_.resize(count);
  for (std::size_t place = 0; place < count; ++place)
    places_[(*graph_)->getExternalLabel(static_cast<hnswlib::tableint>(place))] =
        static_cast<std::uint32_t>(place);
  // It would find the place of a label, which nobody asks for.
  std::unordered_map<hnswlib::labeltype, hnswlib::tableint>().swap((*graph_)->label_lookup_);
  size_.store(count, std::memory_order_release);
  return true;
}

void NeighborGraph::add(std::span<const float> values) {
  const std::vector<std::byte> bytes = byte_vector(values, centre_);
  const std::unique_lock lock(mutex_);
  places_.push_back((*graph_)->addPoint(bytes.data(), places_.size(), -1));
  size_.store(places_.size(), std::memory_order_release);
}

std::vector<std::uint32_t> NeighborGraph::near(std::span<const float> query,
                                               std::size_t width) const {
  const std::vector<std::byte> bytes = byte_vector(query, centre_);
  std::vector<std::uint32_t> rows;
  const std::shared_lock lock(mutex_);
  const Links& graph = *graph_->operator->();
  if (graph.cur_element_count == 0) return rows;
  Walk walk(graph, bytes.data());
  for (const Reached& reached : walk.spread(walk.descend(), width))
    rows.push_back(static_cast<std::uint32_t>(graph.getExternalLabel(reached.place())));
  return rows;
}

void NeighborGraph::wipe(std::span<const std::uint32_t> rows) {
  constexpr std::size_t kEnough = 4;  // a mean of fewer would tell too much about each
  std::vector<std::uint32_t> wiped(rows.begin(), rows.end());
  std::sort(wiped.begin(), wiped.end());
  Links& graph = *graph_->operator->();
  for (const std::uint32_t row : wiped) {
    const std::unique_lock lock(mutex_);  // for one at a time, so that no search waits for many
    std::vector<float> mean(dimensions());
    std::size_t kept = 0;
    const hnswlib::linklistsizeint* links = graph.get_linklist0(places_[row]);
    const std::size_t count = *reinterpret_cast<const unsigned short*>(links);
    for (std::size_t i = 1; i <= count; ++i) {
      if (std::binary_search(wiped.begin(), wiped.end(), graph.getExternalLabel(links[i])))
        continue;
      add_byte_vector(reinterpret_cast<const std::byte*>(graph.getDataByInternalId(links[i])),
                      mean);
      ++kept;
    }
    for (float& value : mean) value = kept < kEnough ? 0 : value / static_cast<float>(kept);
    write_byte_vector(mean, std::vector<float>(mean.size()),
                      reinterpret_cast<std::byte*>(graph.getDataByInternalId(places_[row])));
  }
}

std::span<const std::byte> NeighborGraph::nodes() const {
  return {reinterpret_cast<const std::byte*>((*graph_)->data_level0_memory_),
          places_.size() * (*graph_)->size_data_per_element_};
}

std::vector<std::byte> NeighborGraph::rest() const {
  Links& graph = *graph_->operator->();
  std::vector<std::byte> bytes;
  const auto append = [&](const void* data, std::size_t count) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), from, from + count);
  };
  const Head head{places_.size(), graph.size_data_per_element_, graph.M_, graph.enterpoint_node_,
                  graph.maxlevel_};
  append(&head, sizeof head);
  for (std::size_t place = 0; place < head.rows; ++place) {
    const auto level = static_cast<std::uint8_t>(graph.element_levels_[place]);
    append(&level, sizeof level);
    append(graph.linkLists_[place], level * graph.size_links_per_element_);
  }
  return bytes;
}

namespace {

// Whether a list of links has as many as there may be, and each leads somewhere. On a level above
// the lowest, what it leads to must be on that level too.
bool is_sound(const Links& graph, const hnswlib::linklistsizeint* links, std::size_t most,
              std::size_t rows, int level) {
  const std::size_t count = *reinterpret_cast<const unsigned short*>(links);
  if (count > most) return false;
  return std::all_of(links + 1, links + 1 + count, [&](hnswlib::linklistsizeint to) {
    return to < rows && graph.element_levels_[to] >= level;
  });
}

}  // namespace

std::unique_ptr<NeighborGraph> NeighborGraph::restore(std::span<const float> centre, int file,
                                                      std::size_t offset, std::size_t bytes,
                                                      std::span<const std::byte> rest) {
  Head head;
  if (rest.size() < sizeof head) refuse("has no head");
  std::memcpy(&head, rest.data(), sizeof head);
  rest = rest.subspan(sizeof head);
  if (head.links != kLinks || head.rows == 0 || head.rows > UINT32_MAX / 2 ||
      bytes / head.rows != head.node_bytes || bytes % head.rows != 0 || head.entry >= head.rows)
    refuse("is of another kind");

  auto restored = std::make_unique<NeighborGraph>(centre, head.rows);
  Links& graph = *restored->graph_->operator->();
  if (graph.size_data_per_element_ != head.node_bytes) refuse("is of other vectors");
  restored->graph_->map_nodes(file, offset, bytes);
  for (std::size_t place = 0; place < head.rows; ++place) {
    if (rest.empty()) refuse("ends early");
    const auto level = static_cast<std::size_t>(rest[0]);
    const std::size_t size = level * graph.size_links_per_element_;
    if (rest.size() < 1 + size) refuse("ends early");
    char* links = nullptr;
    if (size > 0) {
      links = static_cast<char*>(std::malloc(size));  // NOLINT: which hnswlib frees
      if (links == nullptr) throw std::bad_alloc();
      std::memcpy(links, rest.data() + 1, size);
    }
    graph.element_levels_[place] = static_cast<int>(level);
    graph.linkLists_[place] = links;
    graph.cur_element_count = place + 1;
    rest = rest.subspan(1 + size);
  }
  graph.maxlevel_ = head.top_level;
  graph.enterpoint_node_ = head.entry;
  if (head.top_level < 0 || graph.element_levels_[head.entry] < head.top_level)
    refuse("has no way in");

  std::vector<std::uint32_t> places(head.rows, UINT32_MAX);
  for (hnswlib::tableint place = 0; place < head.rows; ++place) {
    const std::size_t row = graph.getExternalLabel(place);
    if (row >= head.rows || places[row] != UINT32_MAX) refuse("has rows that are none");
    places[row] = place;
    bool sound = is_sound(graph, graph.get_linklist0(place), graph.maxM0_, head.rows, 0);
    for (int level = 1; sound && level <= graph.element_levels_[place]; ++level)
      sound = is_sound(graph, graph.get_linklist(place, level), graph.maxM_, head.rows, level);
    if (!sound) refuse("has links to nowhere");
  }
  restored->places_ = std::move(places);
  restored->size_ = head.rows;
  return restored;
}

}  // namespace sightline
