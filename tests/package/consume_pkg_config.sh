#!/bin/sh
# Builds the consumer with nothing but a compiler and pkg-config, in the folder given, and runs it.
set -eu
[ $# -eq 3 ] || { echo "usage: $0 COMPILER SOURCE FOLDER" >&2; exit 2; }
mkdir -p "$3"
"$1" -std=c++23 "$2" $(pkg-config --cflags --libs estab) -o "$3/consumer"
"$3/consumer"
