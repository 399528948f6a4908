#ifndef SACCADE_RUNTIME_SACCADE_H
#define SACCADE_RUNTIME_SACCADE_H
/* The runtime for C and everything that calls C. A model is immutable and may be used from any
 * thread; a session belongs to one thread at a time. Functions that can fail return 0 or the exit
 * code that the command line has for the error (2 usage, 3 bad file, 4 not supported, 5 resources,
 * 1 a bug); saccade_last_error() then says more. No exception leaves these functions. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SACCADE_EXPORT __attribute__((visibility("default")))
#else
#define SACCADE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SACCADE_MAX_RANK 8

typedef struct saccade_model saccade_model;
typedef struct saccade_session saccade_session;

typedef enum saccade_dtype {
  SACCADE_F32 = 0,
  SACCADE_BF16 = 1,
  SACCADE_I64 = 2,
  SACCADE_I32 = 3,
  SACCADE_I8 = 4,
  SACCADE_BOOL = 5
} saccade_dtype;

/* A tensor, row-major. `data` belongs to the session: valid until its next prepare or run. */
typedef struct saccade_tensor {
  const char* name;
  saccade_dtype dtype;
  int32_t rank;
  int64_t shape[SACCADE_MAX_RANK];
  void* data;
  size_t bytes;
} saccade_tensor;

/* What went wrong last on this thread; "" if nothing did. Valid until the next call. */
SACCADE_EXPORT const char* saccade_last_error(void);

/* Opens and verifies a plan. */
SACCADE_EXPORT int saccade_model_open(const char* path, saccade_model** out);
/* Sessions may outlive the handle. Null is allowed. */
SACCADE_EXPORT void saccade_model_close(saccade_model* model);
SACCADE_EXPORT size_t saccade_model_inputs(const saccade_model* model);
SACCADE_EXPORT size_t saccade_model_outputs(const saccade_model* model);
/* How many input sizes the plan has; the first one is the default. */
SACCADE_EXPORT size_t saccade_model_sizes(const saccade_model* model);
/* An input in one of the sizes, for one picture; `data` is null. */
SACCADE_EXPORT int saccade_model_input(const saccade_model* model, size_t size, size_t index,
                                       saccade_tensor* out);
/* Names of classes; null beyond the last. */
SACCADE_EXPORT const char* saccade_model_label(const saccade_model* model, size_t index);

/* threads = 0: one for each core that this process may use. */
SACCADE_EXPORT int saccade_session_create(const saccade_model* model, int threads,
                                          saccade_session** out);
SACCADE_EXPORT void saccade_session_destroy(saccade_session* session);
/* Makes room for `batch` pictures of the default size. */
SACCADE_EXPORT int saccade_session_prepare(saccade_session* session, int64_t batch);
/* The same for one of saccade_model_sizes(). */
SACCADE_EXPORT int saccade_session_prepare_size(saccade_session* session, int64_t batch,
                                                size_t size);
/* Where to write an input before saccade_session_run. */
SACCADE_EXPORT int saccade_session_input(saccade_session* session, size_t index,
                                         saccade_tensor* out);
SACCADE_EXPORT int saccade_session_run(saccade_session* session);
/* A result of the last run; `data` is not to be written. */
SACCADE_EXPORT int saccade_session_output(saccade_session* session, size_t index,
                                          saccade_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
