#!/usr/bin/env python3
"""Arrows go one way: the rooms of ARCHITECTURE.md and what each may include.

Fails on a forbidden include, on libtorch outside its rooms, on a page that includes another page,
and on two folders that include each other.
"""

import pathlib
import re

import repository

LEAN = ["base", "image", "checkpoint", "data", "metrics", "tasks"]
ROOMS = {
    "base": [], "image": ["base"], "checkpoint": ["base"], "metrics": ["base"],
    "data": ["image", "base"], "tasks": ["image", "data", "metrics", "base"], "nn": ["base"],
    "models": ["nn", "checkpoint", "base"],
    "train": ["models", "tasks", "data", "metrics", "checkpoint", "image", "base"],
    "cli": LEAN + ["models"], "torch": LEAN + ["models", "nn", "train", "cli"],
}
DESK = {"catalogue.h", "model.h", "open.h", "registry.h"}  # of models/, for the rooms outside
TORCH_ROOMS = {"nn", "train", "torch"}
TORCH_DESK = {"model.h", "registry.h"}
THIRD_PARTY = {  # header prefix: the rooms that own it (fmt is everybody's)
    r"torch/|ATen/|c10/": TORCH_ROOMS | {"models"},
    r"spdlog/": {"base"}, r"nlohmann/": {"base"}, r"toml\+\+/": {"base", "train"},
    r"jpeglib|jerror|png\.h": {"image"}, r"hwy/": {"image"}, r"zlib": {"checkpoint"},
    r"CLI/": {"cli", "torch"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)')


def room_of(path):
    """The room a file belongs to: its folder below saccade/, apps/ or (mirrored) tests/."""
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] in ("saccade", "apps", "tests") else ""


def lean_in_models(path):
    """The catalogue's side of models/: pages' headers and configurations, without libtorch."""
    return (path.name.endswith("_config.cpp") or path.stem == "catalogue"
            or (path.suffix == ".h" and path.name not in TORCH_DESK))


def pages(paths):
    configs = {p.name[:-len("_config.cpp")] for p in paths if p.name.endswith("_config.cpp")}
    return {p.name for p in paths if p.parent.name == "models" and p.stem in configs}


def problem(path, header, quoted, page_headers):
    """Why `path` may not include `header`, or None."""
    room, is_test = room_of(path), path.parts[0] == "tests"
    sees_torch = room in TORCH_ROOMS or (room == "models" and (is_test or not lean_in_models(path)))
    sees_torch = sees_torch or path.name in ("model_cases.cpp", "training_cases.cpp")
    if not quoted:
        for prefix, owners in THIRD_PARTY.items():
            if re.match(prefix, header) and not is_test and room not in owners:
                return f"<{header}> belongs to {', '.join(sorted(owners))}"
        torch = re.match(r"torch/|ATen/|c10/", header)
        return "libtorch is not seen here" if torch and not sees_torch else None
    parts = pathlib.PurePosixPath(header).parts
    if parts[0] not in ("saccade", "apps") or len(parts) < 3:
        return None
    target, name = parts[1], parts[-1]
    if (target in TORCH_ROOMS or (target == "models" and name in TORCH_DESK)) and not sees_torch:
        return f"{header} needs libtorch, which is not seen here"
    if is_test:
        return None
    if target != room and target not in ROOMS.get(room, []):
        return f"{room} may not include {target}"
    if target == "models" and name in page_headers:
        own = path.stem.removesuffix("_config") == pathlib.PurePosixPath(name).stem
        if not own and path.name not in ("catalogue.cpp", "registry.cpp"):
            return f"{header} is the page of one system; go through the desk {sorted(DESK)}"
    if target == "models" and room != "models" and name not in DESK:
        return f"{header} is not part of the desk {sorted(DESK)}"
    return None


def main():
    findings = repository.Findings()
    sources = [p for p in repository.files(".h", ".cpp")
               if p.parts[0] in ("saccade", "apps", "tests")]
    page_headers, arrows = pages(sources), {}
    for path in sources:
        if room_of(path) not in ROOMS and path.parts[0] != "tests":
            findings.add(path, 1, "a room that the table of tools/check_layers.py does not know")
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            reason = problem(path, match[2], match[1] == '"', page_headers)
            if reason:
                findings.add(path, number, reason)
            target = str(pathlib.PurePosixPath(match[2]).parent)
            if match[1] == '"' and "/" in match[2] and target != str(path.parent):
                arrows.setdefault((str(path.parent), target), (path, number))
    for (source, target), (path, number) in sorted(arrows.items()):
        if (target, source) in arrows:
            findings.add(path, number, f"{source} and {target} include each other")
    findings.finish(f"{len(sources)} files, {len(arrows)} arrows")


main()
