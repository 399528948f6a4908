# Flags of every target: saccade_settings carries them.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # an installed saccade-torch finds libtorch

# For rooms that never run inside a loop over pixels or weights: half the code, and half the time to
# compile it.
set(SACCADE_SMALL $<$<CONFIG:Release>:-Os>)

find_program(SACCADE_CCACHE ccache)
if(SACCADE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for before it caches files with a precompiled header; the
  # base folder makes paths relative, so that another clone finds the same objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "${SACCADE_CCACHE}")
endif()
find_program(SACCADE_MOLD mold)

add_library(saccade_settings INTERFACE)
set_target_properties(saccade_settings PROPERTIES EXPORT_NAME settings)
target_compile_features(saccade_settings INTERFACE cxx_std_20)
target_include_directories(saccade_settings INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_options(saccade_settings INTERFACE
  # __FILE__ in messages is relative to the source folder, in every clone the same.
  "$<BUILD_INTERFACE:-fmacro-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=>"
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wnon-virtual-dtor>
  # GCC 12 sees overflows and dangling reads in the standard library that are not there.
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow>>
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-maybe-uninitialized>>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(saccade_settings INTERFACE $<BUILD_INTERFACE:-march=x86-64-v2>)
endif()
if(SACCADE_WERROR)
  target_compile_options(saccade_settings INTERFACE $<BUILD_INTERFACE:-Werror>)
endif()
if(SACCADE_SANITIZE)
  target_compile_options(saccade_settings INTERFACE
    $<BUILD_INTERFACE:-fsanitize=${SACCADE_SANITIZE};-fno-omit-frame-pointer>
    $<BUILD_INTERFACE:-fno-sanitize-recover=all>)
  target_link_options(saccade_settings INTERFACE $<BUILD_INTERFACE:-fsanitize=${SACCADE_SANITIZE}>)
endif()
if(SACCADE_MOLD)
  target_link_options(saccade_settings INTERFACE $<BUILD_INTERFACE:-fuse-ld=mold>)
endif()
