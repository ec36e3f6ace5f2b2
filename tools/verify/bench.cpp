// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <verify_kernels_program.hpp>

namespace d1::verify {

using runtime::BufferRequest;
using runtime::Placement;

namespace {

constexpr std::uint64_t kStampsANode = 2 * D1_HARTS;

driver::Deadline deadline() { return driver::after(Bench::kRunLimit); }

}  // namespace

bool Check::holds() const {
  const double allowed = std::max(tolerance, 1e-9) * std::abs(formula);
  if (!(std::abs(model - formula) <= allowed)) return false;
  return !published || std::abs(formula - *published) <= kPublishedTolerance * *published;
}

Bench::Bench(emulator::MachineDescription machine, std::shared_ptr<runtime::Context> context,
             runtime::Stream stream, std::shared_ptr<const runtime::Program> program)
    : geometry_(std::move(machine)),
      noc_(geometry_),
      context_(std::move(context)),
      stream_(std::move(stream)),
      program_(std::move(program)) {}

Result<std::unique_ptr<Bench>> Bench::open(const std::string& machine) {
  auto description = emulator::load_machine(machine);
  if (!description) return pass_on(description, fmt::format("loading machine {}", machine));
  driver::DeviceOptions options;
  options.transport_options.machine = machine;
  auto context = runtime::Context::open(options);
  if (!context) return pass_on(context, fmt::format("opening machine {}", machine));
  auto stream = runtime::Stream::create(*context);
  if (!stream) return pass_on(stream, "making a stream");
  auto image = runtime::ElfImage::parse(
      {verify_kernels_program.begin(), verify_kernels_program.end()}, "the micro-benchmarks");
  if (!image) return pass_on(image, "reading the micro-benchmarks");
  auto program = runtime::Program::create(std::move(*image));
  return std::unique_ptr<Bench>(new Bench(std::move(*description), std::move(*context),
                                          std::move(*stream), std::move(program)));
}

Result<std::uint64_t> Bench::cycles(const Run& run, std::uint64_t length) {
  const auto fault = [&](auto& failed) {
    return pass_on(failed,
                   fmt::format("running the micro-benchmark {} of length {}", run.kernel, length));
  };
  auto kernel = program_->kernel(run.kernel);
  if (!kernel) return fault(kernel);
  const std::uint64_t count = kStampsANode * run.grid->nodes();
  auto stamps = context_->allocate({Placement::Sharded, count, sizeof(std::uint64_t), run.grid});
  if (!stamps) return fault(stamps);
  auto room = context_->allocate({Placement::Replicated, kRoomBytes, 1, run.grid});
  if (!room) return fault(room);
  auto cleared = stream_.fill(*stamps, 0, stamps->bytes(), 0, sizeof(std::uint64_t));
  if (!cleared) return fault(cleared);
  std::vector<runtime::Argument> arguments = {stamps->argument(), room->argument()};
  auto signature = kernel->signature();
  if (!signature) return fault(signature);
  if ((*signature)->parameters.size() > 2) arguments.emplace_back(length);
  for (const std::uint64_t value : run.rest) arguments.emplace_back(value);
  auto launch = stream_.launch(*kernel, run.grid, arguments, {.harts = run.harts});
  if (!launch) return fault(launch);
  if (auto ended = launch->wait(deadline()); !ended) return fault(ended);
  std::vector<std::uint64_t> values(count);
  auto copy = stream_.copy_out(values.data(), *stamps, 0, count * sizeof(std::uint64_t));
  if (!copy) return fault(copy);
  if (auto ended = copy->wait(deadline()); !ended) return fault(ended);
  std::uint64_t first = ~std::uint64_t{0}, last = 0;
  for (std::uint64_t i = 0; i < count; i += 2) {
    if (values[i + 1] == 0) continue;  // this hart took no part
    first = std::min(first, values[i]);
    last = std::max(last, values[i + 1]);
  }
  if (last == 0)
    return fail(ErrorKind::Internal,
                fmt::format("The micro-benchmark {} recorded no time.", run.kernel));
  return last - first;
}

Result<double> Bench::difference(const Run& run, std::uint64_t small, std::uint64_t large) {
  const auto less = cycles(run, small);
  if (!less) return std::unexpected(less.error());
  const auto more = cycles(run, large);
  if (!more) return std::unexpected(more.error());
  return static_cast<double>(*more) - static_cast<double>(*less);
}

Result<std::uint64_t> Bench::copy_cycles(std::uint64_t bytes) {
  auto memory = context_->allocate_host(bytes);
  if (!memory) return pass_on(memory, "allocating host memory");
  auto buffer = context_->allocate({Placement::Hbm, bytes, 1, nullptr});
  if (!buffer) return pass_on(buffer, "allocating HBM");
  auto before = stream_.fence();
  if (!before) return pass_on(before, "submitting a fence");
  auto copy = stream_.copy_in(*buffer, 0, memory->data(), bytes);
  if (!copy) return pass_on(copy, "submitting a copy");
  if (auto ended = copy->wait(deadline()); !ended) return pass_on(ended, "copying");
  if (auto ended = before->wait(deadline()); !ended) return pass_on(ended, "waiting for a fence");
  return copy->end_cycle() - before->end_cycle();
}

Result<std::uint64_t> Bench::hbm(std::uint64_t bytes) {
  auto buffer = context_->allocate({Placement::Hbm, bytes, 1, nullptr});
  if (!buffer) return pass_on(buffer, "allocating HBM");
  kept_.push_back(std::move(*buffer));
  return kept_.back().address();
}

emulator::Route Bench::route(const runtime::Grid& grid, std::uint64_t a, std::uint64_t b) {
  const auto id = [&](std::uint64_t rank) {
    const runtime::NodePlace place = grid.place_of(rank);
    return emulator::NodeId{static_cast<std::uint16_t>(place.die),
                            static_cast<std::uint16_t>(place.node)};
  };
  return noc_.route(id(a), id(b));
}

Check Bench::check(std::string name, std::string unit, double model, double formula,
                   std::string text, const std::string& figure) const {
  Check check{std::move(name), std::move(unit), model, formula, std::move(text)};
  for (const emulator::Figure& known : emulator::derived_figures(machine())) {
    if (known.name != figure) continue;
    check.published = known.published;
    check.source = known.source;
  }
  return check;
}

std::vector<CheckGroup> check_groups() {
  return {{"node", node_checks},
          {"mesh", mesh_checks},
          {"dies", die_checks},
          {"interface processors", interface_checks}};
}

}  // namespace d1::verify
