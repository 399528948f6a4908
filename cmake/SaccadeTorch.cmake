# libtorch: found through CMAKE_PREFIX_PATH (tools/setup.sh prints it). Every file that includes it
# is compiled with NDEBUG, as the wheel is, and shares one precompiled header.
find_package(Torch REQUIRED)

add_library(saccade_torch_headers STATIC "${CMAKE_CURRENT_LIST_DIR}/torch_headers.cpp")
target_link_libraries(saccade_torch_headers PUBLIC saccade_settings)
target_link_libraries(saccade_torch_headers PUBLIC torch)
# libtorch ships a newer fmt in front of the system's: its inline namespace keeps the two apart, and
# header-only use needs no library that libtorch does not export.
target_compile_definitions(saccade_torch_headers PUBLIC NDEBUG FMT_HEADER_ONLY)
target_precompile_headers(saccade_torch_headers PRIVATE <torch/torch.h> <fmt/format.h>)

function(saccade_use_torch target)
  target_link_libraries(${target} PUBLIC saccade_torch_headers)
  target_precompile_headers(${target} REUSE_FROM saccade_torch_headers)
endfunction()
