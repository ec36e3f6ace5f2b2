// SPDX-License-Identifier: Apache-2.0
// d1-bench-onednn SIZE: the reference of gemm.bf16.die. Multiplies BF16 matrices of SIZE x SIZE to
// an FP32 one with oneDNN, on all cores it may use, row by row as the die gets and leaves them, and
// prints the sum of the product (programs/values.hpp) and the median of the seconds it took, warm.
#include "matrices.hpp"

#include <dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using dnnl::memory;

double seconds_of(const dnnl::matmul& product, dnnl::stream& stream, const memory& a,
                  const memory& b, const memory& c) {
  const auto start = std::chrono::steady_clock::now();
  product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
  stream.wait();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run(std::size_t size) {
  std::vector<d1::bf16> a = d1::bench::matrix_of_small_integers(size, 1),
                        b = d1::bench::matrix_of_small_integers(size, 2);
  std::vector<float> c(size * size);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto extent = static_cast<memory::dim>(size);
  const auto layout = [extent](memory::data_type type) {
    return memory::desc({extent, extent}, type, memory::format_tag::ab);
  };
  const memory::desc operand = layout(memory::data_type::bf16);
  const memory::desc result = layout(memory::data_type::f32);
  const dnnl::matmul product(
      dnnl::matmul::primitive_desc(dnnl::matmul::desc(operand, operand, result), engine));
  const memory a_there(operand, engine, a.data()), b_there(operand, engine, b.data()),
      c_there(result, engine, c.data());

  for (int i = 0; i < 2; ++i) (void)seconds_of(product, stream, a_there, b_there, c_there);
  constexpr int kProducts = 7;
  std::vector<double> seconds;
  for (int i = 0; i < kProducts; ++i)
    seconds.push_back(seconds_of(product, stream, a_there, b_there, c_there));
  std::ranges::nth_element(seconds, seconds.begin() + kProducts / 2);
  std::printf("%lu %.9f\n", d1::bench::sum_of_integers(c.data(), c.size()), seconds[kProducts / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2) {
      run(std::strtoul(argv[1], nullptr, 10));
      return 0;
    }
    std::fprintf(stderr, "usage: d1-bench-onednn SIZE\n");
  } catch (const dnnl::error& error) {
    std::fprintf(stderr, "d1-bench-onednn: oneDNN cannot multiply: %s.\n", error.what());
  }
  return 1;
}
