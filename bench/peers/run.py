#!/usr/bin/env python3
"""Measures Saccade beside PyTorch eager, ONNX Runtime and OpenVINO in one run, the peers in turns,
and writes docs/benchmarks/cpu.md and cpu.svg."""

import argparse
import json
import pathlib
import sys

from campaign import Campaign, describe
from chart import chart
from files import Cache
from models import BY_KEY, PRECISIONS
from report import report, write_between_markers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAME = ("rounds", "seconds")  # settings that all rows of one file share


def say(text):
    print(text, file=sys.stderr, flush=True)


def listed(kind, allowed=None):
    """A comma-separated option, of one kind or out of a list."""
    def parse(text):
        values = [kind(word) for word in text.split(",") if word]
        wrong = [word for word in values if (word not in allowed if allowed else word < 1)]
        if wrong or not values:
            known = f"; known: {', '.join(allowed)}" if allowed else "; whole numbers from 1"
            raise argparse.ArgumentTypeError(f"'{text}'{known}")
        return values
    return parse


def positive(kind):
    def parse(text):
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"'{text}' is not above 0")
        return value
    return parse


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example:\n  python bench/peers/run.py --saccade build/release/bin/saccade "
               "--models vit_b,swin_t\n\nA peer that is not installed is left out. See "
               "bench/peers/README.md.")
    parser.add_argument("--saccade", default=ROOT / "build/release/bin/saccade", metavar="PROGRAM",
                        help="the program to measure (default build/release/bin/saccade)")
    parser.add_argument("--models", type=listed(str, list(BY_KEY)), default=list(BY_KEY),
                        metavar="LIST", help=f"of {','.join(BY_KEY)} (default all)")
    parser.add_argument("--threads", type=listed(int), default=[1, 2], metavar="LIST",
                        help="default 1,2")
    parser.add_argument("--batch", type=listed(int), default=[1, 8], metavar="LIST",
                        help="pictures at once; default 1,8")
    parser.add_argument("--precision", type=listed(str, PRECISIONS), default=["fp32", "bf16"],
                        metavar="LIST", help="of fp32,bf16,int8 (default fp32,bf16)")
    parser.add_argument("--seconds", type=positive(float), default=0.5, metavar="S",
                        help="one turn of one peer, without its warm-up (default 0.5)")
    parser.add_argument("--rounds", type=positive(int), default=3, metavar="R",
                        help="turns of each peer in every row (default 3)")
    parser.add_argument("--contention", action="store_true",
                        help="also measure beside a process that occupies one core")
    parser.add_argument("--cache", default=ROOT / "build/peers", metavar="DIR",
                        help="folder for exported models, plans and logs (default build/peers)")
    parser.add_argument("--json", metavar="FILE",
                        help="what was measured, complete after every row "
                             "(default DIR/peers.json)")
    parser.add_argument("--resume", action="store_true",
                        help="keep the rows that FILE has and measure those it lacks")
    parser.add_argument("--docs", default=ROOT / "docs/benchmarks", metavar="DIR",
                        help="where cpu.md and cpu.svg go (default docs/benchmarks)")
    parser.add_argument("--report-only", action="store_true",
                        help="measure nothing, write the report of FILE")
    return parser.parse_args()


def stored(path):
    """What an earlier run has written."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"{path.name}: {error}; --json names what a run has written")


def opened(path, about, settings, resume):
    """The data to add to: that of the file when it is resumed and was made in the same way."""
    fresh = {**about, "settings": settings, "rows": [], "starts": [], "contention": []}
    if not resume or not path.exists():
        return fresh
    data = stored(path)
    changed = [name for name in ("machine", "versions", "program") if data[name] != about[name]]
    changed += [name for name in SAME if data["settings"][name] != settings[name]]
    if changed:
        sys.exit(f"{path.name}: cannot be resumed, it was measured with another "
                 f"{' and '.join(changed)}; leave out --resume to start again")
    return {**data, "settings": settings}


def write_report(data, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "cpu.md"
    before = page.read_text() if page.exists() else "# Speed on a CPU\n\n"
    page.write_text(write_between_markers(before, report(data)))
    (folder / "cpu.svg").write_text(chart(data))
    say(f"wrote {page.name} and cpu.svg")


def measure(options, path):
    """Runs the campaign; an interruption keeps the rows that are complete."""
    program = pathlib.Path(options.saccade).resolve()
    if not program.is_file():
        sys.exit(f"{options.saccade}: there is no such program; run `make build`, or name it with "
                 "--saccade")
    settings = {name: getattr(options, name) for name in (
        "models", "precision", "threads", "batch", "seconds", "rounds", "contention")}
    data = opened(path, describe(str(program)), settings, options.resume)
    campaign = Campaign(settings, Cache(options.cache, program, say), data, path, say)
    try:
        campaign.run()
    except KeyboardInterrupt:
        say(f"interrupted; {len(data['rows'])} rows are in {path.name}, go on with --resume")
        sys.exit(130)
    return data


def main():
    options = arguments()
    path = pathlib.Path(options.json or pathlib.Path(options.cache) / "peers.json")
    if options.report_only:
        data = stored(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = measure(options, path)
    write_report(data, options.docs)


if __name__ == "__main__":
    main()
