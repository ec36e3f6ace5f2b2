// SPDX-License-Identifier: Apache-2.0
#include "file_worker.hpp"

#include <d1/base/thread.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace d1::runtime {

namespace limits = driver::limits;

namespace {

constexpr std::uint64_t kBounceBytes = 4u << 20;  // own: where nothing is mapped

// A copy may come after another's by way of the device, which may be another process, and of which
// C++ knows nothing: the release at the end of one and the acquire before the next say it here.
std::atomic<std::uint64_t> copies_ended = 0;

}  // namespace

Result<OpenFile> OpenFile::duplicate(int file) {
  const int copy = ::fcntl(file, F_DUPFD_CLOEXEC, 0);
  struct stat what{};
  if (copy >= 0) {
    OpenFile open(copy);
    if (::fstat(copy, &what) == 0 && (S_ISREG(what.st_mode) || S_ISBLK(what.st_mode))) return open;
    return fail(ErrorKind::Invalid,
                fmt::format("File descriptor {} is no regular file (a folder, pipe, socket or "
                            "terminal): it has no bytes at an offset. Read it into memory, and "
                            "copy that.",
                            file));
  }
  return fail(errno == EBADF ? ErrorKind::Invalid : ErrorKind::ResourceExhausted,
              fmt::format("File descriptor {} cannot be used: {}.", file,
                          std::generic_category().message(errno)));
}

OpenFile::~OpenFile() {
  if (file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<FileWorker>> FileWorker::create(StreamCore& core) {
  auto event = core.context().take_event();
  if (!event) return std::unexpected(std::move(event.error()));
  std::unique_ptr<FileWorker> worker(new FileWorker(core, *event));
  auto thread = start_thread("copying files", [raw = worker.get()](const std::stop_token& stop) {
    raw->work(stop);
  });
  if (!thread) return std::unexpected(std::move(thread.error()));
  worker->thread_ = std::move(*thread);
  return worker;
}

FileWorker::~FileWorker() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  core_.context().give_event(event_);
}

Result<Operation> FileWorker::submit(FileJob job) {
  const std::lock_guard order(order_mutex_);
  OperationState* const operation = core_.take(OperationKind::File);
  operation->held = 1;
  operation->buffers[0] = job.buffer;
  job.operation = operation;
  job.event_value = ++event_.value;
  d1_event_command fence{}, wait{};
  fence.header.opcode = D1_COMMAND_FENCE;
  wait.header.opcode = D1_COMMAND_WAIT;
  wait.event = event_.index;
  wait.value = event_.value;
  auto submitted = core_.submit(operation, std::array{driver::to_bytes(fence),
                                                      driver::to_bytes(wait)});
  if (!submitted) return submitted;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  pushed_.notify_one();
  return submitted;
}

// Until it is told to stop and has ended every job it was given: each has an operation that waits.
void FileWorker::work(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!pushed_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
    FileJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    const bool come = core_.wait_for_turn(job.operation) == StreamCore::Turn::Come;
    (void)copies_ended.load(std::memory_order_acquire);
    Result<> result = come ? carry_out(job, stop) : Result<>();
    copies_ended.fetch_add(1, std::memory_order_release);
    core_.end_held(job.operation, std::move(result));
    if (!come) continue;
    // Last, since the end of the stream's wait is what wakes those who wait for the operation. A
    // device that does not take it is lost, and ends that wait so.
    d1_event_command signal{};
    signal.header.opcode = D1_COMMAND_SIGNAL;
    signal.event = event_.index;
    signal.value = job.event_value;
    (void)core_.context().execute(driver::to_bytes(signal), driver::after(limits::kAdminTimeout));
  }
}

Result<> FileWorker::carry_out(const FileJob& job, const std::stop_token& stop) {
  // What every node has is written by the device to all of them.
  if (job.direction == FileDirection::Read && job.buffer->placement == Placement::Replicated)
    return by_way_of_bounce(job, stop);
  std::vector<FilePiece> mapped;
  for (const Piece& piece : pieces(*job.buffer, job.buffer_offset, job.bytes)) {
    std::byte* const memory =
        core_.context().device().transport().window(piece.address, piece.bytes);
    if (memory == nullptr) return by_way_of_bounce(job, stop);
    mapped.push_back({memory, piece.bytes});
  }
  return transfer_->transfer(job.file.get(), job.direction, job.file_offset, mapped, stop);
}

