"""The order of measuring: rows, in each the peers in turns; fresh starts; a busy neighbour."""

import contextlib
import datetime
import importlib.metadata
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

from files import NotAvailable, program_stamp, replace
from models import BY_KEY, CONTENTION_MODELS, CONTENTION_THREADS
from peers import PACKAGES, PEERS, PeerFailed, make_peer

START_ROUNDS = 2
START_SECONDS = 0.5  # of inferences after a start, to know what one takes


def row_key(row):
    return row["model"], row["precision"], row["threads"], row["batch"]


class Campaign:
    """Measures what `settings` asks for and keeps `data`, and its file, complete after each row."""

    def __init__(self, settings, cache, data, path, say):
        self.settings, self.cache, self.data = settings, cache, data
        self.path, self.say = pathlib.Path(path), say
        self.peers = {name: make_peer(name, cache) for name in PEERS}

    def run(self):
        """Every stage that is asked for and not yet in the data."""
        try:
            self._rows()
            self._starts()
            if self.settings["contention"]:
                self._contention()
        finally:
            for peer in self.peers.values():
                peer.close()

    def save(self):
        replace(self.path, (json.dumps(self.data, indent=1) + "\n").encode())

    def _rows(self):
        wanted = [dict(zip(("precision", "model", "threads", "batch"), values))
                  for values in itertools.product(*(self.settings[name] for name in (
                      "precision", "models", "threads", "batch")))]
        done = {row_key(row) for row in self.data["rows"]}
        begin = time.monotonic()
        for number, row in enumerate(wanted, 1):
            if row_key(row) in done:
                continue
            measured = self._row(row)
            self.data["rows"].append(measured)
            self.data["idle_share"] = {name: peer.idle_share()
                                       for name, peer in self.peers.items()}
            self.save()
            minutes = (time.monotonic() - begin) / 60
            self.say(f"[{number}/{len(wanted)}, {minutes:.1f} min] {row_text(measured)}")

    def _row(self, row):
        measured = {**row, "peers": {}}
        ready = self._prepare(row, measured["peers"])
        best = None
        for name in self._turns(ready):
            slice_ = self._slice(name, measured["peers"])
            if name == "saccade" and slice_ and (best is None or slice_["min"] < best):
                best, measured["saccade_report"] = slice_["min"], self.peers[name].last
        return measured

    def _prepare(self, row, results):
        """Loads the row's model into every peer; returns the names of those that could."""
        ready = []
        for name, peer in self.peers.items():
            try:
                about = peer.prepare(BY_KEY[row["model"]], row["precision"], row["threads"],
                                     row["batch"])
                results[name] = {"about": about, "rounds": []}
                ready.append(name)
            except (NotAvailable, PeerFailed) as reason:
                results[name] = {"unavailable": str(reason)}
        return ready

    def _turns(self, names):
        """Every name once in each round; each round begins with another one, so that nobody always
        runs behind the same neighbour."""
        for number in range(self.settings["rounds"]):
            turn = number % max(1, len(names))
            yield from names[turn:] + names[:turn]

    def _slice(self, name, results, kind="rounds"):
        """One turn of a peer; a peer that fails is out of the row."""
        if "unavailable" in results[name]:
            return None
        try:
            slice_ = self.peers[name].run(self.settings["seconds"])
        except PeerFailed as reason:
            results[name] = {"unavailable": str(reason)}
            return None
        results[name].setdefault(kind, []).append(slice_)
        return slice_

    def _starts(self):
        """From a fresh process to the first answer, files in the page cache."""
        threads = max(self.settings["threads"])
        done = {start["model"] for start in self.data["starts"]}
        for key in self.settings["models"]:
            if key in done:
                continue
            begins = {name: [] for name in PEERS}
            for _ in range(START_ROUNDS):
                for name in PEERS:
                    with contextlib.suppress(NotAvailable, PeerFailed):
                        begins[name].append(self._start(name, BY_KEY[key], threads))
            peers = {name: min(found, key=lambda start: start["first_answer_ms"])
                     for name, found in begins.items() if found}
            self.data["starts"].append({"model": key, "threads": threads, "peers": peers})
            self.save()
            self.say(f"start of {key}: " + ", ".join(
                f"{name} {start['first_answer_ms']:.0f} ms, {start['rss_mb']:.0f} MiB"
                for name, start in peers.items()))

    def _start(self, name, model, threads):
        peer = make_peer(name, self.cache)
        try:
            about = peer.prepare(model, "fp32", threads, 1)
            if name == "saccade":
                peer.start_like_a_short_run()
            inference = peer.run(START_SECONDS)["p50"]
            if name == "saccade":
                return {"import_ms": 0.0, "first_answer_ms": peer.last["start_ms"],
                        "rss_mb": peer.last["rss_mb"], "inference_ms": inference,
                        "file_bytes": self.cache.plan(model, "fp32").stat().st_size}
            file = self.cache.weights(model) if name == "torch" else self.cache.onnx(model)
            return {"import_ms": 1e3 * peer.import_seconds, "inference_ms": inference,
                    "first_answer_ms": about["first_answer_ms"], "rss_mb": about["rss_mb"],
                    "file_bytes": file.stat().st_size}
        finally:
            peer.close()

    def _contention(self):
        """The same model alone and beside a process that occupies one core, in turns."""
        chosen = [key for key in CONTENTION_MODELS if key in self.settings["models"]]
        done = {row["model"] for row in self.data["contention"]}
        for key in chosen or self.settings["models"][:1]:
            if key in done:
                continue
            row = {"model": key, "precision": "fp32", "threads": CONTENTION_THREADS, "batch": 1,
                   "peers": {}}
            ready = self._prepare(row, row["peers"])
            for name in self._turns(ready):
                self._slice(name, row["peers"], "rounds")
                with busy_process():
                    self._slice(name, row["peers"], "busy")
            self.data["contention"].append(row)
            self.save()
            self.say(f"{key} beside a busy process: done")


@contextlib.contextmanager
def busy_process():
    """A process that takes all it can get of the last core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        yield
    finally:
        process.kill()
        process.wait()


def row_text(row):
    """One line of progress."""
    times = []
    for name, peer in row["peers"].items():
        rounds = peer.get("rounds")
        least = f"{min(slice_['min'] for slice_ in rounds):.1f}" if rounds else "-"
        times.append(f"{name} {least}")
    return (f"{row['model']} {row['precision']}, threads {row['threads']}, batch {row['batch']}: "
            + ", ".join(times) + " ms")


def installed_bytes(packages):
    """What the files of these packages take on the disk."""
    total = 0
    for package in packages:
        for file in importlib.metadata.files(package) or []:
            with contextlib.suppress(OSError):
                total += pathlib.Path(file.locate()).stat().st_size
    return total


def describe(saccade):
    """Machine, versions and sizes, as `saccade doctor` and the packages' own data say."""
    doctor = json.loads(subprocess.run([saccade, "doctor", "--json"], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout)
    about = {"date": datetime.date.today().isoformat(),
             "machine": {name: doctor[name] for name in (
                 "processor", "instruction_sets", "cores", "memory")},
             "versions": {"saccade": doctor["saccade"]},
             "installed": {"saccade": pathlib.Path(saccade).stat().st_size},
             "program": program_stamp(saccade)}
    for name, packages in PACKAGES.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            for package in packages:
                about["versions"][package] = importlib.metadata.version(package)
            about["installed"][name] = installed_bytes(packages[:1])
    return about
