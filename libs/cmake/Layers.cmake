# Layering, enforced at configure time (docs/adr/0001-layers.md). A target links only to a STRICTLY LOWER
# layer; services (layer 5) never link each other; programs (layer 6) may link anything below.
#
#   lanyard_library(NAME coap LAYER 1 SOURCES src/a.cpp ... DEPS base [PRIVATE_DEPS ...] [EXTERNAL ...])
#   lanyard_service(NAME registry BINARY lanyard-registry SOURCES ... DEPS ... [EXTERNAL ...])
#   lanyard_test(coap codec_test [THREADS] [LABELS ...] [DEPS ...])   tests/codec_test.cpp, label "unit" by default;
#                                    THREADS: also run under ThreadSanitizer (label "unit-threads")
#   lanyard_fuzz(coap message_fuzz)                            fuzz/message_fuzz.cpp, corpus fuzz/corpus/message_fuzz/
#   lanyard_bench(coap codec_bench)                            bench/codec_bench.cpp, Google Benchmark
include_guard(GLOBAL)

# What `make build` builds, what the sanitizer runs build, and what `make bench` builds.
add_custom_target(programs)
add_custom_target(unit_tests)
add_custom_target(thread_tests)
add_custom_target(bench)

function(_lanyard_check_layers target layer)
  foreach(dep IN LISTS ARGN)
    if(NOT TARGET lanyard_${dep})
      message(FATAL_ERROR "${target}: unknown dependency '${dep}' (lower layers are declared first)")
    endif()
    get_target_property(dep_layer lanyard_${dep} LANYARD_LAYER)
    if(NOT dep_layer LESS layer)
      message(FATAL_ERROR "${target} (layer ${layer}) may not depend on ${dep} (layer ${dep_layer})")
    endif()
  endforeach()
endfunction()

# Looks at what each target REALLY links once every CMakeLists.txt has run, so that a plain
# target_link_libraries() cannot go around the rule.
function(_lanyard_verify_layers)
  get_property(names GLOBAL PROPERTY LANYARD_TARGETS)
  foreach(name IN LISTS names)
    get_target_property(layer lanyard_${name} LANYARD_LAYER)
    get_target_property(links lanyard_${name} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(TARGET ${link})
        get_target_property(real ${link} ALIASED_TARGET)
        if(real)
          set(link ${real})
        endif()
        get_target_property(dep_layer ${link} LANYARD_LAYER)
        if(NOT dep_layer STREQUAL "dep_layer-NOTFOUND" AND NOT dep_layer LESS layer)
          message(FATAL_ERROR "${name} (layer ${layer}) may not link ${link} (layer ${dep_layer})")
        endif()
      endif()
    endforeach()
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL _lanyard_verify_layers)

function(lanyard_library)
  cmake_parse_arguments(A "" "NAME;LAYER" "SOURCES;DEPS;PRIVATE_DEPS;EXTERNAL" ${ARGN})
  set(t lanyard_${A_NAME})
  _lanyard_check_layers(${A_NAME} ${A_LAYER} ${A_DEPS} ${A_PRIVATE_DEPS})
  set_property(GLOBAL APPEND PROPERTY LANYARD_TARGETS ${A_NAME})
  add_library(${t} STATIC ${A_SOURCES})
  add_library(lanyard::${A_NAME} ALIAS ${t})
  set_target_properties(${t} PROPERTIES LANYARD_LAYER ${A_LAYER} VERIFY_INTERFACE_HEADER_SETS ON)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/*.hpp)
  target_sources(${t} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_include_directories(${t} PRIVATE src)
  list(TRANSFORM A_DEPS PREPEND lanyard_)
  list(TRANSFORM A_PRIVATE_DEPS PREPEND lanyard_)
  target_link_libraries(${t} PUBLIC ${A_DEPS} ${A_EXTERNAL} PRIVATE ${A_PRIVATE_DEPS} lanyard_warnings)
endfunction()

# The allocator of the programs: what one thread allocates another one frees here (gRPC, Redis, Kafka), which costs
# glibc's a third more CPU for each registration. Sanitizers bring their own.
function(lanyard_program target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Sanitize" AND NOT LANYARD_FUZZ)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/allocator.cpp)
    target_link_libraries(${target} PRIVATE PkgConfig::jemalloc)
  endif()
endfunction()

# A service is a library plus a thin main.cpp (model: one function make_service, see runtime/service.hpp).
function(lanyard_service)
  cmake_parse_arguments(A "" "NAME;BINARY" "SOURCES;DEPS;EXTERNAL" ${ARGN})
  lanyard_library(NAME ${A_NAME} LAYER 5 SOURCES ${A_SOURCES} DEPS ${A_DEPS} EXTERNAL ${A_EXTERNAL})
  add_executable(${A_BINARY} main.cpp)
  target_link_libraries(${A_BINARY} PRIVATE lanyard_${A_NAME} lanyard_warnings)
  lanyard_program(${A_BINARY})
  add_dependencies(programs ${A_BINARY})
endfunction()

# Tests of one library. The label says what the test needs: unit (nothing), redis, kafka, services, interop.
function(lanyard_test library name)
  if(LANYARD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(A "THREADS" "" "LABELS;DEPS" ${ARGN})
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  list(TRANSFORM A_DEPS PREPEND lanyard_)
  add_executable(${library}_${name} tests/${name}.cpp)
  target_include_directories(${library}_${name} PRIVATE src tests)
  target_link_libraries(${library}_${name} PRIVATE lanyard_${library} ${A_DEPS} lanyard_warnings GTest::gmock GTest::gtest_main)
  if("unit" IN_LIST A_LABELS)
    add_dependencies(unit_tests ${library}_${name})
  endif()
  if(A_THREADS)
    list(APPEND A_LABELS threads)
    add_dependencies(thread_tests ${library}_${name})
  endif()
  list(JOIN A_LABELS "-" label)  # one word, since a list does not survive discovery; ctest -L takes a part of it
  gtest_discover_tests(${library}_${name} TEST_PREFIX "${library}." DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${label}" TIMEOUT 120)
endfunction()

function(lanyard_fuzz library name)
  if(NOT LANYARD_FUZZ)
    return()
  endif()
  add_executable(${library}_${name} fuzz/${name}.cpp)
  target_link_libraries(${library}_${name} PRIVATE lanyard_${library} lanyard_warnings)
  target_link_options(${library}_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  # New inputs go to the build tree; the corpus in the source tree is only read.
  set(found ${CMAKE_BINARY_DIR}/corpus/${library}_${name})
  file(MAKE_DIRECTORY ${found})
  # The length of a run is asked for when it runs, so that a long one leaves nothing behind in the cache.
  add_test(NAME fuzz.${library}.${name} COMMAND sh -c "exec \"$0\" -max_total_time=\${LANYARD_FUZZ_SECONDS:-10} \"$@\""
    $<TARGET_FILE:${library}_${name}> -rss_limit_mb=512 -timeout=5 -print_final_stats=1
    ${found} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  set_tests_properties(fuzz.${library}.${name} PROPERTIES LABELS fuzz TIMEOUT 86400)
endfunction()

function(lanyard_bench library name)
  if(LANYARD_FUZZ)
    return()
  endif()
  add_executable(${library}_${name} bench/${name}.cpp)
  set_target_properties(${library}_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  add_dependencies(bench ${library}_${name})
  target_link_libraries(${library}_${name} PRIVATE lanyard_${library} lanyard_warnings benchmark::benchmark_main)
endfunction()
