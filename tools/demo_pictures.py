#!/usr/bin/env python3
"""Fetches the demo's photographs: demo_pictures.py FOLDER. Does nothing if they are there.

They come out of the scikit-image package, which bundles them with its sample data. Exit code 1 if
no package registry can be reached."""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What skimage/data/_fetchers.py says about each.
PICTURES = {
    "chelsea.png": "Chelsea the cat, by Stefan van der Walt. CC0.",
    "rocket.jpg": "Launch of DSCOVR on a Falcon 9, by SpaceX. Public domain.",
}


def pip(folder):
    """A pip: of the Python that runs this, of the project's environment, else one in `folder`."""
    for python in (pathlib.Path(sys.executable), ROOT / ".venv" / "bin" / "python"):
        if python.exists() and not subprocess.run(
                [python, "-m", "pip", "--version"], capture_output=True).returncode:
            return [python, "-m", "pip"]
    environment = pathlib.Path(folder) / "pip"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True, capture_output=True)
    return [environment / "bin" / "python", "-m", "pip"]


def fetch(folder):
    with tempfile.TemporaryDirectory() as download:
        subprocess.run(
            pip(download) + ["download", "--quiet", "--disable-pip-version-check", "--no-deps",
                     "--only-binary=:all:", "--retries", "1", "--timeout", "30", "--dest", download,
                     "scikit-image"], check=True, stdout=subprocess.DEVNULL)
        wheel = next(pathlib.Path(download).glob("*.whl"))
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in PICTURES:
                partial = folder / (name + ".part")
                partial.write_bytes(archive.read(f"skimage/data/{name}"))
                os.replace(partial, folder / name)


def main():
    folder = ROOT / sys.argv[1]
    if not all((folder / name).exists() for name in PICTURES):
        print(f"demo: fetching photographs into {sys.argv[1]} (from the package scikit-image)")
        try:
            fetch(folder)
        except subprocess.CalledProcessError:
            print("demo: pip could not fetch scikit-image (its reason is above)", file=sys.stderr)
            return 1
        except (StopIteration, KeyError, OSError) as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    for name, licence in PICTURES.items():
        print(f"demo: {sys.argv[1]}/{name}: {licence}")
    return 0


sys.exit(main())
