/* serve_plan PLAN [THREADS]: answers the pictures that come from standard input, one line for each.
 * A picture is the tensor that the model sees, [3, H, W] as fp32 in the machine's byte order:
 *
 *   saccade preprocess cat.jpg -m vit.plan -o cat.safetensors
 *   tail -c $((3 * 224 * 224 * 4)) cat.safetensors | serve_plan vit.plan
 *
 * C alone: saccade::runtime_c, or pkg-config saccade. */
#include <saccade/runtime/saccade.h>

#include <stdio.h>
#include <stdlib.h>

/* Says what failed; the code that main returns. */
static int failed(const char* what, int code) {
  fprintf(stderr, "serve_plan: %s: %s\n", what, saccade_last_error());
  return code;
}

static void print_answer(const saccade_model* model, const saccade_tensor* logits) {
  const float* values = (const float*)logits->data;
  size_t count = logits->bytes / sizeof(float), best = 0, i;
  const char* label;
  for (i = 1; i < count; ++i)
    if (values[i] > values[best]) best = i;
  label = saccade_model_label(model, best);
  if (label)
    printf("%s\t%.4f\n", label, values[best]);
  else
    printf("class %lu\t%.4f\n", (unsigned long)best, values[best]);
  fflush(stdout);
}

/* Answers until the input ends; 0 or an exit code. */
static int serve(const saccade_model* model, saccade_session* session) {
  saccade_tensor images, logits;
  size_t got;
  int code = saccade_session_prepare(session, 1);
  if (code == 0) code = saccade_session_input(session, 0, &images);
  if (code != 0) return failed("preparing", code);
  while ((got = fread(images.data, 1, images.bytes, stdin)) == images.bytes) {
    code = saccade_session_run(session);
    if (code == 0) code = saccade_session_output(session, 0, &logits);
    if (code != 0) return failed("running", code);
    if (logits.dtype != SACCADE_F32) return failed("the answer is not fp32", 4);
    print_answer(model, &logits);
  }
  if (got == 0) return 0;
  fprintf(stderr, "serve_plan: the last picture has %lu bytes of %lu\n", (unsigned long)got,
          (unsigned long)images.bytes);
  return 3;
}

int main(int argc, char** argv) {
  saccade_model* model = NULL;
  saccade_session* session = NULL;
  int code;
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: serve_plan PLAN [THREADS]\n");
    return 2;
  }
  code = saccade_model_open(argv[1], &model);
  if (code != 0) return failed("opening", code);
  code = saccade_session_create(model, argc > 2 ? atoi(argv[2]) : 0, &session);
  code = code == 0 ? serve(model, session) : failed("starting", code);
  saccade_session_destroy(session);
  saccade_model_close(model);
  return code;
}
