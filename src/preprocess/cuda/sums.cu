// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums over pictures: a block of threads each, or each of its channels.

namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;

// The sum of all threads' values, in thread 0.
__device__ double block_sum(double value) {
  __shared__ double partial[kThreads / kWarp];
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2)
    value += __shfl_down_sync(0xffffffffu, value, lanes);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
  __syncthreads();
  double sum = 0;
  for (int i = 0; i < kThreads / kWarp; ++i) sum += partial[i];
  return sum;
}

}  // namespace

// sums: sum, squares, squared gradient of the picture blockIdx.x.
extern "C" __global__ void __launch_bounds__(kThreads)
    sum_detail(const float* pictures, int width, int height, double* sums) {
  const float* const pixels = pictures + static_cast<size_t>(blockIdx.x) * width * height;
  const int columns = width - 1, count = columns * (height - 1);
  double sum = 0, squares = 0, gradient = 0;
  for (int i = threadIdx.x; i < count; i += kThreads) {
    const float* const at = pixels + i / columns * width + i % columns;
    const float pixel = at[0], dx = at[1] - pixel, dy = at[width] - pixel;
    sum += pixel;
    squares += pixel * pixel;
    gradient += dx * dx + dy * dy;
  }
  sum = block_sum(sum);
  squares = block_sum(squares);
  gradient = block_sum(gradient);
  if (threadIdx.x != 0) return;
  double* const to = sums + 3 * static_cast<size_t>(blockIdx.x);
  to[0] = sum;
  to[1] = squares;
  to[2] = gradient;
}

// sums: of the channel blockIdx.y of the tensor blockIdx.x, `columns` × `rows` from (left, top) on.
extern "C" __global__ void __launch_bounds__(kThreads)
    sum_channels(const float* tensors, int width, int height, int channels, int interleaved,
                 int left, int top, int columns, int rows, double* sums) {
  const int channel = blockIdx.y;
  double sum = 0;
  if (channel < channels) {
    const float* const values =
        tensors + static_cast<size_t>(blockIdx.x) * channels * width * height;
    for (int i = threadIdx.x; i < columns * rows; i += kThreads) {
      const int x = left + i % columns, y = top + i / columns;
      sum += values[interleaved ? (y * width + x) * channels + channel
                                : (channel * height + y) * width + x];
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[3 * static_cast<size_t>(blockIdx.x) + channel] = sum;
}
