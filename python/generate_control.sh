#!/usr/bin/env bash
# Writes the Python messages of proto/control.proto, which the package ships so that nobody needs
# protoc to install it. Run it after a change of that file, with protoc 3.21 (Debian 12: package
# protobuf-compiler), whose code runs on every protobuf package from 4.21 on. A test compares.
#
# usage: python/generate_control.sh [FOLDER]   (python/src by default)
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# The folder in the name keeps it apart from any other control.proto of the process.
protoc -I "tombolo/node/_proto=$root/proto" --python_out="${1:-$root/python/src}" \
  --pyi_out="${1:-$root/python/src}" tombolo/node/_proto/control.proto
