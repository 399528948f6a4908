#!/usr/bin/env python3
"""Copies golden cases into tests/golden: copy_golden.py SOURCE SYSTEM/CASE...

SOURCE is the folder that holds the systems. Only cases that their case.json marks copyable are
taken; a case that is there already is replaced. Prints the size: the repository keeps it."""

import json
import pathlib
import shutil
import sys

TARGET = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"


def copy(source, name):
    case = source / name
    if not (case / "case.json").is_file():
        sys.exit(f"{case}: no case.json there")
    if json.loads((case / "case.json").read_text()).get("copyable") is not True:
        sys.exit(f"{case}: not marked copyable; it stays where it is")
    if len(pathlib.PurePosixPath(name).parts) != 2:
        sys.exit(f"{name}: expected SYSTEM/CASE")
    target = TARGET / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(case, target, copy_function=shutil.copyfile)
    for folder in [target, *filter(pathlib.Path.is_dir, target.rglob("*"))]:
        folder.chmod(0o755)
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:]:
        print(f"{name}: {copy(source, name) / 1024:.0f} KiB")
    total = sum(file.stat().st_size for file in TARGET.rglob("*") if file.is_file())
    print(f"tests/golden: {total / 2**20:.1f} MiB")


main()
