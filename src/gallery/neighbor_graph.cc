// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/neighbor_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <stdexcept>
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
#include "gallery/graph_walk.h"
#include "gallery/prefetch.h"

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

// What a file says of a graph before its axes, and the levels and links of its rows.
struct Head {
  std::uint64_t rows = 0;
  std::uint64_t node_bytes = 0;
  std::uint64_t outline_bytes = 0;
  std::uint64_t links = 0;
  std::uint32_t entry = 0;
  std::int32_t top_level = -1;
};

std::vector<std::byte> byte_vector(std::span<const float> values, std::span<const float> centre) {
  std::vector<std::byte> bytes(byte_vector_size(values.size()));
  write_byte_vector(values, centre, bytes.data());
  return bytes;
}

std::vector<float> differences(std::span<const float> values, std::span<const float> centre) {
  std::vector<float> all(values.size());
  std::transform(values.begin(), values.end(), centre.begin(), all.begin(), std::minus());
  return all;
}

// Room for later rows, before the graph has to be made anew.
std::size_t with_room(std::size_t rows) { return rows + rows / 4 + 4096; }

std::size_t in_pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// A search jumps about in a graph: of small pages, the processor would have to look up nearly each.
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

constexpr unsigned kPlaceBits = 32;  // of a way in; its level is above

class LargePages {
 public:
  LargePages() = default;
  explicit LargePages(std::size_t bytes) : bytes_(bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    in_large_pages(memory, bytes);
    memory_ = static_cast<std::byte*>(memory);
  }
  LargePages(LargePages&& other) noexcept { *this = std::move(other); }
  LargePages& operator=(LargePages&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~LargePages() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }

  std::byte* data() const { return memory_; }

 private:
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

// How many of the nearest by outlines are compared by bytes: some more than anybody asks for.
constexpr std::size_t kByBytes = 64;

// Outlines leave out a little of what rows differ by.
void sort_by_bytes(const Links& graph, const std::byte* query,
                   std::span<NearestPlaces::Place> places) {
  for (const NearestPlaces::Place& place : places)
    prefetch(graph.getDataByInternalId(place.number), graph.data_size_);
  for (NearestPlaces::Place& place : places)
    place.distance =
        graph.fstdistfunc_(query, graph.getDataByInternalId(place.number), graph.dist_func_param_);
  std::ranges::sort(places, {}, &NearestPlaces::Place::distance);
}

}  // namespace

