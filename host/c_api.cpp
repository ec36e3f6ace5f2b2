// SPDX-License-Identifier: Apache-2.0
// The C API over the C++ one: a handle is an object of the latter, an exception becomes a code.
#include <d1/d1.h>
#include <d1/d1.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

struct d1_device_handle {
  d1::Device value;
};
struct d1_grid_handle {
  d1::Grid value;
};
struct d1_program_handle {
  d1::Program value;
};
struct d1_kernel_handle {
  d1::Kernel value;
};
struct d1_buffer_handle {
  d1::runtime::Buffer value;
};
struct d1_stream_handle {
  d1::Stream value;
};
struct d1_event_handle {
  d1::Event value;
};
struct d1_launch_handle {
  d1::Launch value;
};

namespace {

thread_local std::string last_error;

d1_error_t code_of(d1::ErrorKind kind) {
  switch (kind) {
    case d1::ErrorKind::Invalid:
      return D1_ERROR_INVALID;
    case d1::ErrorKind::Unsupported:
      return D1_ERROR_UNSUPPORTED;
    case d1::ErrorKind::ResourceExhausted:
      return D1_ERROR_RESOURCE_EXHAUSTED;
    case d1::ErrorKind::Timeout:
      return D1_ERROR_TIMEOUT;
    case d1::ErrorKind::Cancelled:
      return D1_ERROR_CANCELLED;
    case d1::ErrorKind::KernelTrap:
      return D1_ERROR_KERNEL_TRAP;
    case d1::ErrorKind::Deadlock:
      return D1_ERROR_DEADLOCK;
    case d1::ErrorKind::DeviceLost:
      return D1_ERROR_DEVICE_LOST;
    case d1::ErrorKind::Hardware:
      return D1_ERROR_HARDWARE;
    case d1::ErrorKind::Protocol:
      return D1_ERROR_PROTOCOL;
    case d1::ErrorKind::Internal:
      return D1_ERROR_INTERNAL;
  }
  return D1_ERROR_INTERNAL;
}

// Runs `call`; no exception leaves it.
template <typename Call>
d1_error_t guarded(Call&& call) noexcept {
  try {
    call();
    return D1_OK;
  } catch (const d1::Exception& problem) {
    last_error = problem.what();
    return code_of(problem.kind());
  } catch (const std::bad_alloc&) {
    last_error = "resource exhausted: The host has no memory left.";
    return D1_ERROR_RESOURCE_EXHAUSTED;
  } catch (const std::exception& problem) {
    last_error = std::string("internal: ") + problem.what();
    return D1_ERROR_INTERNAL;
  }
}

// Handles and outputs the caller must give.
template <typename... Pointers>
void need(const char* function, Pointers... pointers) {
  if (((pointers != nullptr) && ...)) return;
  throw d1::Exception(d1::Error(d1::ErrorKind::Invalid,
                                std::string(function) + " was given a null handle or output."));
}

std::chrono::nanoseconds milliseconds(std::uint64_t count) {
  constexpr std::uint64_t most = D1_FOREVER * 24 * 365;  // stays far from overflow
  return std::chrono::milliseconds(count < most ? count : most);
}

void give(d1_launch_t* output, d1::runtime::Operation operation) {
  if (output) *output = new d1_launch_handle{d1::Launch(std::move(operation))};
}

d1::Grid grid_or_none(d1_grid_t grid) { return grid ? grid->value : d1::Grid(); }

d1::runtime::Argument argument_of(const d1_argument_t& argument) {
  switch (argument.kind) {
    case D1_ARG_INT:
      return argument.value.signed_value;
    case D1_ARG_UINT:
      return argument.value.unsigned_value;
    case D1_ARG_REAL:
      return argument.value.real_value;
    case D1_ARG_BUFFER:
      need("d1_kernel_launch", argument.value.buffer);
      return argument.value.buffer->value.argument();
  }
  throw d1::Exception(
      d1::Error(d1::ErrorKind::Invalid, "A kernel argument has a kind that does not exist."));
}

d1::LaunchOptions options_of(const d1_launch_options_t* given) {
  d1::LaunchOptions options;
  if (!given) return options;
  if (given->harts) options.harts = given->harts;
  if (given->stack_bytes) options.stack_bytes = given->stack_bytes;
  options.timeout = milliseconds(given->timeout_ms);
  options.cycle_limit = given->cycle_limit;
  options.host_interactive = given->host_interactive != 0;
  return options;
}

}  // namespace

