"""What is measured: the models, and how many times faster than the best peer Saccade aims to be."""

import dataclasses

PRECISIONS = ("fp32", "bf16", "int8")
MARKS = ("openvino", "onnxruntime")  # the peers that count for the aims


@dataclasses.dataclass(frozen=True)
class Model:
    """One row of the zoo, under the name that it has here and there."""

    key: str  # on the command line and in the charts
    title: str
    saccade: str  # in Saccade's zoo
    timm: str
    size: int  # height and width of the picture
    multiply_adds: int  # of one picture
    parameters: int
    aims: dict  # (precision, batch) -> times faster than the faster of MARKS

    def aim(self, precision, batch):
        """The ratio to reach, or None. int8 is to be no slower than OpenVINO's (`mark_names`)."""
        return 1.0 if precision == "int8" else self.aims.get((precision, batch))


MODELS = [
    Model("vit_b", "ViT-B/16", "vit_base_patch16_224", "vit_base_patch16_224", 224,
          17563828224, 86567656, {("fp32", 1): 1.07, ("fp32", 8): 1.08, ("bf16", 1): 1.3}),
    Model("deit_s", "DeiT-S", "deit_small_patch16_224", "deit_small_patch16_224", 224,
          4598882304, 22050664, {("fp32", 1): 1.10, ("bf16", 1): 1.3}),
    Model("deit_ti", "DeiT-Ti", "deit_tiny_patch16_224", "deit_tiny_patch16_224", 224,
          1253683200, 5717416, {("fp32", 1): 1.20, ("bf16", 1): 1.3}),
    Model("swin_t", "Swin-T", "swin_tiny_patch4_window7_224", "swin_tiny_patch4_window7_224", 224,
          4490566656, 28288354, {("fp32", 1): 1.18, ("fp32", 8): 1.20, ("bf16", 1): 1.3}),
    Model("swinv2_t", "SwinV2-T", "swinv2_tiny_window8_256", "swinv2_tiny_window8_256", 256,
          5921028096, 28347154, {("fp32", 1): 1.20}),
    Model("mixer_b", "Mixer-B/16", "mixer_b16_224", "mixer_b16_224", 224,
          12601767936, 59880472, {("fp32", 1): 1.08}),
]
BY_KEY = {model.key: model for model in MODELS}

CONTENTION_MODELS = ("vit_b", "swin_t")
CONTENTION_THREADS = 2
CONTENTION_AIM = 2.5  # times slower than alone, at most
START_AIM_MODEL = "vit_b"
START_AIM_SECONDS = 0.12  # beyond one inference
MEMORY_AIM = 1.15  # times the fp32 weights
INSTALLED_AIM_BYTES = 5e6


def mark_names(precision):
    """The peers that an aim of this precision is measured against."""
    return ("openvino",) if precision == "int8" else MARKS
