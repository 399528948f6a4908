#!/usr/bin/env python3
"""Words that do not belong in the repository: paths of one machine, hosts of package registries
(PyTorch's public CPU wheel index excepted), notes to oneself."""

import re

import repository

# Written in pieces, so that this file passes its own check.
FOLDERS = ["ho" "me", "ro" "ot", "wo" "rk", "Us" "ers", "op" "t"]
PATHS = r"(?<![\w.$}])/(?:" + "|".join(FOLDERS) + r")/\w"
HOSTS = "|".join(["pypi" r"\.org", "python" r"hosted\.org", "npm" r"js\.(?:org|com)",
                  "deb" r"\.debian\.org", "crates" r"\.io", "proxy" r"\.golang\.org",
                  "download" r"\.pytorch\.org(?!/whl/cpu\b)"])
NOTES = r"\b(?:" + "|".join(["TO" "DO", "FIX" "ME", "X" "XX"]) + r")\b"
RULES = [(re.compile(PATHS), "a path of one machine"),
         (re.compile(HOSTS), "a host of a package registry"),
         (re.compile(NOTES), "a note to oneself; do it or file an issue")]
DATA = (".safetensors", ".pth", ".npz", ".npy", ".png", ".jpg", ".bin", ".tsv")


def main():
    findings = repository.Findings()
    paths = [p for p in repository.files()
             if p.suffix not in DATA and p.parts[:2] != ("tests", "golden")
             and "corpus" not in p.parts]
    for path in paths:
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            for pattern, reason in RULES:
                match = pattern.search(line)
                if match:
                    findings.add(path, number, f"'{match[0]}': {reason}")
    findings.finish(f"{len(paths)} files")


main()
