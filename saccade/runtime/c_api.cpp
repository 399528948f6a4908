#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "saccade/base/error.h"
#include "saccade/runtime/saccade.h"
#include "saccade/runtime/session.h"

struct saccade_model {
  std::shared_ptr<const saccade::runtime::Model> model;
};
struct saccade_session {
  saccade::runtime::Session session;
};

namespace {

using namespace saccade;

thread_local std::string last_error;

/// Runs f and turns what it throws into a code.
template <class F>
int guarded(F f) noexcept {
  try {
    last_error.clear();
    f();
    return 0;
  } catch (const Error& e) {
    last_error = e.what();
    return exit_code(e.kind());
  } catch (const std::bad_alloc&) {
    last_error = "out of memory";
    return exit_code(ErrorKind::resources);
  } catch (const std::exception& e) {
    last_error = e.what();
    return 1;
  }
}

template <class T>
void require(const T* pointer, const char* what) {
  if (!pointer) throw usage_error("{} is null", what);
}

saccade_dtype code_of(DType dtype) {
  switch (dtype) {
    case DType::BF16: return SACCADE_BF16;
    case DType::I64: return SACCADE_I64;
    case DType::I32: return SACCADE_I32;
    case DType::I8: return SACCADE_I8;
    case DType::BOOL: return SACCADE_BOOL;
    default: return SACCADE_F32;
  }
}

void describe(const std::string& name, const ops::Type& type, int64_t batch,
              std::span<const std::byte> bytes, saccade_tensor& out) {
  const auto shape = resolve(type.dims, batch);
  out.name = name.c_str();
  out.dtype = code_of(type.dtype);
  out.rank = shape.rank;
  std::fill_n(out.shape, SACCADE_MAX_RANK, int64_t{1});
  std::ranges::copy(shape.span(), out.shape);
  out.data = const_cast<std::byte*>(bytes.data());
  out.bytes = bytes.size();
}

void require_prepared(const saccade_session* session, size_t index, size_t count) {
  require(session, "the session");
  if (session->session.batch() == 0) throw usage_error("call saccade_session_prepare first");
  if (index >= count) throw usage_error("tensor {} of {}", index, count);
}

}  // namespace

const char* saccade_last_error(void) { return last_error.c_str(); }

int saccade_model_open(const char* path, saccade_model** out) {
  return guarded([&] {
    require(path, "the path");
    require(out, "the place for the model");
    *out = nullptr;
    *out = new saccade_model{runtime::Model::open(path)};
  });
}

void saccade_model_close(saccade_model* model) { delete model; }

size_t saccade_model_inputs(const saccade_model* model) {
  return model ? model->model->inputs().size() : 0;
}

size_t saccade_model_outputs(const saccade_model* model) {
  return model ? model->model->graph().outputs.size() : 0;
}

size_t saccade_model_sizes(const saccade_model* model) { return model ? model->model->sizes() : 0; }

int saccade_model_input(const saccade_model* model, size_t size, size_t index,
                        saccade_tensor* out) {
  return guarded([&] {
    require(model, "the model");
    require(out, "the place for the tensor");
    const auto& own = *model->model;
    if (size >= own.sizes()) throw usage_error("size {} of {}", size, own.sizes());
    if (index >= own.inputs(size).size())
      throw usage_error("tensor {} of {}", index, own.inputs(size).size());
    const auto& value = own.graph(size).value(own.inputs(size)[index]);
    describe(value.name, value.type, 1, {}, *out);
    out->bytes = static_cast<size_t>(resolve(value.type.dims, 1).count() * bytes(value.type.dtype));
  });
}

const char* saccade_model_label(const saccade_model* model, size_t index) {
  if (!model || index >= model->model->info().labels.size()) return nullptr;
  return model->model->info().labels[index].c_str();
}

int saccade_session_create(const saccade_model* model, int threads, saccade_session** out) {
  return guarded([&] {
    require(model, "the model");
    require(out, "the place for the session");
    *out = nullptr;
    if (threads < 0) throw usage_error("{} threads", threads);
    *out = new saccade_session{runtime::Session(model->model, {.threads = threads})};
  });
}

void saccade_session_destroy(saccade_session* session) { delete session; }

int saccade_session_prepare(saccade_session* session, int64_t batch) {
  return saccade_session_prepare_size(session, batch, 0);
}

int saccade_session_prepare_size(saccade_session* session, int64_t batch, size_t size) {
  return guarded([&] {
    require(session, "the session");
    session->session.prepare(batch, size);
  });
}

int saccade_session_input(saccade_session* session, size_t index, saccade_tensor* out) {
  return guarded([&] {
    require(out, "the place for the tensor");
    require_prepared(session, index, session ? session->session.model().inputs().size() : 0);
    auto& own = session->session;
    const auto& value = own.graph().value(own.model().inputs(own.size())[index]);
    describe(value.name, value.type, own.batch(), own.input(index), *out);
  });
}

int saccade_session_run(saccade_session* session) {
  return guarded([&] {
    require_prepared(session, 0, 1);
    session->session.run();
  });
}

int saccade_session_output(saccade_session* session, size_t index, saccade_tensor* out) {
  return guarded([&] {
    require(out, "the place for the tensor");
    require_prepared(session, index, session ? session->session.model().graph().outputs.size() : 0);
    const auto& own = session->session;
    const auto& output = own.graph().outputs[index];
    const auto& type = own.graph().value(output.value).type;
    describe(output.name, type, own.batch(), own.output_bytes(index), *out);
  });
}
