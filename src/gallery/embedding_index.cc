// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/embedding_index.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "gallery/best_matches.h"
#include "gallery/byte_scores.h"
#include "gallery/dot_products.h"
#include "gallery/neighbor_graph.h"
#include "gallery/prefetch.h"
#include "gallery/search_threads.h"

namespace sightline {
namespace {

constexpr std::size_t kScoredRows = 256;  // at once: their scores of 32 queries are 32 KB
constexpr std::size_t kQueriesAtOnce = 32;
constexpr std::size_t kSharedFrom = std::size_t{2} << 20;  // bytes to read; less is not shared

// On a boundary of cache lines, so that no load touches two.
std::shared_ptr<std::byte> lines_of_memory(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  void* memory = std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine);
  if (memory == nullptr) throw std::bad_alloc();
  return {static_cast<std::byte*>(memory), [](std::byte* each) { std::free(each); }};  // NOLINT
}

template <typename Best>
void merge(Best& into, const Best& other) {
  for (const Match& match : other.matches()) into.offer(match);
}

}  // namespace

EmbeddingIndex::EmbeddingIndex(int dimensions, std::size_t bytes_from)
    : dimensions_(static_cast<std::size_t>(dimensions)), bytes_from_(bytes_from) {}

EmbeddingIndex::Method EmbeddingIndex::method() const {
  if (graph_ != nullptr && graph_->size() >= rows() / 2) return Method::kGraph;
  return centre_ != nullptr ? Method::kBytes : Method::kSinglePrecision;
}

std::span<const float> EmbeddingIndex::values(std::size_t row) const {
  return {blocks_[row / kBlockRows]->vectors + row % kBlockRows * dimensions_, dimensions_};
}

std::span<const float> EmbeddingIndex::centre() const {
  return centre_ == nullptr ? std::span<const float>() : std::span<const float>(*centre_);
}

std::size_t EmbeddingIndex::byte_rows() const {
  return centre_ == nullptr ? 0 : rows() / kGroupRows * kGroupRows;
}

std::shared_ptr<EmbeddingIndex::Block> EmbeddingIndex::new_block() const {
  auto block = std::make_shared<Block>();
  const auto memory = lines_of_memory(kBlockRows * dimensions_ * sizeof(float));
  block->memory = memory;
  block->vectors = block->writable = reinterpret_cast<float*>(memory.get());
  return block;
}

std::shared_ptr<EmbeddingIndex::ByteBlock> EmbeddingIndex::new_byte_block() const {
  const std::size_t bytes = kBlockRows / kGroupRows * group_bytes(dimensions_);
  const auto memory = lines_of_memory(bytes + 2 * kBlockRows * sizeof(float));
  auto block = std::make_shared<ByteBlock>();
  block->memory = memory;
  block->bytes = block->writable = reinterpret_cast<std::uint8_t*>(memory.get());
  block->scales = block->writable_scales = reinterpret_cast<float*>(memory.get() + bytes);
  block->biases = block->writable_biases = block->writable_scales + kBlockRows;
  return block;
}

// The block for the next row, which nobody else has put a row into.
EmbeddingIndex::Block& EmbeddingIndex::last_block() {
  const std::size_t filled = rows() % kBlockRows;
  if (filled == 0) {
    blocks_.push_back(new_block());
  } else if (const Block& shared = *blocks_.back();
             shared.writable == nullptr || shared.filled != filled) {
    auto own = new_block();
    std::copy_n(shared.vectors, filled * dimensions_, own->writable);
    own->filled = filled;
    blocks_.back() = std::move(own);
  }
  return *blocks_.back();
}

