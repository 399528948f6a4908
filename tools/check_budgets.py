#!/usr/bin/env python3
"""Sizes that keep the house readable: files, functions, folders and lines (CONTRIBUTING.md)."""

import collections
import re

import repository

FILE_LINES, FUNCTION_LINES, LINE_LENGTH, FOLDER_PAIRS = 600, 60, 100, 12
# Folders where one name is one pair, so that their number is not a matter of taste.
WIDE_FOLDERS = re.compile(
    r"^(saccade/(models|nn|ops|compile/passes|base)|apps/(cli|torch)|tests/[^/]+)$")
CONTROL = re.compile(r"^(if|for|while|switch|catch|do|else|try|return|namespace|enum|extern)\b")
FUNCTION = re.compile(
    r"\)\s*(const|noexcept(\s*\([^)]*\))?|override|final|mutable|try|&&?|->[^=]*|:[^:].*"
    r"|requires.*)*\s*$", re.S)
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def blank(match):
    """Comments and literals become spaces; lines stay where they are."""
    return re.sub(r"[^\n]", " ", match[0])


def functions(source):
    """(first line, lines) of every function body that is not inside another one."""
    code = NOT_CODE.sub(blank, source)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", blank, code, flags=re.M)
    start, depth, inside = 0, 0, None
    for match in re.finditer(r"[{};]", code):
        if match[0] == "{":
            depth += 1
            head = code[start:match.start()].strip()
            if inside is None and FUNCTION.search(head) and not CONTROL.match(head):
                inside = (depth, match.start())
        elif match[0] == "}":
            if inside and inside[0] == depth:
                first = code.count("\n", 0, inside[1]) + 1
                yield first, code.count("\n", 0, match.start()) + 2 - first
                inside = None
            depth -= 1
        start = match.end()


def main():
    findings = repository.Findings()
    folders, count = collections.defaultdict(set), 0
    for path in repository.files(".h", ".cpp", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        source = repository.text(path)
        lines = source.splitlines()
        count += 1
        if len(lines) > FILE_LINES:
            findings.add(path, len(lines), f"{len(lines)} lines; a file has at most {FILE_LINES}")
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_LENGTH:
                findings.add(path, number, f"{len(line)} characters; at most {LINE_LENGTH}")
        if path.suffix in (".h", ".cpp"):
            if path.suffix == ".cpp" and (repository.ROOT / path.with_suffix(".h")).exists():
                folders[str(path.parent)].add(path.stem)
            for first, length in functions(source):
                if length > FUNCTION_LINES:
                    findings.add(path, first, f"a function of {length} lines; at most "
                                 f"{FUNCTION_LINES}")
    for folder, stems in sorted(folders.items()):
        if len(stems) > FOLDER_PAIRS and not WIDE_FOLDERS.match(folder):
            findings.add(folder, 1, f"{len(stems)} pairs of files; a folder has at most "
                         f"{FOLDER_PAIRS}")
    findings.finish(f"{count} files")


main()