Result<> FileWorker::by_way_of_bounce(const FileJob& job, const std::stop_token& stop) {
  if (bounce_.bytes() == 0) {
    auto made = core_.context().device().dma().allocate(kBounceBytes);
    if (!made) return pass_on(made, "making memory by way of which a file is copied");
    bounce_ = std::move(*made);
  }
  const auto copy = [&](std::span<const driver::CommandBytes> commands) -> Result<> {
    for (const driver::CommandBytes& command : commands) {
      auto done = core_.context().execute(command, driver::after(limits::kAdminTimeout));
      if (!done) return std::unexpected(std::move(done.error()));
    }
    return {};
  };
  for (std::uint64_t done = 0; done < job.bytes;) {
    const std::uint64_t bytes = std::min(job.bytes - done, kBounceBytes);
    const std::array piece{FilePiece{bounce_.data(), bytes}};
    const std::uint64_t offset = job.buffer_offset + done;
    const auto move_file = [&] {
      return transfer_->transfer(job.file.get(), job.direction, job.file_offset + done, piece,
                                 stop);
    };
    if (job.direction == FileDirection::Read) {
      if (auto read = move_file(); !read) return read;
      auto copied = copy(copy_from_host(*job.buffer, offset, bounce_.iova(), bytes));
      if (!copied) return copied;
    } else {
      auto copied = copy(copy_to_host(bounce_.iova(), *job.buffer, offset, bytes));
      if (!copied) return copied;
      if (auto written = move_file(); !written) return written;
    }
    done += bytes;
  }
  return {};
}

// --- the stream's side --------------------------------------------------------------------------

Result<FileWorker*> StreamCore::files() {
  const std::lock_guard lock(mutex_);
  if (files_ == nullptr) {
    auto made = FileWorker::create(*this);
    if (!made) return std::unexpected(std::move(made.error()));
    files_ = std::move(*made);
  }
  return files_.get();
}

StreamCore::Turn StreamCore::wait_for_turn(OperationState* operation) {
  // Its fence has ended, and what waits for us and our own part are left; or nothing but that.
  const auto left = [&] {
    const std::lock_guard lock(mutex_);
    return operation->failed ? 0 : operation->remaining;
  };
  // A queue that was closed, or whose device is lost, has ended its commands by the next look.
  while (left() > 2)
    (void)queue_->wait([&] { return left() <= 2; }, driver::after(limits::kLivenessPoll));
  const std::lock_guard lock(mutex_);
  return operation->failed ? Turn::Failed : Turn::Come;
}

void StreamCore::end_held(OperationState* operation, Result<> result) {
  {
    const std::lock_guard lock(mutex_);
    if (!result && !operation->failed) {
      operation->failed = true;
      operation->error = std::move(result.error());
    }
    if (--operation->remaining > 0) return;
    unlink(operation);
  }
  finish_last(operation);
}

Result<Operation> Stream::read_file(const Buffer& to, std::uint64_t offset, int file,
                                    std::uint64_t file_offset, std::uint64_t bytes) {
  if (auto fine = check_range(to, offset, bytes); !fine) return std::unexpected(fine.error());
  auto open = OpenFile::duplicate(file);
  if (!open) return pass_on(open, "copying a file to the device");
  if (bytes == 0) return fence();
  auto worker = core_->files();
  if (!worker) return pass_on(worker, "copying a file to the device");
  return (*worker)->submit({nullptr, to.state(), offset, std::move(*open), file_offset, bytes,
                            FileDirection::Read, 0});
}

Result<Operation> Stream::write_file(int file, std::uint64_t file_offset, const Buffer& from,
                                     std::uint64_t offset, std::uint64_t bytes) {
  if (auto fine = check_range(from, offset, bytes); !fine) return std::unexpected(fine.error());
  auto open = OpenFile::duplicate(file);
  if (!open) return pass_on(open, "copying a file from the device");
  if (bytes == 0) return fence();
  auto worker = core_->files();
  if (!worker) return pass_on(worker, "copying a file from the device");
  return (*worker)->submit({nullptr, from.state(), offset, std::move(*open), file_offset, bytes,
                            FileDirection::Write, 0});
}

}  // namespace d1::runtime
