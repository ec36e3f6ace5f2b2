/* SPDX-License-Identifier: Apache-2.0
 * A main() without groups that says by its result that something is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int main(void) { return 3; }
