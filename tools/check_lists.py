#!/usr/bin/env python3
"""Lists that grow by one line for each new thing are sorted: two branches rarely meet in one line.

A list opens with a comment `// sorted` (or `# sorted`) on a line of its own or at a line's end, and
ends at the first line that is empty or only closes a bracket. The registries named below must have
such a list."""

import re

import repository

REGISTRIES = ["saccade/models/catalogue.cpp", "saccade/models/registry.cpp"]
MARK = re.compile(r"(//|#) sorted\s*$")
END = re.compile(r"^\s*([\])}]+[;,]?\s*)*$")


def main():
    findings = repository.Findings()
    lists, marked = 0, set()
    for path in repository.files(".h", ".cpp", ".txt", ".cmake", ".py", ".sh"):
        previous = None
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            if MARK.search(line):
                previous, lists = "", lists + 1
                marked.add(str(path))
            elif previous is None:
                continue
            elif END.match(line):
                previous = None
            else:
                key = line.strip().strip(",")
                if key < previous:
                    findings.add(path, number, f"'{key}' stands before '{previous}'")
                previous = key
    for registry in REGISTRIES:
        if (repository.ROOT / registry).exists() and registry not in marked:
            findings.add(registry, 1, "a registry without a list marked '// sorted'")
    findings.finish(f"{lists} lists")


main()
