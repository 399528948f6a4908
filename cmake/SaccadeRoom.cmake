# saccade_room(<name> [TORCH] [SMALL] [FAST <files>...] [FILES <files>...]
#              DEPENDS <rooms and libraries>... [PRIVATE_DEPENDS <libraries>...]
#              [COMPONENT Runtime|Core|Models])
# One folder of saccade/ becomes the library saccade_<name> (alias saccade::<name>) from all its
# .cpp files, or from FILES where a folder holds two libraries. TORCH: the room sees libtorch.
# SMALL: compiled for size, but for the FAST files, which go over pixels or weights.
# COMPONENT: the library is installed, and exported with that component of find_package(saccade).
function(saccade_room name)
  cmake_parse_arguments(ROOM "TORCH;SMALL" "COMPONENT" "FAST;FILES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  if(NOT ROOM_FILES)
    file(GLOB ROOM_FILES CONFIGURE_DEPENDS *.cpp)
  endif()
  add_library(saccade_${name} STATIC ${ROOM_FILES})
  add_library(saccade::${name} ALIAS saccade_${name})
  set_target_properties(saccade_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(saccade_${name} PUBLIC saccade_settings ${ROOM_DEPENDS}
    PRIVATE ${ROOM_PRIVATE_DEPENDS})
  if(ROOM_TORCH)
    saccade_use_torch(saccade_${name})
  endif()
  if(ROOM_SMALL)
    target_compile_options(saccade_${name} PRIVATE ${SACCADE_SMALL})
    set_source_files_properties(${ROOM_FAST} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
  endif()
  if(ROOM_COMPONENT)
    saccade_install(saccade_${name} ${ROOM_COMPONENT})
  endif()
endfunction()
