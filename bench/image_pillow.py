"""The peer of bench_image: Pillow on the same file, one line "task milliseconds" per run.

usage: image_pillow.py PHOTO SIZE RUNS
"""

import sys
import time

import PIL
from PIL import Image, features


def timed(task, run):
    start = time.perf_counter()
    result = run()
    print(task, (time.perf_counter() - start) * 1e3)
    return result


def decode(path):
    with Image.open(path) as picture:
        return picture.convert("RGB")


def target(picture, size):
    width, height = picture.size
    if width <= height:
        return size, int(size * height / width)
    return int(size * width / height), size


def main():
    path, size, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    turbo = features.version("libjpeg_turbo")
    print(f"# Pillow {PIL.__version__}, libjpeg-turbo {turbo}")
    photo = decode(path)
    shape = target(photo, size)
    for _ in range(runs):
        timed("decode", lambda: decode(path))
        timed("resize", lambda: photo.resize(shape, Image.Resampling.BICUBIC))
        timed("decode+resize", lambda: decode(path).resize(shape, Image.Resampling.BICUBIC))


if __name__ == "__main__":
    main()
