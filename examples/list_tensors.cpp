// list_tensors FILE: the tensors of any checkpoint (safetensors, .pth, .npz, a sharded folder).
// Needs no libtorch: saccade::core.
#include <iostream>

#include <saccade/base/error.h>
#include <saccade/checkpoint/checkpoint.h>

int main(int argc, char** argv) try {
  if (argc != 2) throw saccade::usage_error("usage: list_tensors FILE");
  const auto checkpoint = saccade::checkpoint::Checkpoint::open(argv[1]);
  for (const auto& entry : checkpoint.entries())
    std::cout << entry.path << '\t' << saccade::name(entry.view.dtype) << '\t'
              << saccade::to_string(entry.view.shape) << '\n';
} catch (const saccade::Error& error) {
  std::cerr << error.what() << '\n';
  return saccade::exit_code(error.kind());
}
