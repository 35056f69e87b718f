# Compiler-wide settings: warnings, ccache, linker, build types.
include_guard(GLOBAL)

# Sanitizer and fuzz builds: fast enough to run, with line numbers in reports.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer" CACHE STRING "" FORCE)
set(CMAKE_C_FLAGS_SANITIZE "${CMAKE_CXX_FLAGS_SANITIZE}" CACHE STRING "" FORCE)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")  # assertions stay on: LANYARD_ASSERT does not look at NDEBUG

find_program(LANYARD_CCACHE ccache)
if(LANYARD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LANYARD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${LANYARD_CCACHE})
endif()
find_program(LANYARD_LLD ld.lld)
if(LANYARD_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_library(lanyard_warnings INTERFACE)
target_compile_options(lanyard_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror)
