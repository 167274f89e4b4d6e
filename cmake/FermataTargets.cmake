# Warnings and sanitizers, for everything that is ours.
add_library(fermata_warnings INTERFACE)
target_compile_options(fermata_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wno-missing-field-initializers)  # designated initialisers leave the rest at its default on purpose
if(FERMATA_WERROR)
  target_compile_options(fermata_warnings INTERFACE -Werror)
endif()
add_library(fermata_flags INTERFACE)
add_library(fermata_test_flags INTERFACE)
foreach(flags fermata_flags fermata_test_flags)
  target_link_libraries(${flags} INTERFACE fermata_warnings)
endforeach()
# What is loaded before a program, as libfaketime, finds the sanitizer only in a library of its own; Clang links it in by itself.
function(fermata_shared_sanitizer target)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND FERMATA_SANITIZE MATCHES "^address")
    fermata_sanitizer_library(library)
    get_filename_component(folder ${library} DIRECTORY)
    target_link_options(${target} INTERFACE -shared-libsan -Wl,-rpath,${folder})
  endif()
endfunction()
function(fermata_sanitizer_library result)
  set(name libasan.so)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    set(name libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name} OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(${result} ${library} PARENT_SCOPE)
endfunction()
if(FERMATA_SANITIZE)
  target_compile_options(fermata_flags INTERFACE -fsanitize=${FERMATA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # Checks of every pointer and of what it points to are a third of all compiling, and AddressSanitizer meets nearly all of that anyway.
  if(FERMATA_SANITIZE MATCHES undefined)
    target_compile_options(fermata_flags INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
  target_link_options(fermata_flags INTERFACE -fsanitize=${FERMATA_SANITIZE})
  fermata_shared_sanitizer(fermata_flags)
  # Compile time: UBSan doubles what the headers of the test libraries take. The code under test has it.
  string(REPLACE ",undefined" "" sanitize_tests "${FERMATA_SANITIZE}")
  target_compile_options(fermata_test_flags INTERFACE -fsanitize=${sanitize_tests} -fno-omit-frame-pointer)
  target_link_options(fermata_test_flags INTERFACE -fsanitize=${FERMATA_SANITIZE})
  fermata_shared_sanitizer(fermata_test_flags)
endif()

# What need not be fast is compiled quickly in the dev and tsan presets.
function(fermata_compiled_quickly target)
  if(FERMATA_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# Several sources of a folder are compiled as one: what they include and instantiate, which is most of the work, is compiled once for all of them.
# So two files of a folder must not give one name to two things, even of their own.
function(fermata_compiled_together target)
  if(FERMATA_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# What nearly every source includes, parsed once for the layers and once for each program. In the dev and tsan presets only: a release build,
# and the linter's, show what a file forgot to include.
#   fermata_common_headers(TARGET [REUSE_FROM TARGET])
function(fermata_common_headers target)
  if(FERMATA_SANITIZE)
    target_link_libraries(${target} PRIVATE fmt::fmt tl::expected)
    target_compile_definitions(${target} PRIVATE _REENTRANT)  # libpulse has its users define it, and all must agree
    if(ARGN)
      target_precompile_headers(${target} ${ARGN})
    else()
      target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <string_view>
        <variant> <vector> <fmt/format.h> <tl/expected.hpp>)
    endif()
  endif()
endfunction()
file(WRITE ${CMAKE_BINARY_DIR}/layer_headers.cpp "")
add_library(fermata_layer_headers OBJECT ${CMAKE_BINARY_DIR}/layer_headers.cpp)
target_link_libraries(fermata_layer_headers PRIVATE fermata_flags)
fermata_common_headers(fermata_layer_headers)

# One folder below src/ or platform/: a static library that sees the public headers, its own folder and the layers it names.
#   fermata_layer(store DEPENDS base crdt LIBRARIES PkgConfig::sqlite3)
function(fermata_layer name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(fermata_${name} STATIC ${sources})
  target_include_directories(fermata_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPENDS PREPEND fermata_)
  target_link_libraries(fermata_${name} PUBLIC ${ARG_DEPENDS} tl::expected PRIVATE fermata_flags ${ARG_LIBRARIES})
  fermata_common_headers(fermata_${name} REUSE_FROM fermata_layer_headers)
  fermata_compiled_together(fermata_${name})
endfunction()

# The library people link: the objects of all layers in one archive.
function(fermata_library)
  set(objects)
  foreach(layer ${ARGN})
    list(APPEND objects $<TARGET_OBJECTS:fermata_${layer}>)
  endforeach()
  add_library(fermata STATIC ${objects})
  add_library(fermata::fermata ALIAS fermata)
  set_target_properties(fermata PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(fermata PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(fermata PUBLIC cxx_std_20)
  target_link_libraries(fermata PUBLIC tl::expected PRIVATE Threads::Threads OpenSSL::SSL OpenSSL::Crypto fmt::fmt simdjson::simdjson
    PkgConfig::sqlite3 PkgConfig::cbor PkgConfig::zstd PkgConfig::pulse PkgConfig::sdbus)
endfunction()

# One test program from all .cpp of a folder below tests/; every TEST becomes a ctest of its own.
#   fermata_test(crdt LIBRARIES fermata_crdt)
# SERIAL: not beside other tests, because real parts and real time are judged in it. FAST: its own code has work to do, so it is optimised.
function(fermata_test name)
  cmake_parse_arguments(ARG "SERIAL;FAST" "TIMEOUT" "LIBRARIES;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE ${ARG_LIBRARIES} fermata_test_flags GTest::gmock GTest::gtest_main rapidcheck rapidcheck_gtest)
  if(NOT ARG_FAST)
    fermata_compiled_quickly(test_${name})
    target_precompile_headers(test_${name} REUSE_FROM fermata_test_headers)
    fermata_compiled_together(test_${name})
  endif()
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" RUN_SERIAL ${ARG_SERIAL})
endfunction()
