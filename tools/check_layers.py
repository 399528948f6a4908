#!/usr/bin/env python3
"""Arrows go one way: the rooms of ARCHITECTURE.md and what each may include.

Fails on a forbidden include, on libtorch outside its rooms, on a page that includes another page,
and on two folders that include each other.
"""

import pathlib
import re

import repository

LEAN = ["base", "image", "checkpoint", "data", "metrics", "tasks", "ops", "plan", "compile",
        "runtime", "tune"]
ROOMS = {
    "base": [], "image": ["base"], "checkpoint": ["base"], "metrics": ["base"],
    "data": ["image", "base"], "tasks": ["image", "data", "metrics", "base"], "nn": ["base"],
    "models": ["nn", "checkpoint", "base"],
    "ops": ["base"], "plan": ["ops", "base"], "compile": ["plan", "ops", "base"],
    "runtime": ["plan", "ops", "base"], "trace": ["models", "nn", "plan", "ops", "base"],
    "tune": ["compile", "runtime", "plan", "ops", "tasks", "data", "metrics", "image", "base"],
    "train": ["models", "tasks", "data", "metrics", "checkpoint", "image", "base"],
    "cli": LEAN + ["models"], "torch": LEAN + ["models", "nn", "train", "trace", "cli"],
}
DESK = {  # of models/, for the rooms outside
    "catalogue.h", "config.h", "costs.h", "describe.h", "engine.h", "load.h", "model.h", "open.h",
    "registry.h", "verify.h"}
TORCH_ROOMS = {"nn", "train", "trace", "torch"}
TORCH_HEADER = re.compile(r"(torch|ATen|c10)/")
THIRD_PARTY = {  # header prefix: the rooms that own it (fmt is everybody's)
    r"torch/|ATen/|c10/": TORCH_ROOMS | {"models"},
    r"spdlog/": {"base"}, r"nlohmann/": {"base"}, r"toml\+\+/": {"base", "train"},
    r"jpeglib|jerror|png\.h": {"image"}, r"hwy/": {"image", "runtime"}, r"zlib": {"checkpoint"},
    r"CLI/": {"cli", "torch"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)')


def room_of(path):
    """The room a file belongs to: its folder below saccade/, apps/ or (mirrored) tests/."""
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] in ("saccade", "apps", "tests") else ""


def read_includes(paths):
    """For each file: (line, header, quoted) of every include."""
    found = {}
    for path in paths:
        lines = repository.text(path).splitlines()
        matches = ((number, INCLUDE.match(line)) for number, line in enumerate(lines, 1))
        found[path] = [(number, m[2], m[1] == '"') for number, m in matches if m]
    return found


def torch_headers(includes):
    """The headers of ours that bring libtorch with them, directly or through another header."""
    seeing, grown = set(), True
    while grown:
        before = len(seeing)
        for path, rows in includes.items():
            if any(header in seeing or TORCH_HEADER.match(header) for _, header, _ in rows):
                seeing.add(str(path))
        grown = len(seeing) > before
    return seeing


def may_see_torch(path):
    """The rooms of libtorch, their tests, and models/ without its lean half, the catalogue."""
    if path.name in ("model_cases.cpp", "training_cases.cpp", "torch_headers.cpp"):
        return True
    if room_of(path) != "models":
        return room_of(path) in TORCH_ROOMS | {"parity"}
    lean = path.name.endswith("_config.cpp") or path.stem in ("catalogue", "config", "describe")
    return path.suffix == ".h" or not lean or path.parts[0] == "tests"


def page_headers(paths):
    """The pages of models/: three files of one stem, <system>.h, .cpp and _config.cpp."""
    names = {p.name for p in paths if p.parent.name == "models" and p.parts[0] == "saccade"}
    return {n for n in names if n.endswith(".h")
            and {n[:-2] + ".cpp", n[:-2] + "_config.cpp"} <= names}


def problem(path, header, quoted, pages, with_torch):
    """Why `path` may not include `header`, or None."""
    room, is_test = room_of(path), path.parts[0] == "tests"
    if (TORCH_HEADER.match(header) or header in with_torch) and not may_see_torch(path):
        return f"{header}: libtorch is not seen here"
    if is_test:
        return None
    if not quoted:
        for prefix, owners in THIRD_PARTY.items():
            if re.match(prefix, header) and room not in owners:
                return f"<{header}> belongs to {', '.join(sorted(owners))}"
        return None
    parts = pathlib.PurePosixPath(header).parts
    if parts[0] not in ("saccade", "apps") or len(parts) < 3:
        return None
    target, name = parts[1], parts[-1]
    if target != room and target not in ROOMS.get(room, []):
        return f"{room} may not include {target}"
    if target == "models" and name in pages:
        own = path.stem.removesuffix("_config") == name[:-2]
        if not own and path.name not in ("catalogue.cpp", "registry.cpp"):
            return f"{header} is the page of one system; only the two registries include pages"
    if target == "models" and room != "models" and name not in DESK:
        return f"{header} is not on the desk of models/: {', '.join(sorted(DESK))}"
    return None


def main():
    findings = repository.Findings()
    sources = [p for p in repository.files(".h", ".cpp")
               if p.parts[0] in ("saccade", "apps", "tests")]
    includes, pages, arrows = read_includes(sources), page_headers(sources), {}
    with_torch = torch_headers(includes)
    for path, rows in includes.items():
        if room_of(path) not in ROOMS and path.parts[0] != "tests":
            findings.add(path, 1, "a room that the table of tools/check_layers.py does not know")
        for number, header, quoted in rows:
            reason = problem(path, header, quoted, pages, with_torch)
            if reason:
                findings.add(path, number, reason)
            target = str(pathlib.PurePosixPath(header).parent)
            if quoted and "/" in header and target != str(path.parent):
                arrows.setdefault((str(path.parent), target), (path, number))
    for (source, target), (path, number) in sorted(arrows.items()):
        if (target, source) in arrows:
            findings.add(path, number, f"{source} and {target} include each other")
    findings.finish(f"{len(sources)} files, {len(arrows)} arrows between folders, "
                    f"pages {', '.join(sorted(pages)) or 'none'}")


main()