// Likewise for the next group of bytes.
EmbeddingIndex::ByteBlock& EmbeddingIndex::last_byte_block() {
  const std::size_t groups = (rows() / kGroupRows - 1) % (kBlockRows / kGroupRows);
  if (groups == 0) {
    byte_blocks_.push_back(new_byte_block());
  } else if (const ByteBlock& shared = *byte_blocks_.back();
             shared.writable == nullptr || shared.groups != groups) {
    auto own = new_byte_block();
    std::copy_n(shared.bytes, groups * group_bytes(dimensions_), own->writable);
    std::copy_n(shared.scales, groups * kGroupRows, own->writable_scales);
    std::copy_n(shared.biases, groups * kGroupRows, own->writable_biases);
    own->groups = groups;
    byte_blocks_.back() = std::move(own);
  }
  return *byte_blocks_.back();
}

// Makes bytes of the 16 rows before `end`. Who searches an earlier copy does not read them: they
// are no whole group there.
void EmbeddingIndex::write_last_group(std::size_t end) {
  const std::size_t block_groups = kBlockRows / kGroupRows;
  const std::size_t group = (end / kGroupRows - 1) % block_groups;
  ByteBlock& block = *byte_blocks_[(end - 1) / kBlockRows];
  for (std::size_t lane = 0; lane < kGroupRows; ++lane) {
    const ByteRow row = write_byte_row(values(end - kGroupRows + lane), *centre_,
                                       block.writable + group * group_bytes(dimensions_), lane);
    block.writable_scales[group * kGroupRows + lane] = row.scale;
    block.writable_biases[group * kGroupRows + lane] = row.bias;
  }
  block.groups = group + 1;
}

// The centre is the mean of the rows there are; later ones of the same model lie about it too.
void EmbeddingIndex::begin_bytes() {
  std::vector<double> sums(dimensions_, 0.0);
  for (std::size_t row = 0; row < rows(); ++row)
    for (std::size_t i = 0; i < dimensions_; ++i) sums[i] += static_cast<double>(values(row)[i]);
  std::vector<float> mean;
  for (const double sum : sums)
    mean.push_back(static_cast<float>(sum / static_cast<double>(rows())));
  centre_ = std::make_shared<const std::vector<float>>(std::move(mean));
  for (std::size_t end = kGroupRows; end <= rows(); end += kGroupRows) {
    if ((end - kGroupRows) % kBlockRows == 0) byte_blocks_.push_back(new_byte_block());
    write_last_group(end);
  }
}

void EmbeddingIndex::add(const Row& row) {
  Block& block = last_block();
  const std::size_t place = rows() % kBlockRows;
  std::copy_n(row.values.data(), dimensions_, block.writable + place * dimensions_);
  block.filled = place + 1;

  const auto number = static_cast<std::uint32_t>(rows());
  while (last_rows_.size() <= row.owner) last_rows_.push_back(kNobody);
  ids_.push_back(row.id);
  newest_id_ = std::max(newest_id_, row.id);
  owners_.push_back(row.owner);
  earlier_rows_.push_back(last_rows_[row.owner]);
  last_rows_.edit(row.owner) = number;

  if (centre_ == nullptr) {
    if (rows() >= bytes_from_) begin_bytes();
  } else if (rows() % kGroupRows == 0) {
    last_byte_block();
    write_last_group(rows());
  }
}

std::vector<std::uint32_t> EmbeddingIndex::remove(std::vector<std::int64_t> ids) {
  std::sort(ids.begin(), ids.end());
  std::vector<std::uint32_t> found;
  if (ids.empty() || ids.front() > newest_id_) return found;  // as most new ids are
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::int64_t id = ids_[row];
    if (id < ids.front() || id > ids.back() || owners_[row] == kNobody) continue;
    if (std::binary_search(ids.begin(), ids.end(), id))
      found.push_back(static_cast<std::uint32_t>(row));
  }
  for (const std::uint32_t row : found) owners_.edit(row) = kNobody;
  removed_ += found.size();
  return found;
}

bool EmbeddingIndex::is_sparse() const {
  constexpr std::size_t kFew = 1024;
  return removed_ > kFew && removed_ > rows() / 4;
}

