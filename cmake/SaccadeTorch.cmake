# libtorch: found through CMAKE_PREFIX_PATH (tools/setup.sh prints it), else in the project's .venv.
# Every file that includes it is compiled with NDEBUG, as the wheel is, and shares one precompiled
# header.
if(NOT Torch_DIR)
  file(GLOB saccade_venv "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch/share/cmake")
endif()
find_package(Torch REQUIRED HINTS ${saccade_venv})

add_library(saccade_torch_headers STATIC "${CMAKE_CURRENT_LIST_DIR}/torch_headers.cpp")
set_target_properties(saccade_torch_headers PROPERTIES EXPORT_NAME torch_headers)
target_link_libraries(saccade_torch_headers PUBLIC saccade_settings)
target_link_libraries(saccade_torch_headers PUBLIC torch fmt::fmt)
# libtorch ships a newer fmt in front of the system's: its inline namespace keeps the two apart, and
# header-only use needs no library that libtorch does not export.
target_compile_definitions(saccade_torch_headers PUBLIC NDEBUG FMT_HEADER_ONLY)
target_precompile_headers(saccade_torch_headers PRIVATE <torch/torch.h> <fmt/format.h>)
saccade_install(saccade_torch_headers Models)

function(saccade_use_torch target)
  target_link_libraries(${target} PUBLIC saccade_torch_headers)
  target_precompile_headers(${target} REUSE_FROM saccade_torch_headers)
endfunction()
