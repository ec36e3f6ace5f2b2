// SPDX-License-Identifier: Apache-2.0
// c = a + b on every node of the machine: vector_add [KERNEL.cpp]
#include <cstdio>
#include <numeric>
#include <vector>

#include <d1/d1.hpp>

int main(int argc, char** argv) try {
  const std::size_t count = 100000;
  std::vector<float> a(count), b(count, 0.5f), c(count);
  std::iota(a.begin(), a.end(), 0.0f);

  auto device = d1::Device::open();
  auto add = device.compile(argc > 1 ? argv[1] : "kernels/vector_add.cpp").kernel("vector_add");
  auto on_a = device.sharded<float>(count), on_b = device.sharded<float>(count);
  auto on_c = device.sharded<float>(count);

  auto stream = device.stream();
  stream.copy_in(on_a, a);
  stream.copy_in(on_b, b);
  auto launch = add(stream, device.all(), on_a, on_b, on_c);
  stream.copy_out(c, on_c);
  stream.synchronize();

  for (std::size_t i = 0; i < count; ++i)
    if (c[i] != a[i] + b[i]) return std::printf("element %zu is wrong: %g\n", i, c[i]), 1;
  std::printf("%zu sums on %llu nodes are right, in %llu cycles\n", count,
              static_cast<unsigned long long>(device.info().nodes),
              static_cast<unsigned long long>(launch.cycles()));
} catch (const d1::Exception& problem) {
  return std::fprintf(stderr, "%s\n", problem.what()), 1;
}