EmbeddingIndex EmbeddingIndex::compacted() const {
  EmbeddingIndex fresh(dimensions(), bytes_from_);
  for (std::size_t row = 0; row < rows(); ++row)
    if (owners_[row] != kNobody) fresh.add({ids_[row], owners_[row], values(row)});
  return fresh;
}

std::size_t EmbeddingIndex::memory() const {
  constexpr std::size_t kOfRow = sizeof(std::int64_t) + 2 * sizeof(std::uint32_t);
  const std::size_t block = kBlockRows * (dimensions_ * sizeof(float) + kOfRow);
  const std::size_t bytes =
      kBlockRows / kGroupRows * group_bytes(dimensions_) + 2 * kBlockRows * sizeof(float);
  return blocks_.size() * block + byte_blocks_.size() * bytes +
         last_rows_.size() * sizeof(std::uint32_t) + (graph_ == nullptr ? 0 : graph_->memory());
}

// One call of a search, of up to kQueriesAtOnce queries.
class EmbeddingIndex::Search {
 public:
  Search(const EmbeddingIndex& index, std::span<const float> queries)
      : index_(index), queries_(queries), count_(queries.size() / index.dimensions_) {}

  std::vector<std::vector<Match>> rows(Method method, std::size_t wanted) {
    if (method == Method::kSinglePrecision) return sorted(scan(BestRows(wanted), method));
    std::vector<std::vector<Match>> found =
        candidates(method, std::max(kCompared, 2 * wanted), wanted);
    for (std::vector<Match>& matches : found) matches.resize(std::min(matches.size(), wanted));
    return found;
  }

  // Of few candidates all may be of one owner; then more are looked at.
  std::vector<std::vector<Match>> owners(Method method, std::size_t wanted) {
    if (method == Method::kSinglePrecision) return sorted(scan(BestOwners(wanted), method));
    const std::size_t compared = std::max(kCompared, 2 * wanted);
    std::vector<std::vector<Match>> found =
        owners_among(candidates(method, compared, wanted), wanted);
    for (std::size_t i = 0; i < count_; ++i) {
      if (found[i].size() == wanted) continue;
      Search again(index_, query(i));
      constexpr std::size_t kMore = 16;
      auto more = owners_among(again.candidates(Method::kBytes, kMore * compared, wanted), wanted);
      if (more[0].size() < wanted)
        more = sorted(again.scan(BestOwners(wanted), Method::kSinglePrecision));
      found[i] = std::move(more[0]);
    }
    return found;
  }

 private:
  std::span<const float> query(std::size_t i) const {
    return queries_.subspan(i * index_.dimensions_, index_.dimensions_);
  }

  template <typename Best>
  static std::vector<std::vector<Match>> sorted(const std::vector<Best>& bests) {
    std::vector<std::vector<Match>> all;
    for (const Best& best : bests) all.push_back(best.sorted());
    return all;
  }

  static std::vector<std::vector<Match>> owners_among(const std::vector<std::vector<Match>>& rows,
                                                      std::size_t wanted) {
    std::vector<std::vector<Match>> all;
    for (const std::vector<Match>& matches : rows) {
      BestOwners best(wanted);
      for (const Match& match : matches) best.offer(match);
      all.push_back(best.sorted());
    }
    return all;
  }

  // Rows that are likely to be the nearest, compared in single precision, best first.
  std::vector<std::vector<Match>> candidates(Method method, std::size_t compared,
                                             std::size_t wanted) {
    if (method == Method::kGraph && index_.graph_ != nullptr) return along_graph(compared, wanted);
    std::vector<std::vector<Match>> all;
    for (const BestRows& best : scan(BestRows(compared), Method::kBytes))
      all.push_back(compare(all.size(), best.matches()));
    return all;
  }

  std::vector<Match> compare(std::size_t number, std::vector<Match> matches) const {
    for (const Match& match : matches) {
      const std::span<const float> row = index_.values(match.row);
      prefetch(row.data(), row.size_bytes());
    }
    for (Match& match : matches)
      match.similarity = dot_product(index_.values(match.row), query(number));
    std::sort(matches.begin(), matches.end(), is_better);
    return matches;
  }

