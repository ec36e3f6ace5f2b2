// SPDX-License-Identifier: Apache-2.0
#include <d1/npy.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

namespace d1 {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are taken as they lie");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostDimensions = 32;  // NumPy's own limit
constexpr std::size_t kMostHeaderBytes = 65536;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string errno_text() { return std::generic_category().message(errno); }

// Bytes of one element of a type such as "f4"; 0: not one that is known.
std::size_t bytes_of(std::string_view type) {
  if (type.size() < 2) return 0;
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(type.data() + 1, type.data() + type.size(), bytes);
  if (error != std::errc() || end != type.data() + type.size()) return 0;
  const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  switch (type[0]) {
    case 'b':
      return bytes == 1 ? 1 : 0;
    case 'i':
    case 'u':
      return power ? bytes : 0;
    case 'f':
      return power && bytes > 1 ? bytes : 0;
    case 'V':
      return power ? bytes : 0;
    default:
      return 0;
  }
}

// Reads the header's dictionary: a literal with exactly the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  Result<> parse(NpyHead& array) {
    bool descr = false, order = false, shape = false;
    if (!take('{')) return malformed("does not begin with '{'");
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':')) return malformed("has something other than a key and ':'");
      if (*key == "descr") {
        if (auto read = read_type(array); !read) return read;
        descr = true;
      } else if (*key == "fortran_order") {
        if (word("True")) {
          return fail(ErrorKind::Unsupported,
                      fmt::format("'{}' is stored in Fortran order; save it with "
                                  "numpy.ascontiguousarray().",
                                  origin_));
        }
        if (!word("False")) return malformed("has a fortran_order other than True or False");
        order = true;
      } else if (*key == "shape") {
        if (!read_shape(array.shape)) return malformed("has a shape that is no tuple of sizes");
        shape = true;
      } else {
        return malformed(fmt::format("has the unknown key '{}'", *key));
      }
      if (!take(',') && peek() != '}') return malformed("lacks a ',' between two entries");
    }
    skip();
    if (at_ != text_.size()) return malformed("goes on after its '}'");
    if (!descr || !order || !shape) {
      return malformed("lacks one of the keys descr, fortran_order and shape");
    }
    return {};
  }

 private:
  Result<> malformed(std::string_view what) {
    return fail(ErrorKind::Invalid,
                fmt::format("The header of '{}' is malformed: it {}.", origin_, what));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    skip();
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  std::optional<std::string_view> string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  Result<> read_type(NpyHead& array) {
    const auto descr = string();
    if (!descr || descr->size() < 2) {
      return fail(
          ErrorKind::Unsupported,
          fmt::format("'{}' holds a structured type; only arrays of plain numbers are read.",
                      origin_));
    }
    const char order = (*descr)[0];
    array.type = descr->substr(1);
    array.element_bytes = bytes_of(array.type);
    if (array.element_bytes == 0 || !std::strchr("<|=>", order)) {
      return fail(
          ErrorKind::Unsupported,
          fmt::format("'{}' has the dtype '{}'; bool, integers and floating-point numbers of "
                      "1 to 8 bytes are read.",
                      origin_, *descr));
    }
    if (order == '>' && array.element_bytes > 1) {
      return fail(ErrorKind::Unsupported,
                  fmt::format("'{}' is big-endian (dtype '{}'); save it with .astype('<{}').",
                              origin_, *descr, array.type));
    }
    return {};
  }

  bool read_shape(std::vector<std::size_t>& shape) {
    shape.clear();
    if (!take('(')) return false;
    while (!take(')')) {
      skip();
      std::size_t size = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || shape.size() == kMostDimensions) return false;
      at_ = static_cast<std::size_t>(end - text_.data());
      shape.push_back(size);
      if (!take(',') && peek() != ')') return false;
    }
    return true;
  }

  std::string_view text_;
  const std::string& origin_;
  std::size_t at_ = 0;
};

// Bytes of an array, or nothing if no memory could hold it.
std::optional<std::size_t> total_bytes(std::span<const std::size_t> shape, std::size_t element) {
  std::size_t total = element;
  bool empty = false, overflow = false;
  for (const std::size_t size : shape) {
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(total, std::max<std::size_t>(size, 1), &total);
  }
  if (overflow) return std::nullopt;
  return empty ? 0 : total;
}

}  // namespace

namespace {

// front: the file's beginning, all of its head at least; file_bytes: all of the file.
Result<NpyHead> parse_head(std::span<const std::byte> front, std::uint64_t file_bytes,
                           const std::string& origin) {
  const std::string_view text(reinterpret_cast<const char*>(front.data()), front.size());
  if (!text.starts_with(kMagic)) {
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' is no .npy file: it does not begin with \\x93NUMPY.", origin));
  }
  const std::size_t prefix = kMagic.size() + 2;
  const auto truncated = [&](std::size_t needed) {
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' is truncated: its header needs {} bytes, and it has {}.", origin,
                            needed, text.size()));
  };
  if (text.size() < prefix + 2) return truncated(prefix + 2);
  const unsigned major = static_cast<unsigned char>(text[6]);
  if (major < 1 || major > 3) {
    return fail(ErrorKind::Unsupported,
                fmt::format("'{}' has .npy version {}.{}; versions 1 to 3 are read.", origin, major,
                            static_cast<unsigned char>(text[7])));
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  if (text.size() < prefix + length_bytes) return truncated(prefix + length_bytes);
  std::uint32_t length = 0;
  std::memcpy(&length, text.data() + prefix, length_bytes);
  if (length > kMostHeaderBytes) {
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' announces a header of {} bytes; the limit is {}.", origin, length,
                            kMostHeaderBytes));
  }
  const std::size_t data = prefix + length_bytes + length;
  if (text.size() < data) return truncated(data);
  NpyHead array;
  auto parsed = HeaderParser(text.substr(prefix + length_bytes, length), origin).parse(array);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  const auto bytes = total_bytes(array.shape, array.element_bytes);
  if (!bytes) {
    return fail(ErrorKind::Invalid, fmt::format("The shape ({}) of '{}' overflows: no memory holds "
                                                "that many elements.",
                                                fmt::join(array.shape, ", "), origin));
  }
  if (file_bytes - data != *bytes) {
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' {}: its shape ({}) of {} needs {} bytes of data, and it has {}.",
                            origin, file_bytes - data < *bytes ? "is cut off" : "is too long",
                            fmt::join(array.shape, ", "), array.type, *bytes, file_bytes - data));
  }
  array.data_at = data;
  array.data_bytes = *bytes;
  return array;
}

}  // namespace

