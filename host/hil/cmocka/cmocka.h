/* SPDX-License-Identifier: Apache-2.0
 *
 * The CMocka API (as of libcmocka 1.1) of the kit: test files that include <cmocka.h> compile
 * against this one unchanged, and their groups become cases of whatever runner is linked.
 *
 * Functions whose names begin with an underscore are what the macros call; code under test that
 * declares some of them itself (_test_malloc(), mock_assert(), ...) finds them with the signatures
 * it knows.
 */
#ifndef CMOCKA_H_
#define CMOCKA_H_

/* As for an installed one: no warnings about what its macros become. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <d1/hil/c_test_types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CMOCKA_PRINTF_ATTRIBUTE(text, first) __attribute__((__format__(__printf__, text, first)))
#define CMOCKA_DEPRECATED __attribute__((deprecated))
#else
#define CMOCKA_PRINTF_ATTRIBUTE(text, first)
#define CMOCKA_DEPRECATED
#endif

/* The widest integer, how to print it, and how values get into it. */
#ifndef LargestIntegralTypePrintfFormat
#define LargestIntegralTypePrintfFormat "%#lx"
#endif
#ifndef LargestIntegralTypePrintfFormatDecimal
#define LargestIntegralTypePrintfFormatDecimal "%lu"
#endif
#ifndef FloatPrintfFormat
#define FloatPrintfFormat "%f"
#endif
#define cast_to_largest_integral_type(value) ((LargestIntegralType)(value))
#define cast_to_pointer_integral_type(value) ((uintptr_t)((size_t)(value)))
#define cast_ptr_to_largest_integral_type(value) \
  cast_to_largest_integral_type(cast_to_pointer_integral_type(value))

/* ---- Assertions -------------------------------------------------------------------------- */