class NeighborGraph::Graph {
 public:
  Graph(std::size_t dimensions, std::size_t capacity, const Shape& shape)
      : space_(dimensions),
        graph_(&space_, capacity, shape.links, shape.build_width),
        axes_(dimensions) {
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
  const OutlineAxes& axes() const { return axes_; }
  std::byte* outline(std::size_t place) const {
    return outlines_.data() + place * axes_.outline_bytes();
  }
  std::byte* bytes(std::uint32_t place) const {
    return reinterpret_cast<std::byte*>(graph_.getDataByInternalId(place));
  }
  std::span<const std::uint32_t> links(std::uint32_t place, int level) const {
    const std::uint32_t* list = graph_.get_linklist_at_level(place, level);
    return {list + 1, *reinterpret_cast<const unsigned short*>(list)};
  }

  // Of all but what changes: how many places there are, and the way in.
  GraphView view() const {
    GraphView view;
    view.nodes = reinterpret_cast<const std::byte*>(graph_.data_level0_memory_);
    view.node_bytes = graph_.size_data_per_element_;
    view.most_links = std::max(graph_.maxM0_, graph_.maxM_);
    view.upper = graph_.linkLists_;
    view.upper_bytes = graph_.size_links_per_element_;
    view.outlines = outlines_.data();
    return view;
  }

  // What hnswlib's addPoint() does, and with the same result, but others may search meanwhile: what
  // they read is written so that they can. Any threads may add. Nobody comes to the place before
  // publish() has told of it, and its outline is there.
  std::uint32_t add(const std::byte* bytes, std::size_t label) {
    std::unique_lock growing(growing_);
    const std::size_t count = graph_.cur_element_count;
    if (count == graph_.max_elements_) throw std::length_error("a graph of neighbours is full");
    const auto place = static_cast<std::uint32_t>(count);
    const int level = graph_.getRandomLevel(graph_.mult_);
    make_node(place, level, bytes, label);
    graph_.cur_element_count = count + 1;
    const int top_level = graph_.maxlevel_;
    std::uint32_t at = graph_.enterpoint_node_;
    if (level <= top_level) growing.unlock();

    std::vector<std::vector<std::uint32_t>> neighbors;  // of the levels, the highest first
    if (place > 0) at = descend(bytes, at, top_level, level);
    for (int on = std::min(level, top_level); on >= 0; --on) {
      neighbors.push_back(choose_neighbors(bytes, at, on));
      at = neighbors.back().back();
    }
    // The lowest first: whoever comes to the place above finds a way on from there.
    for (int on = 0; !neighbors.empty(); ++on, neighbors.pop_back()) {
      write_links(place, on, neighbors.back());
      for (const std::uint32_t neighbor : neighbors.back()) link_back(neighbor, place, on);
    }
    if (level > top_level) {
      graph_.enterpoint_node_ = place;
      graph_.maxlevel_ = level;
    }
    return place;
  }

  // Outlines along other axes are lost.
  void set_axes(OutlineAxes axes) {
    axes_ = std::move(axes);
    outlines_ = LargePages(graph_.max_elements_ * axes_.outline_bytes());
  }

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

  std::size_t memory(std::size_t rows) const {
    const std::size_t of_row = graph_.size_data_per_element_ + axes_.outline_bytes() +
                               sizeof(char*) + sizeof(int) + sizeof(std::mutex) +
                               sizeof(hnswlib::vl_type);
    return rows * of_row + rows / graph_.M_ * graph_.size_links_per_element_;
  }

 private:
  using Candidates = decltype(std::declval<Links>().searchBaseLayer(0, nullptr, 0));

  void make_node(std::uint32_t place, int level, const std::byte* bytes, std::size_t label) {
    std::memset(graph_.get_linklist0(place), 0, graph_.size_data_per_element_);
    graph_.setExternalLabel(place, label);
    std::memcpy(graph_.getDataByInternalId(place), bytes, graph_.data_size_);
    graph_.element_levels_[place] = level;
    if (level == 0) return;
    void* lists = std::calloc(static_cast<std::size_t>(level), graph_.size_links_per_element_);
    if (lists == nullptr) throw std::bad_alloc();
    graph_.linkLists_[place] = static_cast<char*>(lists);  // which hnswlib frees
  }

  float distance(const void* bytes, std::uint32_t to) {
    return graph_.fstdistfunc_(bytes, graph_.getDataByInternalId(to), graph_.dist_func_param_);
  }

  // Where the levels above lead to.
  std::uint32_t descend(const std::byte* bytes, std::uint32_t at, int top_level, int level) {
    float nearest = distance(bytes, at);
    for (int on = top_level; on > level; --on) {
      for (bool nearer = true; nearer;) {
        nearer = false;
        const std::lock_guard lock(graph_.link_list_locks_[at]);
        for (const std::uint32_t place : links(at, on)) {
          const float each = distance(bytes, place);
          if (!(each < nearest)) continue;
          nearest = each;
          at = place;
          nearer = true;
        }
      }
    }
    return at;
  }

  // The nearest last.
  std::vector<std::uint32_t> choose_neighbors(const std::byte* bytes, std::uint32_t from,
                                              int level) {
    Candidates near = graph_.searchBaseLayer(from, bytes, level);
    graph_.getNeighborsByHeuristic2(near, graph_.M_);
    return taken(std::move(near));
  }

  void link_back(std::uint32_t from, std::uint32_t to, int level) {
    const std::size_t most = level > 0 ? graph_.maxM_ : graph_.maxM0_;
    const std::lock_guard lock(graph_.link_list_locks_[from]);
    const std::span<const std::uint32_t> before = links(from, level);
    std::vector<std::uint32_t> after(before.begin(), before.end());
    after.push_back(to);
    if (after.size() > most) {
      Candidates candidates;
      for (const std::uint32_t place : after)
        candidates.emplace(distance(graph_.getDataByInternalId(from), place), place);
      graph_.getNeighborsByHeuristic2(candidates, most);
      after = taken(std::move(candidates));
    }
    write_links(from, level, after);
  }

  // Farthest first.
  static std::vector<std::uint32_t> taken(Candidates candidates) {
    std::vector<std::uint32_t> all;
    all.reserve(candidates.size());
    for (; !candidates.empty(); candidates.pop()) all.push_back(candidates.top().second);
    return all;
  }

  // Link by link, so that each leads somewhere at any moment: who reads the list meanwhile sees
  // some of before and some of after.
  void write_links(std::uint32_t place, int level, std::span<const std::uint32_t> links) {
    std::uint32_t* list = graph_.get_linklist_at_level(place, level);
    for (std::size_t i = 0; i < links.size(); ++i)
      __atomic_store_n(list + 1 + i, links[i], __ATOMIC_RELAXED);
    __atomic_store_n(reinterpret_cast<unsigned short*>(list),
                     static_cast<unsigned short>(links.size()), __ATOMIC_RELEASE);
  }

  ByteSpace space_;
  Links graph_;
  std::mutex growing_;  // guards how many places there are, and the way in
  OutlineAxes axes_;
  LargePages outlines_;  // of each place
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
};

NeighborGraph::NeighborGraph(std::span<const float> centre, std::size_t capacity,
                             const Shape& shape)
    : centre_(centre.begin(), centre.end()),
      graph_(std::make_unique<Graph>(centre.size(), with_room(capacity), shape)) {
  graph_->set_axes(OutlineAxes(centre.size()));
  number_rows(0);
}

NeighborGraph::~NeighborGraph() = default;

std::size_t NeighborGraph::search_width(std::size_t rows) {
  return std::max(kLeastWidth,
                  static_cast<std::size_t>(kWidthOfRoot * std::sqrt(static_cast<double>(rows))));
}

std::size_t NeighborGraph::capacity() const { return (*graph_)->max_elements_; }

std::size_t NeighborGraph::memory() const {
  return graph_->memory(size()) + (places_.size() + rows_.size()) * sizeof(std::uint32_t);
}

bool NeighborGraph::add_all(std::size_t count, std::size_t threads,
                            const std::function<std::span<const float>(std::size_t)>& values,
                            const std::function<bool(std::size_t)>& progress) {
  constexpr std::size_t kBetweenReports = 1000;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  const auto by_threads = [&](const auto& work) {
    next = 0;
    std::vector<std::thread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work, false);
    work(true);
    for (std::thread& helper : helpers) helper.join();
  };
  by_threads([&](bool reports) {
    for (std::size_t row = next++; row < count && !stopped; row = next++) {
      graph_->add(byte_vector(values(row), centre_).data(), row);
      if (reports && progress && row % kBetweenReports < threads && !progress(row)) stopped = true;
    }
  });
  if (stopped) return false;
  number_rows(count);
  graph_->set_axes(OutlineAxes(centre_, count, values));
  by_threads([&](bool) {
    for (std::size_t row = next++; row < count; row = next++)
      graph_->axes().write_outline(differences(values(row), centre_),
                                   graph_->outline(places_[row]));
  });
  publish(count);
  return true;
}

