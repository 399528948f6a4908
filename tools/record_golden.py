#!/usr/bin/env python3
"""Records a golden case from a reference model of timm: record_golden.py OUT CASE.json

Needs Python with torch, timm and safetensors; Saccade itself never does. CASE.json says what to
record:

  {"system": "mixer", "class": "timm.models.mlp_mixer.MlpMixer", "seed": 1,
   "config": {"img_size": 24, ...},         arguments of the class; "norm_layer" is an object with
                                            its eps, an "act_layer" a name in ACTIVATIONS
   "input": [2, 3, 24, 24],
   "mid": ["stem", "blocks.0", "norm"]}     submodules whose outputs are kept

Weights are random, norms and biases too, so that no term can be left out unseen. A tolerance is ten
times the largest difference between the run in fp32 and in fp64. For another reference,
import this file and call `record` with a module of your own."""

import functools
import importlib
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

ACTIVATIONS = {
    "gelu": torch.nn.GELU,
    "gelu_tanh": functools.partial(torch.nn.GELU, approximate="tanh"),
    "relu": torch.nn.ReLU,
    "silu": torch.nn.SiLU,
}


def arguments(config):
    """The constructor's arguments: layers named in JSON become classes."""
    out = dict(config)
    if isinstance(out.get("norm_layer"), dict):
        out["norm_layer"] = functools.partial(torch.nn.LayerNorm, eps=out["norm_layer"]["eps"])
    if "act_layer" in out:
        out["act_layer"] = ACTIVATIONS[out["act_layer"]]
    return out


def randomise(module, seed):
    """Every parameter at random, of a size that keeps activations near 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                parameter.copy_(noise * (parameter.shape[0] / parameter.numel()) ** 0.5)
            else:
                parameter.copy_(0.1 * noise + (1.0 if name.endswith("weight") else 0.0))


def run(module, images, mid):
    """All tensors of one evaluation, by golden name."""
    found = {}
    modules = dict(module.named_modules())
    hooks = [modules[name].register_forward_hook(
        lambda _, __, output, name=name: found.__setitem__(f"mid.{name}", output)) for name in mid]
    with torch.no_grad():
        tokens = module.forward_features(images)
        found["out.features"] = module.forward_head(tokens, pre_logits=True)
        found["out.logits"] = module(images)
    for hook in hooks:
        hook.remove()
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format)
            for name, tensor in found.items()}


def record(out, case, module):
    """Writes the folder `out` for `module`, whose parameters are final."""
    module.eval()
    generator = torch.Generator().manual_seed(case["seed"] + 1)
    images = torch.randn(case["input"], generator=generator)
    single = run(module, images, case["mid"])
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    double = run(module.double(), images.double(), case["mid"])
    tensors = {"in.images": {"role": "in", "dtype": "F32", "shape": case["input"], "stored": True}}
    for name, tensor in sorted(single.items()):
        noise = (tensor.double() - double[name]).abs().max().item()
        tensors[name] = {"role": name.split(".")[0], "dtype": "F32", "shape": list(tensor.shape),
                         "stored": True, "atol": float(f"{max(10 * noise, 1e-7):.0e}"),
                         "rtol": 1e-5}
    described = {key: case[key] for key in ("system", "config", "seed")}
    described |= {"model": case["class"].rsplit(".", 1)[1], "reference": case["class"],
                  "weights": "safetensors", "kind": case["system"], "copyable": True,
                  "params": sum(p.numel() for p in module.parameters()), "tensors": tensors}
    out.mkdir(parents=True, exist_ok=True)
    (out / "case.json").write_text(json.dumps(described, indent=1) + "\n")
    save_file(weights, out / "weights.safetensors")
    save_file({"in.images": images, **single}, out / "golden.safetensors")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    case = json.loads(pathlib.Path(sys.argv[2]).read_text())
    module_name, class_name = case["class"].rsplit(".", 1)
    # A timm beside a torch without torchvision wants these two names.
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}",
                             "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    reference = getattr(importlib.import_module(module_name), class_name)
    module = reference(**arguments(case["config"]))
    randomise(module, case["seed"])
    record(pathlib.Path(sys.argv[1]), case, module)


if __name__ == "__main__":
    main()
