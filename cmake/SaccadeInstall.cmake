# The installed tree: programs, libraries, headers by room, the bundled model, and the files behind
# find_package(saccade COMPONENTS Core Models). Core is every room without libtorch (saccade::core);
# Models is the zoo (saccade::models) and asks the machine for libtorch.
include(CMakePackageConfigHelpers)
set(SACCADE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/saccade")

# saccade_install(<target> Core|Models): installs a library and exports it with that component.
function(saccade_install target component)
  install(TARGETS ${target} EXPORT saccade${component}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endfunction()

# What is installed beside the rooms; called once, after all of them.
function(saccade_install_package)
  add_library(saccade_core INTERFACE)
  add_library(saccade::core ALIAS saccade_core)
  set_target_properties(saccade_core PROPERTIES EXPORT_NAME core)
  target_link_libraries(saccade_core INTERFACE saccade_catalogue saccade_tune saccade_compile
    saccade_runtime saccade_plan saccade_ops saccade_tasks saccade_data saccade_metrics
    saccade_image saccade_checkpoint saccade_base)
  saccade_install(saccade_settings Core)
  saccade_install(saccade_core Core)

  set(components Core)
  set(rooms base image checkpoint data metrics tasks models ops plan compile runtime tune)
  if(SACCADE_TORCH)
    list(APPEND components Models)
    list(APPEND rooms nn trace)
  endif()
  foreach(component ${components})
    install(EXPORT saccade${component} NAMESPACE saccade:: DESTINATION "${SACCADE_CMAKE_DIR}")
  endforeach()
  foreach(room ${rooms})
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/saccade/${room}"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/saccade" FILES_MATCHING PATTERN "*.h")
  endforeach()
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/saccade-config.cmake.in"
    saccade-config.cmake INSTALL_DESTINATION "${SACCADE_CMAKE_DIR}")
  write_basic_package_version_file(saccade-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/saccade-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/saccade-config-version.cmake" DESTINATION "${SACCADE_CMAKE_DIR}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/assets" DESTINATION "${CMAKE_INSTALL_DATADIR}/saccade")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/saccade")
endfunction()