// The way in after the size: who reads them the other way round finds no way in beyond the size.
void NeighborGraph::publish(std::size_t size) {
  const Links& graph = *graph_->operator->();
  if (size == 0) return;
  size_.store(size, std::memory_order_release);
  way_in_.store(static_cast<std::uint64_t>(graph.maxlevel_) << kPlaceBits | graph.enterpoint_node_,
                std::memory_order_release);
}

// Takes the numbers of the rows from the graph. False if one has none or another's.
bool NeighborGraph::number_rows(std::size_t count) {
  constexpr std::uint32_t kNone = UINT32_MAX;
  for (std::vector<std::uint32_t>* each : {&places_, &rows_}) each->assign(capacity(), kNone);
  for (std::uint32_t place = 0; place < count; ++place) {
    const std::size_t row = (*graph_)->getExternalLabel(place);
    if (row >= count || places_[row] != kNone) return false;
    places_[row] = place;
    rows_[place] = static_cast<std::uint32_t>(row);
  }
  return true;
}

void NeighborGraph::add(std::span<const float> values) {
  const std::size_t row = size();
  const std::uint32_t place = graph_->add(byte_vector(values, centre_).data(), row);
  graph_->axes().write_outline(differences(values, centre_), graph_->outline(place));
  rows_[place] = static_cast<std::uint32_t>(row);
  places_[row] = place;
  publish(row + 1);
}

