// saccade train: from a recipe to a trained model.

#include <memory>

#include <torch/torch.h>

#include "apps/cli/interrupt.h"
#include "apps/torch/verbs.h"
#include "saccade/base/thread_pool.h"
#include "saccade/train/trainer.h"

namespace saccade::cli {
namespace {

struct Args {
  std::string recipe, data, out;
  std::vector<std::string> overrides;
  bool resume = false, dry_run = false;
};

int run(const Args& args) {
  auto recipe = train::read_recipe(args.recipe, args.overrides);
  if (!args.data.empty()) recipe.data.path = args.data;
  torch::set_num_threads(thread_count());
  train::TrainOptions options{args.out.empty() ? "runs/" + recipe.name : args.out, args.resume,
                              args.dry_run, /*show_progress=*/true,
                              FinishStepFirst::stop_requested};
  const FinishStepFirst finish_step_first;
  const auto result = train::train(recipe, options);
  if (!args.dry_run)
    fmt::print("{}: top-1 {:.2f} %, top-5 {:.2f} % after {} epochs, {:.1f} minutes\n",
               result.model.string(), 100 * result.top1, 100 * result.top5, result.epochs,
               result.seconds / 60);
  return 0;
}

}  // namespace

Verb train_verb() {
  return {"train", "train a model from a recipe", [](CLI::App& app, const Program&) -> Action {
            auto args = std::make_shared<Args>();
            app.add_option("recipe", args->recipe, "Recipe (TOML)")->required();
            app.add_option("--data", args->data,
                           "Data set, in the place of the recipe's data.path");
            app.add_option("--set", args->overrides, "table.key=value over the recipe; repeatable");
            app.add_option("--out", args->out, "Run folder; default runs/<name of the recipe>");
            app.add_flag("--resume", args->resume, "Go on where the run folder's checkpoint is");
            app.add_flag("--dry-run", args->dry_run,
                         "Check data, shapes and memory with one batch; write nothing");
            app.footer("Example:\n  saccade train recipes/cifar10_vit.toml --data DIR");
            return [args] { return run(*args); };
          }};
}

}  // namespace saccade::cli
