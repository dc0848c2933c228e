#!/bin/sh
# check_symbols.sh NM LIBRARY | --self-test
# Fails when the shared library gives out a symbol that is not serinus_*, or none at all.
set -eu

# Reads what `nm -D --defined-only` prints.
judge() {
    awk '{ name = $NF; sub(/@.*/, "", name) }
         name ~ /^serinus_/ { good++; next }
         { print "leaves the library: " $0; bad++ }
         END { if (!good) print "no serinus_* symbol at all"; exit (bad || !good) }'
}

if [ "$1" = --self-test ]; then
    printf '0000 T serinus_version\n' | judge >/dev/null || { echo "a clean table was refused"; exit 1; }
    if printf '0000 T serinus_version\n0000 W _ZTVN7serinus5ErrorE\n' | judge >/dev/null; then
        echo "a C++ symbol was not seen"; exit 1
    fi
    if printf '' | judge >/dev/null; then echo "an empty table was accepted"; exit 1; fi
    exit 0
fi
"$1" -D --defined-only "$2" | judge
