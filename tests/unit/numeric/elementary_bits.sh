#!/bin/sh
# Builds elementary_bits.cpp with every compiler given, at every optimisation level, and checks that all the programs
# print the same bits: those in data/reference/elementary_bits.txt.
#
# usage: elementary_bits.sh SOURCE INCLUDE_DIRECTORY WORK_DIRECTORY COMPILER...
set -eu

if [ "$#" -lt 4 ]; then
    echo "usage: elementary_bits.sh SOURCE INCLUDE_DIRECTORY WORK_DIRECTORY COMPILER..." >&2
    exit 2
fi
source=$1
include=$2
work=$3
shift 3
reference=$include/../data/reference/elementary_bits.txt
mkdir -p "$work"

# One set of flags a line. Vector extensions are only tried where the processor has them; without flags for them the
# array forms ask the processor (numeric/simd.hpp), unless they are told not to.
settings='-O0
-O2
-O3
-O2 -DSERINUS_NO_RUN_TIME_AVX2
-O3 -DSERINUS_NO_RUN_TIME_AVX2'
if [ -r /proc/cpuinfo ] && grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
    settings="$settings
-O3 -mavx2
-O3 -march=haswell"
fi

status=0
for compiler in "$@"; do
    echo "$settings" > "$work/settings"
    while read -r flags; do
        # $flags is a list of words on purpose.
        # shellcheck disable=SC2086
        "$compiler" -std=c++20 $flags -ffp-contract=off -I "$include" "$source" -o "$work/elementary_bits"
        "$work/elementary_bits" > "$work/elementary_bits.txt"
        if cmp -s "$work/elementary_bits.txt" "$reference"; then
            echo "same bits: $compiler $flags"
        else
            echo "DIFFERENT BITS: $compiler $flags"
            diff "$reference" "$work/elementary_bits.txt" || true
            status=1
        fi
    done < "$work/settings"
done
exit "$status"