Result<NpyArray> parse_npy(std::span<const std::byte> file, const std::string& origin) {
  auto head = parse_head(file, file.size(), origin);
  if (!head) return std::unexpected(std::move(head.error()));
  const auto data = file.subspan(head->data_at);
  return NpyArray{std::move(head->type), head->element_bytes, std::move(head->shape),
                  {data.begin(), data.end()}};
}

Result<NpyHead> read_npy_head(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"), std::fclose);
  struct stat what{};
  if (!file || ::fstat(::fileno(file.get()), &what) != 0) {
    return fail(ErrorKind::Invalid, fmt::format("'{}' cannot be opened: {}.", path, errno_text()));
  }
  std::vector<std::byte> front(kMagic.size() + 6 + kMostHeaderBytes);
  front.resize(std::fread(front.data(), 1, front.size(), file.get()));
  if (std::ferror(file.get()))
    return fail(ErrorKind::Invalid, fmt::format("'{}' cannot be read: {}.", path, errno_text()));
  return parse_head(front, static_cast<std::uint64_t>(what.st_size), path);
}

Result<NpyArray> read_npy(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) {
    return fail(ErrorKind::Invalid, fmt::format("'{}' cannot be opened: {}.", path, errno_text()));
  }
  std::vector<std::byte> bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(used * 2, 65536));
    const std::size_t got = std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
    used += got;
    if (used < bytes.size()) break;
  }
  if (std::ferror(file.get())) {
    return fail(ErrorKind::Invalid, fmt::format("'{}' cannot be read: {}.", path, errno_text()));
  }
  return parse_npy(std::span(bytes).first(used), path);
}

namespace {

// What stands in front of the elements.
std::string front_of(std::string_view type, std::size_t element,
                     std::span<const std::size_t> shape) {
  const char order = element == 1 || type[0] == 'V' ? '|' : '<';
  std::string header =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order, type,
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const std::size_t prefix = kMagic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');  // the data starts at a multiple of 64
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  std::string front(kMagic);
  front += std::string_view("\x01\x00", 2);
  front.append(reinterpret_cast<const char*>(&length), sizeof length);
  return front + header;
}

// The file beside, whole.
Result<> write_all(const std::string& temporary, const std::string& path, const std::string& front,
                   std::uint64_t bytes, const NpyWriter& write_elements) {
  File file(std::fopen(temporary.c_str(), "wbe"), std::fclose);
  if (!file)
    return fail(ErrorKind::Invalid, fmt::format("'{}' cannot be written: {}.", path, errno_text()));
  const auto unwritten = [&](const std::string& why) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("'{}' could not be written: {}.", path, why));
  };
  if (std::fwrite(front.data(), 1, front.size(), file.get()) != front.size() ||
      std::fflush(file.get()) != 0)
    return unwritten(errno_text());
  if (auto written = write_elements(::fileno(file.get()), front.size()); !written)
    return pass_on(written, fmt::format("writing '{}'", path));
  struct stat what{};
  if (::fstat(::fileno(file.get()), &what) != 0) return unwritten(errno_text());
  if (static_cast<std::uint64_t>(what.st_size) != front.size() + bytes)
    return unwritten(fmt::format("its elements have {} bytes, and {} bytes were written", bytes,
                                 static_cast<std::uint64_t>(what.st_size) - front.size()));
  if (std::fclose(file.release()) != 0) return unwritten(errno_text());
  return {};
}

Result<> write_some(int file, std::uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("{} bytes could not be written: {}.", bytes.size(), errno_text()));
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    at += static_cast<std::uint64_t>(done);
  }
  return {};
}

}  // namespace

Result<> write_npy(const std::string& path, std::string_view type,
                   std::span<const std::size_t> shape, std::span<const std::byte> bytes) {
  const std::size_t element = bytes_of(type);
  const auto needed = total_bytes(shape, element);
  if (element == 0 || !needed || *needed != bytes.size()) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("{} bytes cannot be written to '{}' as an array of shape ({}) and dtype "
                    "'{}'.",
                    bytes.size(), path, fmt::join(shape, ", "), type));
  }
  return write_npy(path, type, shape, NpyWriter([bytes](int file, std::uint64_t data_at) {
                     return write_some(file, data_at, bytes);
                   }));
}

Result<> write_npy(const std::string& path, std::string_view type,
                   std::span<const std::size_t> shape, const NpyWriter& write_elements) {
  const std::size_t element = bytes_of(type);
  const auto bytes = total_bytes(shape, element);
  if (element == 0 || !bytes)
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' cannot hold an array of shape ({}) and dtype '{}'.", path,
                            fmt::join(shape, ", "), type));
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  auto written = write_all(temporary, path, front_of(type, element, shape), *bytes, write_elements);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail(ErrorKind::Invalid,
                   fmt::format("'{}' cannot be written: {}.", path, errno_text()));
  if (!written) std::remove(temporary.c_str());
  return written;
}

}  // namespace d1
