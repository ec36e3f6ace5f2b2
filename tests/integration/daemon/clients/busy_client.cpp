// SPDX-License-Identifier: Apache-2.0
// A client that launches and copies for ever, until somebody ends it: busy_client TRANSPORT
// [--mark NUMBER]. Writes a byte when all of it is under way. The mark is written into SRAM of a
// node and into HBM first.
#include <d1/abi/memory_map.h>
#include <d1/d1.hpp>

#include <unistd.h>

#include <busy_program.hpp>
#include <cstdio>
#include <string>
#include <vector>

int main(int count, char** arguments) try {
  if (count != 2 && count != 4) return 2;
  constexpr std::size_t kElements = std::size_t{1} << 18;
  const d1::Device device = d1::Device::open(arguments[1]);
  const d1::Kernel kernel = device.load(busy_program, "busy").kernel("busy");
  if (count == 4) {
    const std::uint64_t mark = std::stoull(arguments[3]);
    for (const std::uint64_t address :
         {d1_node_address(0, 7, 0x80000), d1_hbm_address(device.info().hbm_bytes - 4096)})
      if (!device.shared()->device().transport().write_aperture(address, &mark, sizeof mark))
        return 4;
  }
  d1::Stream launches = device.stream(), in = device.stream(), out = device.stream();
  const d1::Buffer<std::uint64_t> a = device.hbm<std::uint64_t>(kElements);
  const d1::Buffer<std::uint64_t> b = device.hbm<std::uint64_t>(kElements);
  std::vector<std::uint64_t> from(kElements, 1), to(kElements);
  for (bool told = false;; told = true) {
    std::vector<d1::Launch> under_way;
    for (int i = 0; i < 8; ++i) {
      under_way.push_back(kernel(launches, device.all(), std::uint64_t{2000}));
      under_way.push_back(in.copy_in(a, from));
      under_way.push_back(out.copy_out(std::span(to), b));
    }
    if (!told && ::write(STDOUT_FILENO, "!", 1) != 1) return 3;
    for (d1::Launch& each : under_way) each.wait();
  }
} catch (const d1::Exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
