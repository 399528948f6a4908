"""What the checks of this folder share: the repository's files, and how a finding is printed."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def files(*suffixes, under=""):
    """Paths relative to the root, of every file that git tracks or would track, sorted."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    names = sorted({name for name in listing.split("\0") if name.startswith(under)})
    return [pathlib.PurePosixPath(name) for name in names
            if (not suffixes or name.endswith(suffixes)) and (ROOT / name).is_file()]


def text(path):
    """The file's text; "" if it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


class Findings:
    """Collects `file:line: reason`; `finish` prints them and ends the program."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, reason):
        self.lines.append(f"{path}:{line}: {reason}")

    def finish(self, checked):
        for line in self.lines:
            print(line)
        name = pathlib.Path(sys.argv[0]).stem
        print(f"{name}: {checked}: {len(self.lines)} findings")
        sys.exit(1 if self.lines else 0)
