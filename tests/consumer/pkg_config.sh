#!/bin/sh
# pkg_config.sh headers|cpp|c PREFIX CXX PKG_CONFIG
# Builds and runs the consumers with nothing but a compiler and pkg-config.
set -eu
part=$1 prefix=$2 cxx=$3 pkg_config=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pc=$(find "$prefix" -name serinus-headers.pc)
libdir=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
case $part in
headers)
    # shellcheck disable=SC2046 # the flags are meant to split
    "$cxx" -std=c++20 "$here"/headers/*.cpp $("$pkg_config" --cflags --libs serinus-headers) -o "$work/consumer" ;;
cpp)
    # shellcheck disable=SC2046
    "$cxx" -std=c++20 "$here"/cpp/*.cpp $("$pkg_config" --cflags --libs serinus) -o "$work/consumer" ;;
c)
    # shellcheck disable=SC2046
    cc -std=c99 -pedantic -Werror "$here"/c/main.c $("$pkg_config" --cflags --libs serinus-c) -o "$work/consumer"
    # The archive holds everything that the shared library does.
    # shellcheck disable=SC2046
    cc -std=c99 $("$pkg_config" --cflags serinus-c) "$here"/c/main.c "$libdir/libserinus.a" -lstdc++ -lm -o "$work/static"
    "$work/static" ;;
esac
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/consumer"
