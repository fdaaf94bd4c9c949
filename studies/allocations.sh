#!/bin/bash
# How many times a training step asks for memory: none after the first.
#
#   studies/allocations.sh [PRESET...]
#
# Counts the calls of malloc and its kin in two benchmarks of different length; what the longer one
# has more of is what its further steps ask for.
set -euo pipefail
seismo=${SEISMO:-.build/release/seismo}
(($#)) || set -- tiny small moe-tiny
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

clang -O1 -shared -fPIC -x c -o "$folder/count.so" - <<'END'
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
static atomic_long calls;
void *malloc(size_t n) { calls++; return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { calls++; return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { calls++; return __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { calls++; return __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) {
  calls++;
  *p = __libc_memalign(a, n);
  return *p ? 0 : 12;
}
__attribute__((destructor)) static void tell(void) { fprintf(stderr, "%ld\n", (long)calls); }
END

count() { LD_PRELOAD="$folder/count.so" "$seismo" bench --preset "$1" --steps "$2" 2>&1 >"$folder/out" | tail -1; }

for preset in "$@"; do
  short=$(count "$preset" 10)
  long=$(count "$preset" 40)
  awk -v p="$preset" -v s="$short" -v l="$long" \
    'BEGIN { printf "%-10s %.2f allocations a step\n", p, (l - s) / 30 }'
done
