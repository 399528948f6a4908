"""The files that are measured, made once and kept in the cache folder: random weights of timm's
models as a state dictionary and as ONNX, quantised copies of that, and Saccade's plans."""

import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import zlib

CALIBRATION_PICTURES = 16


class NotAvailable(Exception):
    """A peer cannot do this; the message says why, in a line that goes into the report."""


class Cache:
    """Paths below the cache folder, each made on first use."""

    def __init__(self, folder, saccade, say):
        self.folder = pathlib.Path(folder)
        self.saccade = str(saccade)
        self.say = say
        self.refused = {}  # file -> why it cannot be made; nothing is tried twice
        self.folder.mkdir(parents=True, exist_ok=True)

    def log(self, name):
        return self.folder / f"{name}.log"

    def weights(self, model):
        """timm's state dictionary; exported together with the ONNX file."""
        self.onnx(model)
        return self.folder / f"{model.key}.pt"

    def onnx(self, model, precision="fp32", peer="onnxruntime"):
        """ONNX with a free batch size. int8 is ONNX Runtime's own dynamic quantisation, which is
        what its users run; OpenVINO executes the statically quantised form (QDQ)."""
        if precision != "int8":
            return self._script("export", self.folder / f"{model.key}.onnx", model)
        source = self.onnx(model)
        kind = "static" if peer == "openvino" else "dynamic"
        return self._script(f"quantise-{kind}", self.folder / f"{model.key}-{kind}8.onnx", model,
                            str(source))

    def _script(self, job, path, model, *arguments):
        """Runs one job of export.py in a process of its own, which returns what it took."""
        if not path.exists():
            self._make(path, [sys.executable, str(pathlib.Path(__file__).with_name("export.py")),
                              job, model.timm, str(model.size), str(path), *arguments])
        return path

    def plan(self, model, precision):
        """Saccade's plan, compiled again whenever the program is another one."""
        path = self.folder / f"{model.key}-{precision}.plan"
        stamp = path.with_suffix(".stamp")
        if path.exists() and stamp.exists() and stamp.read_text() == program_stamp(self.saccade):
            return path
        command = [self.saccade, "compile", model.saccade, "-o", str(path), "--json"]
        if precision != "fp32":
            command += ["--precision", precision]
        if precision == "int8":
            command += ["--calibrate", str(self.pictures())]
        self._make(path, command)
        stamp.write_text(program_stamp(self.saccade))
        return path

    def pictures(self):
        """Pictures to calibrate int8 with: smooth random colours (the weights are random too)."""
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        for index in range(CALIBRATION_PICTURES):
            path = folder / f"{index:02}.png"
            if not path.exists():
                replace(path, random_picture(index))
        return folder

    def _make(self, path, command):
        if path in self.refused:
            raise NotAvailable(self.refused[path])
        self.say(f"making {path.name}")
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with self.log("files").open("a") as log:
            log.write(f"$ {' '.join(command)}\n{made.stderr}\n")
        if made.returncode != 0:
            lines = [line for line in made.stderr.splitlines() if line.strip()]
            errors = [line for line in lines if not line.startswith("hint:")]
            self.refused[path] = (errors or [f"exit code {made.returncode}"])[-1].strip()
            raise NotAvailable(self.refused[path])


def program_stamp(program):
    """What tells one build of a program from another."""
    state = pathlib.Path(program).stat()
    return json.dumps({"size": state.st_size, "time": state.st_mtime_ns})


def replace(path, data):
    """Writes a file that is complete or not there."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    os.replace(partial, path)


def random_picture(seed, size=256):
    """The bytes of a PNG: a bilinear blend of four random colours with a little noise."""
    chance = random.Random(seed)
    corners = [[chance.randrange(256) for _ in range(3)] for _ in range(4)]
    rows = bytearray()
    for y in range(size):
        rows.append(0)  # filter "none"
        for x in range(size):
            u, v = x / size, y / size
            shares = ((1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v)
            for channel in range(3):
                value = sum(s * corner[channel] for s, corner in zip(shares, corners))
                rows.append(min(255, max(0, round(value + chance.uniform(-24, 24)))))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))