GraphView NeighborGraph::view() const {
  GraphView view = graph_->view();
  const std::uint64_t way_in = way_in_.load(std::memory_order_acquire);
  view.way_in = static_cast<std::uint32_t>(way_in);
  view.top_level = static_cast<int>(way_in >> kPlaceBits);
  view.places = size();
  if (const std::vector<std::uint32_t>* hidden = hidden_) view.hidden = *hidden;
  return view;
}

std::vector<std::uint32_t> NeighborGraph::near(std::span<const float> query,
                                               std::size_t width) const {
  const std::vector<std::byte> bytes = byte_vector(query, centre_);
  const OutlineQuery outline = graph_->axes().query(differences(query, centre_));
  std::vector<std::uint32_t> rows;
  const SearchesUnderWay::Search search(under_way_);
  const GraphView graph = view();
  if (graph.places == 0) return rows;
  std::vector<NearestPlaces::Place> found = walk(graph, outline, width);
  sort_by_bytes(*graph_->operator->(), bytes.data(),
                std::span(found).first(std::min(kByBytes, found.size())));
  rows.reserve(found.size());
  for (const NearestPlaces::Place& place : found) rows.push_back(rows_[place.number]);
  return rows;
}

// As long as this is there, no search reads these places.
class NeighborGraph::Hiding {
 public:
  Hiding(NeighborGraph& graph, std::vector<std::uint32_t> places)
      : graph_(graph), places_(std::move(places)) {
    graph_.hidden_ = &places_;
    graph_.under_way_.wait_for_earlier();
  }
  ~Hiding() {
    graph_.hidden_ = nullptr;
    graph_.under_way_.wait_for_earlier();  // for those that read the list
  }
  Hiding(const Hiding&) = delete;
  Hiding& operator=(const Hiding&) = delete;

 private:
  NeighborGraph& graph_;
  const std::vector<std::uint32_t> places_;
};

// Some at a time, so that searches find other ways meanwhile.
void NeighborGraph::wipe(std::span<const std::uint32_t> rows) {
  constexpr std::size_t kAtOnce = 64;
  std::vector<std::uint32_t> wiped(rows.begin(), rows.end());
  std::sort(wiped.begin(), wiped.end());
  for (std::size_t begin = 0; begin < wiped.size(); begin += kAtOnce) {
    const auto some = std::span(wiped).subspan(begin, std::min(kAtOnce, wiped.size() - begin));
    std::vector<std::uint32_t> places;
    for (const std::uint32_t row : some) places.push_back(places_[row]);
    const Hiding hiding(*this, std::move(places));
    for (const std::uint32_t row : some) overwrite(wiped, row);
  }
}

