"""One peer in a process of its own: worker.py torch|onnxruntime|openvino

Reads requests as lines of JSON on stdin and answers each with a line on stdout:
  {"do": "prepare", "precision", "threads", "batch", "size", ...}  loads, answers once, warms up
  {"do": "run", "seconds"}                                         -> {"times": [seconds, ...]}
Between requests it blocks in a read and uses no processor. A request that fails is answered with
{"error"}; one that the peer cannot do at all with {"not_available"}."""

import collections
import json
import os
import sys
import time

import numpy

from files import NotAvailable

WARM_UP_RUNS, WARM_UP_SECONDS = 2, 0.25  # whichever is reached first, at least one run
SAMPLE = 16  # leading numbers of the answer, to see that the peers compute the same


def pictures(batch, size):
    """[batch, 3, size, size] fp32, the same numbers for every peer."""
    return numpy.random.default_rng(1).standard_normal((batch, 3, size, size),
                                                       dtype=numpy.float32)


class Torch:
    """PyTorch eager, as a user of timm runs it."""

    def __init__(self):
        import torch

        from export import load_timm
        self.torch, self.timm = torch, load_timm()

    def load(self, request):
        torch = self.torch
        if request["precision"] == "int8":
            raise NotAvailable("PyTorch has no eager int8 path for these models")
        torch.set_num_threads(request["threads"])
        model = self.timm.create_model(request["timm"])
        model.load_state_dict(torch.load(request["file"], mmap=True), assign=True)
        x = torch.from_numpy(pictures(request["batch"], request["size"]))
        if request["precision"] == "bf16":
            model, x = model.to(torch.bfloat16), x.to(torch.bfloat16)
        model.eval()

        def infer():
            with torch.inference_mode():
                return model(x)
        return infer, lambda answer: answer.float().numpy(), {}


class OnnxRuntime:
    """ONNX Runtime's CPU provider with everything at its default but the number of threads and the
    size of the batch, which it is told so that it can plan for it."""

    def __init__(self):
        import onnxruntime
        self.library = onnxruntime

    def load(self, request):
        if request["precision"] == "bf16":
            raise NotAvailable("ONNX Runtime's CPU provider has no bf16 kernels for x86")
        options = self.library.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.add_free_dimension_override_by_name("n", request["batch"])
        session = self.library.InferenceSession(request["file"], options,
                                                providers=["CPUExecutionProvider"])
        inputs = {"x": pictures(request["batch"], request["size"])}
        return lambda: session.run(None, inputs), lambda answer: answer[0], {}


class OpenVino:
    """OpenVINO's CPU plugin, tuned for latency at the given batch."""

    def __init__(self):
        import openvino
        self.library, self.core = openvino, openvino.Core()

    def load(self, request):
        x = pictures(request["batch"], request["size"])
        model = self.core.read_model(request["file"])
        model.reshape(x.shape)
        hint = "bf16" if request["precision"] == "bf16" else "f32"
        capabilities = self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if hint == "bf16" and "BF16" not in capabilities:
            raise NotAvailable("OpenVINO computes no bf16 on this processor")
        compiled = self.core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": request["threads"],
            "INFERENCE_PRECISION_HINT": hint})
        inference, inputs = compiled.create_infer_request(), {0: self.library.Tensor(x, True)}

        def infer():
            return inference.infer(inputs, share_inputs=True, share_outputs=True)
        return infer, lambda answer: answer[0], {"kernels": kernels(compiled)}


def kernels(compiled):
    """Type -> how many matrix products OpenVINO runs in it: a hint is not yet a kernel."""
    nodes = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    return dict(collections.Counter(
        str(node["runtimePrecision"].value) for node in nodes
        if node["layerType"].value in ("FullyConnected", "MatMul", "Convolution")))


def resident_mib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))


class Server:
    """Holds one loaded model; the next `prepare` replaces it."""

    def __init__(self, peer):
        self.peer, self.infer = peer, None

    def prepare(self, request):
        self.infer = None
        start = time.perf_counter()
        infer, numbers, about = self.peer.load(request)
        answer = infer()
        first = time.perf_counter() - start
        self.infer = infer
        return {"first_answer_ms": 1e3 * first, "rss_mb": resident_mib(),
                "sample": [float(value) for value in numbers(answer).ravel()[:SAMPLE]], **about}

    def run(self, request):
        begin = time.perf_counter()
        for _ in range(WARM_UP_RUNS):
            self.infer()
            if time.perf_counter() - begin > WARM_UP_SECONDS:
                break
        times, begin = [], time.perf_counter()
        while not times or time.perf_counter() - begin < request["seconds"]:
            start = time.perf_counter()
            self.infer()
            times.append(time.perf_counter() - start)
        return {"times": times}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print does not get between the answers

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    peer = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino}[sys.argv[1]]
    server = Server(peer())
    answer({"ready": sys.argv[1]})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer({"prepare": server.prepare, "run": server.run}[request["do"]](request))
        except NotAvailable as reason:
            answer({"not_available": str(reason)})
        except Exception as error:  # whatever a library throws is this row's result
            answer({"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]})


if __name__ == "__main__":
    main()
