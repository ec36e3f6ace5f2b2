// SPDX-License-Identifier: Apache-2.0
// printf of kernels: formats on the node and hands the text to the host's log as one record, named
// after this node and hart. Never waits for a reader, keeps the order of a hart's lines. A text is
// cut at D1_LOG_TEXT_BYTES and then ends in "...". Needs about 1.5 KiB of stack.
#pragma once

#include <cstdarg>
#include <cstdio>

#include <d1/abi/log.h>
#include <d1/xd1.h>

// These take the place of the C library's, which has no file to write to here.
extern "C" [[gnu::format(printf, 1, 0)]] inline int vprintf(const char* format,
                                                            std::va_list arguments) {
  char text[D1_LOG_TEXT_BYTES + 1];
  const int wanted = std::vsnprintf(text, sizeof text, format, arguments);
  if (wanted < 0) return wanted;
  std::size_t bytes = static_cast<std::size_t>(wanted);
  if (bytes > D1_LOG_TEXT_BYTES) {
    bytes = D1_LOG_TEXT_BYTES;
    text[bytes - 1] = text[bytes - 2] = text[bytes - 3] = '.';
  }
  if (bytes != 0) d1_print(text, bytes);
  return static_cast<int>(bytes);
}

extern "C" [[gnu::format(printf, 1, 2)]] inline int printf(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int bytes = vprintf(format, arguments);
  va_end(arguments);
  return bytes;
}

extern "C" inline int puts(const char* text) { return printf("%s\n", text); }
