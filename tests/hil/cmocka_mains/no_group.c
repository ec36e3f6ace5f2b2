/* SPDX-License-Identifier: Apache-2.0
 * A main() without groups is a test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int main(void) { return 0; }
