/* SPDX-License-Identifier: Apache-2.0
 *
 * assert() of kernels: traps with the place and the expression as text, which the launch's error
 * repeats. No include guard: as in C, NDEBUG counts anew at each inclusion.
 */
#include <d1/xd1.h>

#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#define D1_ASSERT_TEXT(line) #line
#define D1_ASSERT_LINE(line) D1_ASSERT_TEXT(line)
#define assert(expression) \
  ((expression)            \
       ? (void)0           \
       : d1_trap(__FILE__ ":" D1_ASSERT_LINE(__LINE__) ": assertion failed: " #expression))
#endif

#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif
