#!/bin/sh
# Builds a consumer with nothing but a compiler and pkg-config, in the folder given, and runs it.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 COMPILER PACKAGE SOURCE FOLDER" >&2; exit 2; }
mkdir -p "$4"
"$1" -std=c++23 "$3" $(pkg-config --cflags --libs "$2") -o "$4/consumer"
"$4/consumer"
