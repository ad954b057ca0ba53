// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What results on a buffer cost, by the public C API: a hundred objects with an embedding each are
// attached, read, and copied with their buffer; and what a pad probe that does nothing costs a
// buffer. Beside each, the same without results, or merely the bytes. python_bench.py has the same
// in Python.

#include <array>
#include <cstring>
#include <vector>

#include <sightline/sightline.h>

#include <benchmark/benchmark.h>
#include <gst/gst.h>

namespace {

constexpr int kObjects = 100;
constexpr gint64 kDimensions = 128;
using Embedding = std::array<float, kDimensions>;

const Embedding& embedding() {
  static const Embedding values = [] {
    Embedding numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
    return numbers;
  }();
  return values;
}

void add_object(SightFrame* frame) {
  const SightBox box = {1, 2, 30, 40};
  SightObject* object = sight_frame_add_object(frame, "car", 2, 0.9f, &box, 0, nullptr);
  g_autoptr(GBytes) numbers = g_bytes_new(embedding().data(), sizeof(Embedding));
  g_autoptr(SightTensor) tensor =
      sight_tensor_new("embedding", SIGHT_ELEMENT_FLOAT32, &kDimensions, 1, numbers, nullptr);
  sight_object_add_tensor(object, tensor, nullptr);
}

GstBuffer* new_buffer_with_objects() {
  GstBuffer* buffer = gst_buffer_new();
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  for (int i = 0; i < kObjects; ++i) add_object(frame);
  sight_frame_seal(frame);
  return buffer;
}

void AttachHundredObjects(benchmark::State& state) {
  for (auto _ : state) gst_buffer_unref(new_buffer_with_objects());
}
BENCHMARK(AttachHundredObjects)->Unit(benchmark::kMicrosecond);

// The least that keeping as many numbers takes.
void AllocateAndCopyAsManyNumbers(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<Embedding> kept(kObjects, embedding());
    benchmark::DoNotOptimize(kept.data());
  }
}
BENCHMARK(AllocateAndCopyAsManyNumbers)->Unit(benchmark::kMicrosecond);

void ReadHundredObjects(benchmark::State& state) {
  GstBuffer* const buffer = new_buffer_with_objects();
  for (auto _ : state) {
    float sum = 0;
    const SightFrame* frame = sight_buffer_get_frame(buffer);
    for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
      const SightObject* object = sight_frame_get_object(frame, i);
      gsize n = 0;
      sum += sight_tensor_get_floats(sight_object_find_tensor(object, "embedding"), &n, nullptr)[0];
    }
    benchmark::DoNotOptimize(sum);
  }
  gst_buffer_unref(buffer);
}
BENCHMARK(ReadHundredObjects)->Unit(benchmark::kMicrosecond);

void copy(benchmark::State& state, GstBuffer* buffer) {
  for (auto _ : state) gst_buffer_unref(gst_buffer_copy(buffer));
  gst_buffer_unref(buffer);
}

void CopyBufferWithHundredObjects(benchmark::State& state) {
  copy(state, new_buffer_with_objects());
}
BENCHMARK(CopyBufferWithHundredObjects)->Unit(benchmark::kMicrosecond);

void CopyBufferWithoutResults(benchmark::State& state) { copy(state, gst_buffer_new()); }
BENCHMARK(CopyBufferWithoutResults)->Unit(benchmark::kMicrosecond);

// Copies the list of objects, as whoever adds to a frame that others have read or share.
void CopyBufferAndEditIt(benchmark::State& state) {
  GstBuffer* const buffer = new_buffer_with_objects();
  for (auto _ : state) {
    GstBuffer* const mine = gst_buffer_copy(buffer);
    benchmark::DoNotOptimize(sight_buffer_edit_frame(mine, nullptr));
    gst_buffer_unref(mine);
  }
  gst_buffer_unref(buffer);
}
BENCHMARK(CopyBufferAndEditIt)->Unit(benchmark::kMicrosecond);

// --- probes ----------------------------------------------------------------------------------

// Two linked pads, between which buffers go that nobody looks at.
class Link {
 public:
  Link() {
    gst_pad_set_chain_function(to_, [](GstPad*, GstObject*, GstBuffer* buffer) {
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_active(to_, TRUE);
    gst_pad_set_active(from_, TRUE);
    gst_pad_link(from_, to_);
    gst_pad_push_event(from_, gst_event_new_stream_start("bench"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(from_, gst_event_new_segment(&segment));
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    gst_object_unref(from_);
    gst_object_unref(to_);
  }

  GstPad* probed() const { return to_; }
  void push() const { gst_pad_push(from_, gst_buffer_new()); }

 private:
  GstPad* from_ = gst_pad_new("from", GST_PAD_SRC);
  GstPad* to_ = gst_pad_new("to", GST_PAD_SINK);
};

void PushWithoutProbe(benchmark::State& state) {
  const Link link;
  for (auto _ : state) link.push();
}
BENCHMARK(PushWithoutProbe)->Unit(benchmark::kMicrosecond);

void PushWithPlainProbe(benchmark::State& state) {
  const Link link;
  gst_pad_add_probe(
      link.probed(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  for (auto _ : state) link.push();
}
BENCHMARK(PushWithPlainProbe)->Unit(benchmark::kMicrosecond);

void PushWithProbeOfWritableBuffers(benchmark::State& state) {
  const Link link;
  sight_pad_add_probe(
      link.probed(), [](GstPad*, GstBuffer*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr,
      nullptr);
  for (auto _ : state) link.push();
}
BENCHMARK(PushWithProbeOfWritableBuffers)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