#define assert_true(c) _assert_true(cast_to_largest_integral_type(c), #c, __FILE__, __LINE__)
#define assert_false(c) _assert_true(!(cast_to_largest_integral_type(c)), #c, __FILE__, __LINE__)
#define assert_non_null(c) \
  _assert_true(cast_ptr_to_largest_integral_type(c), #c, __FILE__, __LINE__)
#define assert_null(c) \
  _assert_true(!(cast_ptr_to_largest_integral_type(c)), #c, __FILE__, __LINE__)

/* rc is a result that is negative after an error, error the errno of then. */
#define assert_return_code(rc, error)                              \
  _assert_return_code(cast_to_largest_integral_type(rc), sizeof(rc), \
                      cast_to_largest_integral_type(error), #rc, __FILE__, __LINE__)

#define assert_int_equal(a, b)                                                            \
  _assert_int_equal(cast_to_largest_integral_type(a), cast_to_largest_integral_type(b), \
                    __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                            \
  _assert_int_not_equal(cast_to_largest_integral_type(a), cast_to_largest_integral_type(b), \
                        __FILE__, __LINE__)
#define assert_ptr_equal(a, b)                             \
  _assert_int_equal(cast_ptr_to_largest_integral_type(a), \
                    cast_ptr_to_largest_integral_type(b), __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b)                             \
  _assert_int_not_equal(cast_ptr_to_largest_integral_type(a), \
                        cast_ptr_to_largest_integral_type(b), __FILE__, __LINE__)

#define assert_float_equal(a, b, epsilon) \
  _assert_float_equal((float)(a), (float)(b), (float)(epsilon), __FILE__, __LINE__)
#define assert_float_not_equal(a, b, epsilon) \
  _assert_float_not_equal((float)(a), (float)(b), (float)(epsilon), __FILE__, __LINE__)

#define assert_string_equal(a, b) \
  _assert_string_equal((const char *)(a), (const char *)(b), __FILE__, __LINE__)
#define assert_string_not_equal(a, b) \
  _assert_string_not_equal((const char *)(a), (const char *)(b), __FILE__, __LINE__)

#define assert_memory_equal(a, b, size) \
  _assert_memory_equal((const void *)(a), (const void *)(b), size, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size) \
  _assert_memory_not_equal((const void *)(a), (const void *)(b), size, __FILE__, __LINE__)

/* Both ends belong to a range. */
#define assert_in_range(value, minimum, maximum)                                                \
  _assert_in_range(cast_to_largest_integral_type(value), cast_to_largest_integral_type(minimum), \
                   cast_to_largest_integral_type(maximum), __FILE__, __LINE__)
#define assert_not_in_range(value, minimum, maximum)                \
  _assert_not_in_range(cast_to_largest_integral_type(value),        \
                       cast_to_largest_integral_type(minimum),      \
                       cast_to_largest_integral_type(maximum), __FILE__, __LINE__)

#define assert_in_set(value, values, number_of_values) \
  _assert_in_set(value, values, number_of_values, __FILE__, __LINE__)
#define assert_not_in_set(value, values, number_of_values) \
  _assert_not_in_set(value, values, number_of_values, __FILE__, __LINE__)

#define fail() _fail(__FILE__, __LINE__)
#define skip() _skip(__FILE__, __LINE__)
#define fail_msg(msg, ...)                      \
  do {                                          \
    print_error("ERROR: " msg "\n", ##__VA_ARGS__); \
    fail();                                     \
  } while (0)

/* ---- Mocks: values that a function is to return ------------------------------------------ */

#define WILL_RETURN_ALWAYS -1 /* as often as asked, and at least once */
#define WILL_RETURN_ONCE -2   /* as often as asked, or never */

#define will_return_count(function, value, count)                                            \
  _will_return(#function, __FILE__, __LINE__, cast_to_largest_integral_type(value), count)
#define will_return(function, value) \
  _will_return(#function, __FILE__, __LINE__, cast_to_largest_integral_type(value), 1)
#define will_return_always(function, value) \
  will_return_count(function, (value), WILL_RETURN_ALWAYS)
#define will_return_maybe(function, value) will_return_count(function, (value), WILL_RETURN_ONCE)

#define mock() _mock(__func__, __FILE__, __LINE__)
#define mock_type(type) ((type)mock())
#define mock_ptr_type(type) ((type)(uintptr_t)mock())

/* ---- Mocks: parameters that a function is to get ----------------------------------------- */

/* Non-zero if the value is right. */
typedef int (*CheckParameterValue)(const LargestIntegralType value,
                                   const LargestIntegralType check_value_data);

typedef struct SourceLocation {
  const char *file;
  int line;
} SourceLocation;

typedef struct CheckParameterEvent {
  SourceLocation location;
  const char *parameter_name;
  CheckParameterValue check_value;
  LargestIntegralType check_value_data;
} CheckParameterEvent;

#define expect_check(function, parameter, check_function, check_data)            \
  _expect_check(#function, #parameter, __FILE__, __LINE__, check_function,       \
                cast_to_largest_integral_type(check_data), NULL, 1)

#define expect_value(function, parameter, value) expect_value_count(function, parameter, value, 1)
#define expect_value_count(function, parameter, value, count) \
  _expect_value(#function, #parameter, __FILE__, __LINE__,    \
                cast_to_largest_integral_type(value), count)
#define expect_not_value(function, parameter, value) \
  expect_not_value_count(function, parameter, value, 1)
#define expect_not_value_count(function, parameter, value, count) \
  _expect_not_value(#function, #parameter, __FILE__, __LINE__,    \
                    cast_to_largest_integral_type(value), count)

/* The set is an array, not a pointer. */
#define expect_in_set(function, parameter, value_array) \
  expect_in_set_count(function, parameter, value_array, 1)
#define expect_in_set_count(function, parameter, value_array, count)     \
  _expect_in_set(#function, #parameter, __FILE__, __LINE__, value_array, \
                 sizeof(value_array) / sizeof((value_array)[0]), count)
#define expect_not_in_set(function, parameter, value_array) \
  expect_not_in_set_count(function, parameter, value_array, 1)
#define expect_not_in_set_count(function, parameter, value_array, count)     \
  _expect_not_in_set(#function, #parameter, __FILE__, __LINE__, value_array, \
                     sizeof(value_array) / sizeof((value_array)[0]), count)

#define expect_in_range(function, parameter, minimum, maximum) \
  expect_in_range_count(function, parameter, minimum, maximum, 1)
#define expect_in_range_count(function, parameter, minimum, maximum, count) \
  _expect_in_range(#function, #parameter, __FILE__, __LINE__, minimum, maximum, count)
#define expect_not_in_range(function, parameter, minimum, maximum) \
  expect_not_in_range_count(function, parameter, minimum, maximum, 1)
#define expect_not_in_range_count(function, parameter, minimum, maximum, count) \
  _expect_not_in_range(#function, #parameter, __FILE__, __LINE__, minimum, maximum, count)

/* Strings are kept as pointers until they are compared; memory is copied. */
#define expect_string(function, parameter, string) \
  expect_string_count(function, parameter, string, 1)
#define expect_string_count(function, parameter, string, count) \
  _expect_string(#function, #parameter, __FILE__, __LINE__, (const char *)(string), count)
#define expect_not_string(function, parameter, string) \
  expect_not_string_count(function, parameter, string, 1)
#define expect_not_string_count(function, parameter, string, count) \
  _expect_not_string(#function, #parameter, __FILE__, __LINE__, (const char *)(string), count)

#define expect_memory(function, parameter, memory, size) \
  expect_memory_count(function, parameter, memory, size, 1)
#define expect_memory_count(function, parameter, memory, size, count) \
  _expect_memory(#function, #parameter, __FILE__, __LINE__, (const void *)(memory), size, count)
#define expect_not_memory(function, parameter, memory, size) \
  expect_not_memory_count(function, parameter, memory, size, 1)
#define expect_not_memory_count(function, parameter, memory, size, count)                   \
  _expect_not_memory(#function, #parameter, __FILE__, __LINE__, (const void *)(memory), size, \
                     count)

#define expect_any(function, parameter) expect_any_count(function, parameter, 1)
#define expect_any_always(function, parameter) \
  expect_any_count(function, parameter, WILL_RETURN_ALWAYS)
#define expect_any_count(function, parameter, count) \
  _expect_any(#function, #parameter, __FILE__, __LINE__, count)

#define check_expected(parameter)                         \
  _check_expected(__func__, #parameter, __FILE__, __LINE__, \
                  cast_to_largest_integral_type(parameter))
#define check_expected_ptr(parameter)                     \
  _check_expected(__func__, #parameter, __FILE__, __LINE__, \
                  cast_ptr_to_largest_integral_type(parameter))

/* ---- Mocks: calls and their order -------------------------------------------------------- */

#define function_called() _function_called(__func__, __FILE__, __LINE__)
#define expect_function_calls(function, times) \
  _expect_function_call(#function, __FILE__, __LINE__, times)
#define expect_function_call(function) _expect_function_call(#function, __FILE__, __LINE__, 1)
#define expect_function_call_any(function) _expect_function_call(#function, __FILE__, __LINE__, -1)
#define ignore_function_calls(function) _expect_function_call(#function, __FILE__, __LINE__, -2)

/* ---- assert() of the code under test ----------------------------------------------------- */

void mock_assert(const int result, const char *const expression, const char *const file,
                 const int line);

/* A block and no do-while: test files may leave out the semicolon behind it. */
#define expect_assert_failure(function_call)                        \
  {                                                                 \
    if (setjmp(*d1_test_expect_assert()) != 0) {                    \
      d1_test_expected_assert_came();                               \
    } else {                                                        \
      function_call;                                                \
      d1_test_no_assert_came(#function_call, __FILE__, __LINE__);   \
    }                                                               \
  }

jmp_buf *d1_test_expect_assert(void);
void d1_test_expected_assert_came(void);
void d1_test_no_assert_came(const char *call, const char *file, int line);

/* ---- Memory ------------------------------------------------------------------------------ */

#define test_malloc(size) _test_malloc(size, __FILE__, __LINE__)
#define test_calloc(num, size) _test_calloc(num, size, __FILE__, __LINE__)
#define test_realloc(ptr, size) _test_realloc(ptr, size, __FILE__, __LINE__)
#define test_free(ptr) _test_free(ptr, __FILE__, __LINE__)

#ifdef UNIT_TESTING
#define malloc test_malloc
#define realloc test_realloc
#define calloc test_calloc
#define free test_free
#endif

/* ---- Tests and groups -------------------------------------------------------------------- */

#define cmocka_unit_test(f) {#f, f, NULL, NULL, NULL}
#define cmocka_unit_test_setup(f, setup) {#f, f, setup, NULL, NULL}
#define cmocka_unit_test_teardown(f, teardown) {#f, f, NULL, teardown, NULL}
#define cmocka_unit_test_setup_teardown(f, setup, teardown) {#f, f, setup, teardown, NULL}
/* A group's state, if it has one, comes before the test's own. */
#define cmocka_unit_test_prestate(f, state) {#f, f, NULL, NULL, state}
#define cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, state) \
  {#f, f, setup, teardown, state}

#define cmocka_run_group_tests(group_tests, group_setup, group_teardown) \
  cmocka_run_group_tests_name(#group_tests, group_tests, group_setup, group_teardown)
#define cmocka_run_group_tests_name(group_name, group_tests, group_setup, group_teardown) \
  _cmocka_run_group_tests(group_name, group_tests,                                        \
                          sizeof(group_tests) / sizeof((group_tests)[0]), group_setup,    \
                          group_teardown)

/* '*' stands for any characters, '?' for one. Null: all tests. */
void cmocka_set_test_filter(const char *pattern);
void cmocka_set_skip_filter(const char *pattern);

enum cm_message_output { CM_OUTPUT_STDOUT, CM_OUTPUT_SUBUNIT, CM_OUTPUT_TAP, CM_OUTPUT_XML };
/* Changes nothing: the form of the output is the runner's. */
void cmocka_set_message_output(enum cm_message_output output);

void print_message(const char *const format, ...) CMOCKA_PRINTF_ATTRIBUTE(1, 2);
void print_error(const char *const format, ...) CMOCKA_PRINTF_ATTRIBUTE(1, 2);
void vprint_message(const char *const format, va_list args) CMOCKA_PRINTF_ATTRIBUTE(1, 0);
void vprint_error(const char *const format, va_list args) CMOCKA_PRINTF_ATTRIBUTE(1, 0);

/* ---- What the macros call ---------------------------------------------------------------- */

void _assert_true(const LargestIntegralType result, const char *const expression,
                  const char *const file, const int line);
void _assert_return_code(const LargestIntegralType result, size_t rlen,
                         const LargestIntegralType error, const char *const expression,
                         const char *const file, const int line);
void _assert_float_equal(const float a, const float b, const float epsilon, const char *const file,
                         const int line);
void _assert_float_not_equal(const float a, const float b, const float epsilon,
                             const char *const file, const int line);
void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b,
                       const char *const file, const int line);
void _assert_int_not_equal(const LargestIntegralType a, const LargestIntegralType b,
                           const char *const file, const int line);
void _assert_string_equal(const char *const a, const char *const b, const char *const file,
                          const int line);
void _assert_string_not_equal(const char *const a, const char *const b, const char *file,
                              const int line);
void _assert_memory_equal(const void *const a, const void *const b, const size_t size,
                          const char *const file, const int line);
void _assert_memory_not_equal(const void *const a, const void *const b, const size_t size,
                              const char *const file, const int line);
void _assert_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
                      const LargestIntegralType maximum, const char *const file, const int line);
void _assert_not_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
                          const LargestIntegralType maximum, const char *const file,
                          const int line);
void _assert_in_set(const LargestIntegralType value, const LargestIntegralType values[],
                    const size_t number_of_values, const char *const file, const int line);
void _assert_not_in_set(const LargestIntegralType value, const LargestIntegralType values[],
                        const size_t number_of_values, const char *const file, const int line);
void _fail(const char *const file, const int line);
void _skip(const char *const file, const int line);

LargestIntegralType _mock(const char *const function, const char *const file, const int line);
void _will_return(const char *const function_name, const char *const file, const int line,
                  const LargestIntegralType value, const int count);

/* An event comes from malloc() and goes over to the callee; null: it makes one. */
void _expect_check(const char *const function, const char *const parameter, const char *const file,
                   const int line, const CheckParameterValue check_function,
                   const LargestIntegralType check_data, CheckParameterEvent *const event,
                   const int count);
void _expect_in_set(const char *const function, const char *const parameter,
                    const char *const file, const int line, const LargestIntegralType values[],
                    const size_t number_of_values, const int count);
void _expect_not_in_set(const char *const function, const char *const parameter,
                        const char *const file, const int line, const LargestIntegralType values[],
                        const size_t number_of_values, const int count);
void _expect_in_range(const char *const function, const char *const parameter,
                      const char *const file, const int line, const LargestIntegralType minimum,
                      const LargestIntegralType maximum, const int count);
void _expect_not_in_range(const char *const function, const char *const parameter,
                          const char *const file, const int line,
                          const LargestIntegralType minimum, const LargestIntegralType maximum,
                          const int count);
void _expect_value(const char *const function, const char *const parameter, const char *const file,
                   const int line, const LargestIntegralType value, const int count);
void _expect_not_value(const char *const function, const char *const parameter,
                       const char *const file, const int line, const LargestIntegralType value,
                       const int count);
void _expect_string(const char *const function, const char *const parameter,
                    const char *const file, const int line, const char *string, const int count);
void _expect_not_string(const char *const function, const char *const parameter,
                        const char *const file, const int line, const char *string,
                        const int count);
void _expect_memory(const char *const function, const char *const parameter,
                    const char *const file, const int line, const void *const memory,
                    const size_t size, const int count);
void _expect_not_memory(const char *const function, const char *const parameter,
                        const char *const file, const int line, const void *const memory,
                        const size_t size, const int count);
void _expect_any(const char *const function, const char *const parameter, const char *const file,
                 const int line, const int count);
void _check_expected(const char *const function_name, const char *const parameter_name,
                     const char *file, const int line, const LargestIntegralType value);

void _expect_function_call(const char *const function_name, const char *const file, const int line,
                           const int count);
void _function_called(const char *const function, const char *const file, const int line);

void *_test_malloc(const size_t size, const char *file, const int line);
void *_test_realloc(void *ptr, const size_t size, const char *file, const int line);
void *_test_calloc(const size_t number_of_elements, const size_t size, const char *file,
                   const int line);
void _test_free(void *const ptr, const char *file, const int line);

int _cmocka_run_group_tests(const char *group_name, const struct CMUnitTest *const tests,
                            const size_t num_tests, CMFixtureFunction group_setup,
                            CMFixtureFunction group_teardown);

#ifdef __cplusplus
}
#endif

#include <d1/hil/c_test_legacy.h>

#endif
