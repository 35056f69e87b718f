#!/bin/sh
# clang-format over every tracked C++ file. Usage: check_format.sh SOURCE_ROOT
cd "$1" || exit 2
git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 --dry-run --Werror
