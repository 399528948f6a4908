"""The four that are compared, each behind the same three calls: prepare, run, close."""

import contextlib
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from files import NotAvailable

PEERS = ("saccade", "torch", "onnxruntime", "openvino")
PACKAGES = {"torch": ("torch", "timm"), "onnxruntime": ("onnxruntime",), "openvino": ("openvino",)}
TITLES = {"saccade": "Saccade", "torch": "PyTorch eager", "onnxruntime": "ONNX Runtime",
          "openvino": "OpenVINO"}
WORKER = pathlib.Path(__file__).with_name("worker.py")
# Thread pools spin for a moment after their last task before they sleep; nobody is measured then.
SETTLE_SECONDS = 0.1


class PeerFailed(Exception):
    """A peer's process died or answered nonsense; the message says what it left behind."""


def in_page_cache(path):
    """Reads the file once: loading from the disk is not what is compared."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


class Library:
    """PyTorch, ONNX Runtime or OpenVINO in a worker process that sleeps between requests."""

    def __init__(self, name, cache):
        self.name, self.cache, self.process = name, cache, None
        self.import_seconds = None
        self.idle = (0.0, 0.0)  # seconds of waiting, seconds of processor time used meanwhile
        self.asleep_since = None

    def prepare(self, model, precision, threads, batch):
        """Loads the model; returns what the worker says about its first answer."""
        if importlib.util.find_spec(self.name) is None:
            raise NotAvailable(f"the package {self.name} is not installed")
        file = (self.cache.weights(model) if self.name == "torch"
                else self.cache.onnx(model, precision, self.name))
        in_page_cache(file)
        return self._ask({"do": "prepare", "file": str(file), "timm": model.timm,
                          "size": model.size, "precision": precision, "threads": threads,
                          "batch": batch})

    def run(self, seconds):
        """{"min", "p50", "runs"} of one slice, milliseconds."""
        times = [1e3 * value for value in self._ask({"do": "run", "seconds": seconds})["times"]]
        return {"min": min(times), "p50": statistics.median(times), "runs": len(times)}

    def close(self):
        """Ends the worker; returns the exit code of its process."""
        process, self.process, self.asleep_since = self.process, None, None
        if process is None:
            return None
        with contextlib.suppress(BrokenPipeError):  # a request that nobody will read
            process.stdin.close()
        process.stdout.close()
        try:
            return process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def idle_share(self):
        """Processor time that the worker used per second while others were measured."""
        waited, used = self.idle
        return used / waited if waited > 0 else 0.0

    def _start(self):
        begin = time.perf_counter()
        with self.cache.log(self.name).open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(WORKER), self.name], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True)
        self._answer()
        self.import_seconds = time.perf_counter() - begin

    def _ask(self, request):
        if self.process is None:
            self._start()
        self._note_idle()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the process is gone; _answer says so
        answer = self._answer()
        time.sleep(SETTLE_SECONDS)
        self.asleep_since = (time.monotonic(), processor_seconds(self.process.pid))
        if "not_available" in answer:
            raise NotAvailable(answer["not_available"])
        if "error" in answer:
            raise PeerFailed(answer["error"])
        return answer

    def _note_idle(self):
        if self.asleep_since is not None:
            since, used = self.asleep_since
            self.idle = (self.idle[0] + time.monotonic() - since,
                         self.idle[1] + processor_seconds(self.process.pid) - used)

    def _answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        log = self.cache.log(self.name).name
        raise PeerFailed(f"its process ended with {self.close()}; see {log} in the cache folder")


class Saccade:
    """The command line program, as its user runs it: `compile` once, then `bench`."""

    def __init__(self, cache):
        self.name, self.cache, self.command = "saccade", cache, None
        self.last = None  # the whole report of the newest slice

    def prepare(self, model, precision, threads, batch):
        plan = self.cache.plan(model, precision)
        in_page_cache(plan)
        self.command = [self.cache.saccade, "bench", str(plan), "--threads", str(threads),
                        "--batch", str(batch), "--json"]
        return {}

    def run(self, seconds):
        made = subprocess.run([*self.command, "--seconds", str(seconds)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if made.returncode != 0:
            raise PeerFailed((made.stderr.strip() or f"exit code {made.returncode}")[:300])
        self.last = json.loads(made.stdout)
        return {"min": self.last["ms"]["min"], "p50": self.last["ms"]["p50"],
                "runs": self.last["runs"]}

    def start_like_a_short_run(self):
        """As `classify` opens a plan; `bench` reads it into large pages first."""
        self.command.append("--mmap")

    def close(self):
        """Nothing runs between two slices."""

    def idle_share(self):
        return 0.0


def processor_seconds(pid):
    """User and system time of all threads of a process."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_peer(name, cache):
    return Saccade(cache) if name == "saccade" else Library(name, cache)