const char* d1_last_error(void) { return last_error.c_str(); }

d1_error_t d1_device_open_from(const char* header, const char* machine, d1_device_t* device) {
  return guarded([&] {
    if (header) d1::runtime::set_installed_header(header);
    need("d1_device_open", device);
    d1::DeviceOptions options;
    if (machine) options.machine = machine;
    *device = new d1_device_handle{d1::Device::open(options)};
  });
}
void d1_device_release(d1_device_t device) { delete device; }
uint64_t d1_device_nodes(d1_device_t device) { return device->value.info().nodes; }
uint64_t d1_device_clock_hz(d1_device_t device) { return device->value.info().clock_hz; }

d1_error_t d1_grid_all(d1_device_t device, d1_grid_t* grid) {
  return guarded([&] {
    need("d1_grid_all", device, grid);
    *grid = new d1_grid_handle{device->value.all()};
  });
}
d1_error_t d1_grid_create(d1_device_t device, uint32_t rows, uint32_t columns, uint32_t first_row,
                          uint32_t first_column, d1_grid_t* grid) {
  return guarded([&] {
    need("d1_grid_create", device, grid);
    *grid = new d1_grid_handle{device->value.grid(rows, columns, first_row, first_column)};
  });
}
uint64_t d1_grid_nodes(d1_grid_t grid) { return grid->value.nodes(); }
void d1_grid_release(d1_grid_t grid) { delete grid; }

d1_error_t d1_program_compile(d1_device_t device, const char* source_path, const char* const* flags,
                              d1_program_t* program) {
  return guarded([&] {
    need("d1_program_compile", device, source_path, program);
    d1::CompileOptions options;
    for (; flags && *flags; ++flags) options.flags.emplace_back(*flags);
    *program = new d1_program_handle{device->value.compile(source_path, options)};
  });
}
d1_error_t d1_program_load(d1_device_t device, const char* elf_path, d1_program_t* program) {
  return guarded([&] {
    need("d1_program_load", device, elf_path, program);
    *program = new d1_program_handle{device->value.load(std::string(elf_path))};
  });
}
d1_error_t d1_program_load_memory(d1_device_t device, const void* elf, size_t bytes,
                                  d1_program_t* program) {
  return guarded([&] {
    need("d1_program_load_memory", device, elf, program);
    const std::span file(static_cast<const std::byte*>(elf), bytes);
    *program = new d1_program_handle{device->value.load(file, "a program in memory")};
  });
}
void d1_program_release(d1_program_t program) { delete program; }

d1_error_t d1_kernel_get(d1_program_t program, const char* name, d1_kernel_t* kernel) {
  return guarded([&] {
    need("d1_kernel_get", program, name, kernel);
    *kernel = new d1_kernel_handle{program->value.kernel(name)};
  });
}
void d1_kernel_release(d1_kernel_t kernel) { delete kernel; }

d1_error_t d1_buffer_create(d1_device_t device, d1_placement_t placement, size_t count,
                            size_t element_bytes, d1_grid_t grid, uint64_t rank,
                            d1_buffer_t* buffer) {
  return guarded([&] {
    need("d1_buffer_create", device, buffer);
    d1::runtime::BufferRequest request;
    switch (placement) {
      case D1_ON_NODE:
        request.placement = d1::Placement::OnNode;
        break;
      case D1_SHARDED:
        request.placement = d1::Placement::Sharded;
        break;
      case D1_REPLICATED:
        request.placement = d1::Placement::Replicated;
        break;
      case D1_HBM:
        request.placement = d1::Placement::Hbm;
        break;
    }
    request.count = count;
    // Too large for the field is refused below as too large for a buffer.
    request.element_bytes = static_cast<std::uint32_t>(std::min<size_t>(element_bytes, ~0u));
    request.grid = grid_or_none(grid).shared();
    request.rank = rank;
    *buffer = new d1_buffer_handle{d1::detail::value(device->value.shared()->allocate(request))};
  });
}
size_t d1_buffer_bytes(d1_buffer_t buffer) { return buffer->value.bytes(); }
void d1_buffer_release(d1_buffer_t buffer) { delete buffer; }

d1_error_t d1_stream_create(d1_device_t device, d1_stream_t* stream) {
  return guarded([&] {
    need("d1_stream_create", device, stream);
    *stream = new d1_stream_handle{device->value.stream()};
  });
}
void d1_stream_release(d1_stream_t stream) { delete stream; }
d1_error_t d1_stream_synchronize(d1_stream_t stream, uint64_t timeout_ms) {
  return guarded([&] {
    need("d1_stream_synchronize", stream);
    stream->value.synchronize(milliseconds(timeout_ms));
  });
}

