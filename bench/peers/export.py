"""Makes one file for the peers, in a process of its own: export.py JOB TIMM_NAME SIZE OUTPUT [ONNX]

JOB is export (timm's model with random weights as ONNX, and its state dictionary beside it),
quantise-dynamic or quantise-static (int8 copies of the file ONNX)."""

import os
import pathlib
import sys

CALIBRATION_INPUTS = 4


def load_timm():
    """timm, also where torchvision's compiled part is absent: it only needs the names of two of its
    operators."""
    import torch
    try:
        torch.library.define("torchvision::nms",
                             "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.define("torchvision::qnms",
                             "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass  # torchvision is complete and has defined them
    import timm
    return timm


def export(name, size, output):
    """Random weights from a fixed seed; the batch is a free dimension.

    Some models begin with a head or norms of zeros, which would make every answer zero and every
    comparison empty: all parameters get a little noise."""
    import torch
    timm = load_timm()
    torch.manual_seed(0)
    model = timm.create_model(name).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    torch.save(model.state_dict(), output.with_suffix(".pt"))
    partial = output.with_suffix(".part")
    # Two pictures: a batch of one would let the exporter drop the batch from reshapes.
    torch.onnx.export(model, torch.randn(2, 3, size, size), str(partial), dynamo=False,
                      opset_version=17, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
    os.replace(partial, output)


def quantise_dynamic(source, output):
    from onnxruntime.quantization import quantize_dynamic
    quantize_dynamic(source, output)


def quantise_static(source, output, size):
    """QDQ with unsigned activations and a scale for each output channel of the weights."""
    import numpy
    from onnxruntime import quantization

    class Pictures(quantization.CalibrationDataReader):
        """Standard normal inputs: the weights are random, only the speed is of interest."""

        def __init__(self):
            chance = numpy.random.default_rng(0)
            shape = (1, 3, size, size)
            self.inputs = iter([chance.standard_normal(shape, dtype=numpy.float32)
                                for _ in range(CALIBRATION_INPUTS)])

        def get_next(self):
            values = next(self.inputs, None)
            return None if values is None else {"x": values}

    quantization.quantize_static(
        source, output, Pictures(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm", "Conv"])


def main():
    job, name, size, output = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    if job == "export":
        export(name, size, output)
        return
    partial = output.with_suffix(".part")
    if job == "quantise-dynamic":
        quantise_dynamic(sys.argv[5], partial)
    else:
        quantise_static(sys.argv[5], partial, size)
    os.replace(partial, output)


if __name__ == "__main__":
    main()
