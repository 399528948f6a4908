#include "saccade/train/position.h"

#include "saccade/base/error.h"

namespace saccade::train {

Json to_json(const Position& p) {
  return {{"epoch", p.epoch},
          {"batch", p.batch},
          {"updates", p.updates},
          {"loss_sum", p.loss_sum},
          {"loss_count", p.loss_count},
          {"seconds", p.seconds},
          {"epoch_seconds", p.epoch_seconds},
          {"best_top1", p.best_top1},
          {"finished", p.finished},
          {"history", to_json(p.history)}};
}

Position position_from_json(const Json& json, const std::string& where) {
  Position p;
  p.epoch = json_int(json, "epoch", where);
  p.batch = json_int(json, "batch", where);
  p.updates = json_int(json, "updates", where);
  p.loss_sum = json_number(json, "loss_sum", where);
  p.loss_count = json_int(json, "loss_count", where);
  p.seconds = json_number(json, "seconds", where);
  p.epoch_seconds = json_number(json, "epoch_seconds", where);
  p.best_top1 = json_number(json, "best_top1", where);
  p.finished = json_bool(json, "finished", where);
  p.history = history_from_json(json.value("history", Json()), where);
  if (p.epoch < 0 || p.batch < 0 || p.updates < 0)
    throw input_error(where, "the position is negative");
  return p;
}

}  // namespace saccade::train