  std::vector<std::vector<Match>> along_graph(std::size_t compared, std::size_t wanted) {
    const std::size_t in_graph = std::min(index_.graph_->size(), index_.rows());
    std::vector<std::vector<Match>> all(count_);
    share_search(count_, [&](std::size_t i) {
      const std::size_t width = std::max(NeighborGraph::search_width(in_graph), compared);
      std::vector<Match> found;
      for (const std::uint32_t row : index_.graph_->near(query(i), width)) {
        if (found.size() == compared) break;
        if (row < in_graph && index_.owners_[row] != kNobody)
          found.push_back({row, index_.owners_[row], kBelowAll});
      }
      all[i] = std::move(found);
    });
    for (std::size_t i = 0; i < count_; ++i) {
      Search one(index_, query(i));
      const bool missed = all[i].size() < std::min({wanted, index_.size(), in_graph});
      if (missed) {  // what is near was removed
        all[i] = one.candidates(Method::kBytes, compared, wanted)[0];
        continue;
      }
      const auto beside = one.scan(BestRows(compared), Method::kBytes, in_graph);
      all[i].insert(all[i].end(), beside[0].matches().begin(), beside[0].matches().end());
      all[i] = compare(i, std::move(all[i]));
    }
    return all;
  }

  // Offers rows from `begin` on to a copy of `best` for each query.
  template <typename Best>
  std::vector<Best> scan(const Best& best, Method method, std::size_t begin = 0) {
    const std::size_t rows = index_.rows() - std::min(begin, index_.rows());
    const std::size_t width = index_.dimensions_ * (method == Method::kBytes ? 1 : sizeof(float));
    constexpr std::size_t kPartsOfAThread = 2;
    std::size_t parts = 1;
    if (rows * width >= kSharedFrom) parts = search_threads() * kPartsOfAThread;
    const std::size_t blocks = (rows + kBlockRows - 1) / kBlockRows;
    const std::size_t rows_of_part = (blocks + parts - 1) / parts * kBlockRows;
    if (method == Method::kBytes && byte_queries_.empty() && index_.centre_ != nullptr)
      for (std::size_t i = 0; i < count_; ++i)
        byte_queries_.push_back(byte_query(query(i), *index_.centre_));

    std::vector<std::vector<Best>> found(parts, std::vector<Best>(count_, best));
    share_search(parts, [&](std::size_t part) {
      const std::size_t first = std::min(begin + part * rows_of_part, index_.rows());
      scan_part(first, std::min(first + rows_of_part, index_.rows()), method, found[part]);
    });
    for (std::size_t part = 1; part < parts; ++part)
      for (std::size_t i = 0; i < count_; ++i) merge(found[0][i], found[part][i]);
    return std::move(found[0]);
  }

  template <typename Best>
  void scan_part(std::size_t begin, std::size_t end, Method method,
                 std::vector<Best>& bests) const {
    const std::size_t first_group = (begin + kGroupRows - 1) / kGroupRows * kGroupRows;
    const std::size_t bytes_end = std::min(end / kGroupRows * kGroupRows, index_.byte_rows());
    if (method != Method::kBytes || first_group >= bytes_end) {
      scan_vectors(begin, end, bests);
      return;
    }
    scan_vectors(begin, first_group, bests);
    scan_bytes(first_group, bytes_end, bests);
    scan_vectors(bytes_end, end, bests);
  }

  template <typename Best>
  void scan_vectors(std::size_t begin, std::size_t end, std::vector<Best>& bests) const {
    std::array<float, kScoredRows> scores;
    while (begin < end) {
      const std::size_t in_block = begin % kBlockRows;
      const std::size_t rows = std::min({kScoredRows, end - begin, kBlockRows - in_block});
      const std::span<const float> vectors(
          index_.blocks_[begin / kBlockRows]->vectors + in_block * index_.dimensions_,
          rows * index_.dimensions_);
      for (std::size_t i = 0; i < count_; ++i) {
        dot_products(vectors, query(i), std::span(scores).first(rows));
        offer(begin, std::span(scores).first(rows), bests[i]);
      }
      begin += rows;
    }
  }

