#!/usr/bin/env python3
"""Writes the table of all presets into docs/zoo/README.md: zoo_table.py [PROGRAM]

PROGRAM is the `saccade` to ask, by default that of the release or the lean build."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "zoo" / "README.md"
BEGIN, END = "<!-- saccade models --markdown -->\n", "<!-- end -->"


def main():
    built = [ROOT / "build" / preset / "bin" / "saccade" for preset in ("release", "lean")]
    programs = sys.argv[1:] or [str(program) for program in built if program.exists()]
    if not programs:
        sys.exit("there is no build/release/bin/saccade; run make build, or name a program")
    table = subprocess.run([programs[0], "models", "--markdown"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.split(END)[1])


main()