d1_error_t d1_copy_in(d1_stream_t stream, d1_buffer_t to, size_t offset, const void* from,
                      size_t bytes, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_copy_in", stream, to);
    give(launch, d1::detail::value(stream->value.shared().copy_in(to->value, offset, from, bytes)));
  });
}
d1_error_t d1_copy_out(d1_stream_t stream, void* to, d1_buffer_t from, size_t offset, size_t bytes,
                       d1_launch_t* launch) {
  return guarded([&] {
    need("d1_copy_out", stream, from);
    give(launch,
         d1::detail::value(stream->value.shared().copy_out(to, from->value, offset, bytes)));
  });
}
d1_error_t d1_read_file(d1_stream_t stream, d1_buffer_t to, size_t offset, int file,
                        uint64_t file_offset, size_t bytes, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_read_file", stream, to);
    give(launch, d1::detail::value(stream->value.shared().read_file(to->value, offset, file,
                                                                    file_offset, bytes)));
  });
}
d1_error_t d1_write_file(d1_stream_t stream, int file, uint64_t file_offset, d1_buffer_t from,
                         size_t offset, size_t bytes, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_write_file", stream, from);
    give(launch, d1::detail::value(stream->value.shared().write_file(
                     file, file_offset, from->value, offset, bytes)));
  });
}
d1_error_t d1_copy_buffer(d1_stream_t stream, d1_buffer_t to, size_t to_offset, d1_buffer_t from,
                          size_t from_offset, size_t bytes, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_copy_buffer", stream, to, from);
    give(launch, d1::detail::value(stream->value.shared().copy(to->value, to_offset, from->value,
                                                               from_offset, bytes)));
  });
}
d1_error_t d1_fill_buffer(d1_stream_t stream, d1_buffer_t to, size_t offset, size_t bytes,
                          uint64_t pattern, uint32_t pattern_bytes, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_fill_buffer", stream, to);
    give(launch, d1::detail::value(stream->value.shared().fill(to->value, offset, bytes, pattern,
                                                               pattern_bytes)));
  });
}

d1_error_t d1_event_create(d1_device_t device, d1_event_t* event) {
  return guarded([&] {
    need("d1_event_create", device, event);
    *event = new d1_event_handle{device->value.event()};
  });
}
void d1_event_release(d1_event_t event) { delete event; }
d1_error_t d1_event_record(d1_stream_t stream, d1_event_t event) {
  return guarded([&] {
    need("d1_event_record", stream, event);
    stream->value.record(event->value);
  });
}
d1_error_t d1_stream_wait_event(d1_stream_t stream, d1_event_t event) {
  return guarded([&] {
    need("d1_stream_wait_event", stream, event);
    stream->value.wait_for(event->value);
  });
}
d1_error_t d1_event_wait(d1_event_t event, uint64_t timeout_ms) {
  return guarded([&] {
    need("d1_event_wait", event);
    event->value.wait(milliseconds(timeout_ms));
  });
}
d1_error_t d1_event_cycle(d1_event_t event, uint64_t* cycle) {
  return guarded([&] {
    need("d1_event_cycle", event, cycle);
    *cycle = event->value.cycle();
  });
}

d1_error_t d1_kernel_launch(d1_stream_t stream, d1_kernel_t kernel, d1_grid_t grid,
                            const d1_argument_t* arguments, size_t count,
                            const d1_launch_options_t* options, d1_launch_t* launch) {
  return guarded([&] {
    need("d1_kernel_launch", stream, kernel, grid);
    if (count > 0) need("d1_kernel_launch", arguments);
    std::vector<d1::runtime::Argument> list;
    for (size_t i = 0; i < count; ++i) list.push_back(argument_of(arguments[i]));
    give(launch, d1::detail::value(stream->value.shared().launch(
                     kernel->value.shared(), grid->value.shared(), list, options_of(options))));
  });
}
d1_error_t d1_launch_wait(d1_launch_t launch, uint64_t timeout_ms) {
  return guarded([&] {
    need("d1_launch_wait", launch);
    launch->value.wait(milliseconds(timeout_ms));
  });
}
uint64_t d1_launch_cycles(d1_launch_t launch) { return launch->value.cycles(); }
void d1_launch_release(d1_launch_t launch) { delete launch; }