  // Both on boundaries of groups.
  template <typename Best>
  void scan_bytes(std::size_t begin, std::size_t end, std::vector<Best>& bests) const {
    std::vector<float> scores(kScoredRows * count_);
    while (begin < end) {
      const std::size_t in_block = begin % kBlockRows;
      const std::size_t rows = std::min({kScoredRows, end - begin, kBlockRows - in_block});
      const ByteBlock& block = *index_.byte_blocks_[begin / kBlockRows];
      const ByteGroups groups{block.bytes + in_block / kGroupRows * group_bytes(index_.dimensions_),
                              block.scales + in_block, block.biases + in_block, rows / kGroupRows,
                              quads(index_.dimensions_)};
      byte_scores(groups, byte_queries_, scores);
      for (std::size_t i = 0; i < count_; ++i)
        offer(begin, std::span(scores).subspan(i * rows, rows), bests[i]);
      begin += rows;
    }
  }

  template <typename Best>
  void offer(std::size_t first_row, std::span<const float> scores, Best& best) const {
    std::array<std::uint32_t, kScoredRows> places;
    const std::size_t count = find_above(scores, best.floor(), places);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first_row + places[i];
      const std::uint32_t owner = index_.owners_[row];
      if (owner != kNobody && scores[places[i]] > best.floor())
        best.offer({static_cast<std::uint32_t>(row), owner, scores[places[i]]});
    }
  }

  const EmbeddingIndex& index_;
  const std::span<const float> queries_;
  const std::size_t count_;
  std::vector<ByteQuery> byte_queries_;
};

namespace {

// Calls `find` with up to kQueriesAtOnce queries at a time.
template <typename Find>
std::vector<std::vector<Match>> in_batches(std::span<const float> queries, std::size_t dimensions,
                                           Find find) {
  std::vector<std::vector<Match>> all;
  const std::size_t step = kQueriesAtOnce * dimensions;
  for (std::size_t begin = 0; begin < queries.size(); begin += step) {
    auto found = find(queries.subspan(begin, std::min(step, queries.size() - begin)));
    all.insert(all.end(), std::make_move_iterator(found.begin()),
               std::make_move_iterator(found.end()));
  }
  return all;
}

}  // namespace

std::vector<std::vector<Match>> EmbeddingIndex::nearest_rows(Method method,
                                                             std::span<const float> queries,
                                                             std::size_t count) const {
  return in_batches(queries, dimensions_, [&](std::span<const float> some) {
    return Search(*this, some).rows(method, std::min(count, size()));
  });
}

std::vector<std::vector<Match>> EmbeddingIndex::nearest_rows(std::span<const float> queries,
                                                             std::size_t count) const {
  return nearest_rows(method(), queries, count);
}

std::vector<std::vector<Match>> EmbeddingIndex::nearest_owners(std::span<const float> queries,
                                                               std::size_t count) const {
  return in_batches(queries, dimensions_, [&](std::span<const float> some) {
    return Search(*this, some).owners(method(), count);
  });
}

void EmbeddingIndex::similarities_of_owners(std::span<const float> query,
                                            std::span<float> best) const {
  std::fill(best.begin(), best.end(), kBelowAll);
  std::array<float, kScoredRows> scores;
  for (std::size_t begin = 0; begin < rows();) {
    const std::size_t in_block = begin % kBlockRows;
    const std::size_t count = std::min({kScoredRows, rows() - begin, kBlockRows - in_block});
    dot_products(
        {blocks_[begin / kBlockRows]->vectors + in_block * dimensions_, count * dimensions_}, query,
        std::span(scores).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t owner = owners_[begin + i];
      if (owner != kNobody) best[owner] = std::max(best[owner], scores[i]);
    }
    begin += count;
  }
}

}  // namespace sightline
