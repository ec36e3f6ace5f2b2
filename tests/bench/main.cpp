// SPDX-License-Identifier: Apache-2.0
// d1-bench: measures what the project promises about speed and memory. See README.md.
#include "bench.hpp"
#include "child.hpp"
#include "device.hpp"
#include "forms.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

namespace {

void list() {
  for (const auto& benchmark : d1::bench::benchmarks()) {
    fmt::print("{}\n", benchmark.what);
    for (const auto& each : benchmark.cases) fmt::print("  {}/{}\n", each.name, each.nodes);
  }
}

int run(d1::bench::Format format, d1::bench::Effort effort, const std::string& filter) {
  d1::bench::Run run(format, effort, filter);
  bool any = false;
  for (const auto& benchmark : d1::bench::benchmarks()) {
    if (std::ranges::none_of(benchmark.cases, [&](const auto& each) { return run.wanted(each); }))
      continue;
    any = true;
    benchmark.measure(run);
  }
  if (any) return 0;
  fmt::print(stderr, "d1-bench: No benchmark matches '{}'; --list shows them all.\n", filter);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures the speed and the memory of OpenD1 on this host."};
  bool json = false, show_list = false, quick = false, forms = false;
  std::string filter, child, machine;
  app.add_flag("--json", json, "one JSON record a line instead of a table");
  app.add_flag("--list", show_list, "show the benchmarks, as --filter sees them, and exit");
  app.add_flag("--quick", quick, "fewer and shorter repetitions: to try it, not to quote it");
  app.add_option("--filter", filter, "only records whose name, or name/nodes, matches this regex");
  app.add_option("--threads", d1::bench::host_threads,
                 "host threads that run nodes; default: as many as the host has");
  app.add_flag("--check-forms", forms,
               "measure nothing, but print which loops of vec.forms are not translated in full");
  app.add_option("--child", child)->group("");  // hidden: a fresh process measures itself
  app.add_option("--machine", machine)->group("");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!child.empty()) return d1::bench::run_as_child(child, machine);
    if (forms) return d1::bench::check_forms();
    if (show_list) {
      list();
      return 0;
    }
    return run(json ? d1::bench::Format::Json : d1::bench::Format::Table,
               quick ? d1::bench::Effort::Quick : d1::bench::Effort::Full, filter);
  } catch (const std::regex_error& error) {
    fmt::print(stderr, "d1-bench: The filter '{}' is no regular expression: {}.\n", filter,
               error.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "d1-bench: {}\n", error.what());
  }
  return 1;
}