void NeighborGraph::overwrite(std::span<const std::uint32_t> wiped, std::uint32_t row) {
  constexpr std::size_t kEnough = 4;  // a mean of fewer would tell too much about each
  std::vector<float> mean(dimensions());
  std::size_t kept = 0;
  for (const std::uint32_t place : graph_->links(places_[row], 0)) {
    if (std::binary_search(wiped.begin(), wiped.end(), rows_[place])) continue;
    add_byte_vector(graph_->bytes(place), mean);
    ++kept;
  }
  for (float& value : mean) value = kept < kEnough ? 0 : value / static_cast<float>(kept);
  write_byte_vector(mean, std::vector<float>(mean.size()), graph_->bytes(places_[row]));
  graph_->axes().write_outline(mean, graph_->outline(places_[row]));
}

std::span<const std::byte> NeighborGraph::nodes() const {
  return {reinterpret_cast<const std::byte*>((*graph_)->data_level0_memory_),
          size() * (*graph_)->size_data_per_element_};
}

std::span<const std::byte> NeighborGraph::outlines() const {
  return {graph_->outline(0), size() * graph_->axes().outline_bytes()};
}

std::vector<std::byte> NeighborGraph::rest() const {
  Links& graph = *graph_->operator->();
  std::vector<std::byte> bytes;
  const auto append = [&](const void* data, std::size_t count) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), from, from + count);
  };
  const Head head{size(),   graph.size_data_per_element_, graph_->axes().outline_bytes(),
                  graph.M_, graph.enterpoint_node_,       graph.maxlevel_};
  append(&head, sizeof head);
  const std::vector<std::byte> axes = graph_->axes().written();
  append(axes.data(), axes.size());
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

std::unique_ptr<NeighborGraph> NeighborGraph::restore(std::span<const float> centre,
                                                      const Stored& stored) {
  Head head;
  std::span<const std::byte> rest = stored.rest;
  if (rest.size() < sizeof head) refuse("has no head");
  std::memcpy(&head, rest.data(), sizeof head);
  rest = rest.subspan(sizeof head);
  if (head.links != kLinks || head.rows == 0 || head.rows > UINT32_MAX / 2 ||
      stored.node_bytes / head.rows != head.node_bytes || stored.node_bytes % head.rows != 0 ||
      head.entry >= head.rows)
    refuse("is of another kind");

  auto restored = std::make_unique<NeighborGraph>(centre, head.rows);
  Links& graph = *restored->graph_->operator->();
  if (graph.size_data_per_element_ != head.node_bytes) refuse("is of other vectors");
  rest = restored->take_outlines(stored.outlines, head.rows, head.outline_bytes, rest);
  restored->graph_->map_nodes(stored.file, stored.node_offset, stored.node_bytes);
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

  if (!restored->number_rows(head.rows)) refuse("has rows that are none");
  for (hnswlib::tableint place = 0; place < head.rows; ++place) {
    bool sound = is_sound(graph, graph.get_linklist0(place), graph.maxM0_, head.rows, 0);
    for (int level = 1; sound && level <= graph.element_levels_[place]; ++level)
      sound = is_sound(graph, graph.get_linklist(place, level), graph.maxM_, head.rows, level);
    if (!sound) refuse("has links to nowhere");
  }
  restored->publish(head.rows);
  return restored;
}

// Copied, unlike the nodes, which are mapped: a file has small pages. Returns what follows the
// axes.
std::span<const std::byte> NeighborGraph::take_outlines(std::span<const std::byte> outlines,
                                                        std::size_t rows, std::size_t bytes,
                                                        std::span<const std::byte> rest) {
  OutlineAxes axes(dimensions());
  const std::size_t written = std::min(rest.size(), axes.written_size(dimensions(), bytes));
  if (!axes.read(rest.first(written), bytes)) refuse("has no axes");
  if (outlines.size() / rows != bytes || outlines.size() % rows != 0)
    refuse("has not an outline for each row");
  graph_->set_axes(std::move(axes));
  std::memcpy(graph_->outline(0), outlines.data(), outlines.size());
  return rest.subspan(written);
}

}  // namespace sightline
