#!/bin/sh
# Breaks the layer rule in several ways in a tiny project and expects cmake to refuse each; the control must pass.
# Usage: layers_test.sh SOURCE_ROOT WORK_DIR
set -eu
source=$1
work=$2
rm -rf "$work"
mkdir -p "$work"
failed=0

project() {  # project NAME: a fresh project with libraries low (1), high (2) and services one, two
    dir=$work/$1
    for lib in low high one two; do
        mkdir -p "$dir/$lib/include/$lib" "$dir/$lib/src"
        echo "int ${lib}_value() { return 1; }" >"$dir/$lib/src/$lib.cpp"
        echo 'int main() { return 0; }' >"$dir/$lib/main.cpp"
    done
    cat >"$dir/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(layers LANGUAGES CXX)
list(APPEND CMAKE_MODULE_PATH $source/libs/cmake)
add_library(lanyard_warnings INTERFACE)
add_library(PkgConfig::jemalloc INTERFACE IMPORTED)
include(Layers)
add_subdirectory(low)
add_subdirectory(high)
add_subdirectory(one)
add_subdirectory(two)
EOF
    echo 'lanyard_library(NAME low LAYER 1 SOURCES src/low.cpp)' >"$dir/low/CMakeLists.txt"
    echo 'lanyard_library(NAME high LAYER 2 SOURCES src/high.cpp DEPS low)' >"$dir/high/CMakeLists.txt"
    echo 'lanyard_service(NAME one BINARY svc-one SOURCES src/one.cpp DEPS high)' >"$dir/one/CMakeLists.txt"
    echo 'lanyard_service(NAME two BINARY svc-two SOURCES src/two.cpp DEPS high)' >"$dir/two/CMakeLists.txt"
}
expect() {  # expect pass|refusal NAME
    if cmake -S "$work/$2" -B "$work/$2/build" >"$work/$2.log" 2>&1; then got=pass; else got=refusal; fi
    if [ "$got" = refusal ] && ! grep -qE 'may not|unknown dependency' "$work/$2.log"; then got='another error'; fi
    if [ "$got" != "$1" ]; then
        echo "$2: expected $1, got $got"
        tail -n 5 "$work/$2.log"
        failed=1
    fi
}

project control
expect pass control
project upward
echo 'lanyard_library(NAME low LAYER 2 SOURCES src/low.cpp)' >"$work/upward/low/CMakeLists.txt"
expect refusal upward
project sibling
echo 'lanyard_service(NAME two BINARY svc-two SOURCES src/two.cpp DEPS one)' >"$work/sibling/two/CMakeLists.txt"
expect refusal sibling
project raw_link
echo 'target_link_libraries(lanyard_low PRIVATE lanyard_high)' >>"$work/raw_link/high/CMakeLists.txt"
expect refusal raw_link
project through_alias
echo 'target_link_libraries(lanyard_two PRIVATE lanyard::one)' >>"$work/through_alias/two/CMakeLists.txt"
expect refusal through_alias
project unknown
echo 'lanyard_library(NAME high LAYER 2 SOURCES src/high.cpp DEPS nowhere)' >"$work/unknown/high/CMakeLists.txt"
expect refusal unknown
[ "$failed" = 0 ] && echo "the rule held in 5 of 5 breaks"
exit $failed
