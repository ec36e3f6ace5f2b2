/* SPDX-License-Identifier: Apache-2.0
 *
 * The test files of a program for nodes; the table itself is made by d1_add_c_tests(). */
#ifndef D1_HIL_NODE_FILES_H
#define D1_HIL_NODE_FILES_H

struct d1_test_file {
  int (*function)(int, char **); /* its main() */
};

#ifdef __cplusplus
extern "C" {
#endif
extern const struct d1_test_file d1_test_files[];
#ifdef __cplusplus
}
#endif

#endif
