# The installed tree: programs, libraries, headers by room, bundled models, and the files behind
# find_package(saccade COMPONENTS ...), docs/guide/library.md:
#   RuntimeC  saccade::runtime_c  the C API, a shared library with nothing behind it
#   Runtime   saccade::runtime    runs plans from C++; the rooms below it
#   Core      saccade::core       every room without libtorch
#   Models    saccade::models     the zoo; asks the machine for libtorch
# The target `installed` builds what is installed and nothing else.
include(CMakePackageConfigHelpers)
set(SACCADE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/saccade")
add_custom_target(installed)

# saccade_install(<target> [<component>]): installs a library and exports it with that component,
# or a program.
function(saccade_install target)
  set(export)
  if(ARGN)
    set(export EXPORT saccade${ARGN})
  endif()
  install(TARGETS ${target} ${export} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL INTERFACE_LIBRARY)
    add_dependencies(installed ${target})
  endif()
endfunction()

# What C users ask instead of CMake.
function(saccade_install_pkg_config)
  file(RELATIVE_PATH SACCADE_PREFIX_FROM_PC "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
  string(REGEX REPLACE "/$" "" SACCADE_PREFIX_FROM_PC "${SACCADE_PREFIX_FROM_PC}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/saccade.pc.in" saccade.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/saccade.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

# What is installed beside the rooms; called once, after all of them.
function(saccade_install_package)
  add_library(saccade_core INTERFACE)
  add_library(saccade::core ALIAS saccade_core)
  set_target_properties(saccade_core PROPERTIES EXPORT_NAME core)
  target_link_libraries(saccade_core INTERFACE saccade_catalogue saccade_tune saccade_compile
    saccade_runtime saccade_plan saccade_ops saccade_tasks saccade_data saccade_metrics
    saccade_image saccade_checkpoint saccade_base)
  saccade_install(saccade_settings Runtime)
  saccade_install(saccade_core Core)

  set(components Runtime Core)
  set(rooms base image checkpoint data metrics tasks models ops plan compile runtime tune)
  if(TARGET saccade_runtime_c)
    list(APPEND components RuntimeC)
    saccade_install_pkg_config()
  endif()
  if(SACCADE_TORCH)
    list(APPEND components Models)
    list(APPEND rooms nn trace)
  endif()
  foreach(component ${components})
    install(EXPORT saccade${component} NAMESPACE saccade:: DESTINATION "${SACCADE_CMAKE_DIR}")
  endforeach()
  foreach(room ${rooms})
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/saccade/${room}"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/saccade" FILES_MATCHING PATTERN "*.h"
      PATTERN "kernels" EXCLUDE PATTERN "kernel*.h" EXCLUDE)
  endforeach()
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/saccade-config.cmake.in"
    saccade-config.cmake INSTALL_DESTINATION "${SACCADE_CMAKE_DIR}")
  write_basic_package_version_file(saccade-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/saccade-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/saccade-config-version.cmake" DESTINATION "${SACCADE_CMAKE_DIR}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/assets" DESTINATION "${CMAKE_INSTALL_DATADIR}/saccade")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/saccade")
endfunction()
