#!/usr/bin/env python3
"""What the documents name exists: relative links, paths in `backticks`, `make` targets and verbs in
code blocks."""

import pathlib
import re

import repository

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\s]+)`")
COMMAND = re.compile(r"^\$?\s*(?:\S*/)?(make|saccade|saccade-torch)(?:\s+([a-z][a-z-]*))?")
PLACES = {"apps", "assets", "bench", "cmake", "docs", "examples", "recipes", "saccade", "tests",
          "tools", ".ci"}


def exists(name):
    """True for a path below the root; `*` and `{a,b}` need one match each."""
    choice = re.search(r"\{([^}]*)\}", name)
    if choice:
        return all(exists(name[:choice.start()] + part + name[choice.end():])
                   for part in choice[1].split(","))
    if "*" in name:
        return any(repository.ROOT.glob(name.rstrip("/")))
    return (repository.ROOT / name).exists()


def broken_path(path, line):
    """The paths that a line of text names and that are not there."""
    for match in LINK.finditer(line):
        if "://" not in match[1] and not match[1].startswith("mailto:"):
            if not (repository.ROOT / path.parent / match[1]).exists():
                yield match[1]
    for match in QUOTED.finditer(line):
        name = match[1].rstrip(".,;:")
        first = pathlib.PurePosixPath(name).parts[:1]
        if "/" in name and first and first[0] in PLACES and not re.search(r"[<>$]|\.\.\.", name):
            if not exists(re.sub(r":\d+$", "", name)):
                yield name


def main():
    findings = repository.Findings()
    targets = set(re.findall(r"^([a-z]+):", repository.text("Makefile"), re.M))
    apps = "\n".join(repository.text(p) for p in repository.files(".cpp", under="apps/"))
    verbs = set(re.findall(r'"([a-z]+)"', apps))
    paths = [p for p in repository.files(".md") if p.parts[:2] != ("tests", "golden")]
    for path in paths:
        in_code = False
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            if line.lstrip().startswith("```"):
                in_code = not in_code
                continue
            if not in_code:
                for name in broken_path(path, line):
                    findings.add(path, number, f"'{name}' does not exist")
                continue
            command = COMMAND.match(line.strip())
            if not command or not command[2]:
                continue
            known = targets if command[1] == "make" else verbs
            if command[2] not in known:
                findings.add(path, number, f"'{command[1]} {command[2]}': there is no such command")
    findings.finish(f"{len(paths)} documents")


main()
