"""docs/benchmarks/cpu.svg: relative speed of the peers for every model, as plain SVG."""

import html
import math

from models import BY_KEY, mark_names
from peers import PEERS, TITLES
from ratios import aim, summary

# Dark enough for white figures on them, light enough for a dark page.
COLOURS = {"saccade": "#d9480f", "torch": "#6c757d", "onnxruntime": "#2b8a3e",
           "openvino": "#1971c2"}
# The picture brings its own background, so that it reads the same on any page.
STYLE = """
.page{fill:#ffffff}.ink{fill:#1f2328}.faint{fill:#59636e}.on{fill:#ffffff}
.rule{stroke:#afb8c1}.aim{stroke:#1f2328}
@media(prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#f0f6fc}.faint{fill:#9198a1}
.rule{stroke:#3d444d}.aim{stroke:#f0f6fc}}
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
"""
MARGIN, PANEL, GAP, LABELS, FIGURES = 16, 420, 28, 84, 34  # widths
BAR, BETWEEN_BARS, BETWEEN_MODELS, HEAD = 11, 2, 12, 28  # heights
COLUMNS = 2
PANELS = [(precision, batch) for precision in ("fp32", "bf16", "int8") for batch in (1, 8)]


def chart(data):
    """The whole picture."""
    threads = max((row["threads"] for row in data["rows"]), default=0)
    panels = [panel for panel in (collect(data, *which, threads) for which in PANELS)
              if panel["models"]]
    longest = max((value for panel in panels for speeds in panel["models"].values()
                   for value in (*speeds["bars"].values(), speeds["aim"] or 0.0)), default=1.0)
    heights = [panel_height(panel) for panel in panels]
    body, top = legend(threads), 94
    for first in range(0, len(panels), COLUMNS):
        for column, panel in enumerate(panels[first:first + COLUMNS]):
            body += draw(panel, MARGIN + column * (PANEL + GAP), top, longest)
        top += max(heights[first:first + COLUMNS]) + GAP
    width = 2 * MARGIN + COLUMNS * PANEL + (COLUMNS - 1) * GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" '
            f'height="{top}" role="img" aria-label="Relative speed of Saccade and its peers">\n'
            f"<style>{STYLE}</style>\n"
            f'<rect class="page" width="{width}" height="{top}" rx="6"/>\n'
            + "\n".join(body) + "\n</svg>\n")


def collect(data, precision, batch, threads):
    """What one panel shows: model -> the speed of each peer, 1 being the best that counts."""
    models = {}
    for key in BY_KEY:
        for row in data["rows"]:
            if (row["model"], row["precision"], row["batch"], row["threads"]) != (
                    key, precision, batch, threads):
                continue
            times = {name: found[0] for name in PEERS
                     if (found := summary(row["peers"].get(name, {})))}
            marks = [times[name] for name in mark_names(precision) if name in times]
            if marks:
                models[key] = {"bars": {name: min(marks) / time for name, time in times.items()},
                               "aim": aim(row, data["machine"])}
    return {"title": f"{precision}, batch {batch}", "models": models}


def panel_height(panel):
    bars = sum(len(speeds["bars"]) for speeds in panel["models"].values())
    return HEAD + bars * (BAR + BETWEEN_BARS) + len(panel["models"]) * BETWEEN_MODELS


def text(x, y, words, size=12, kind="ink", anchor="start", weight="normal"):
    return (f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{html.escape(words)}</text>')


def legend(threads):
    """Title and colours."""
    body = [text(MARGIN, 26, f"Speed on {threads} thread{'s' * (threads > 1)}, relative to the "
                 "faster of OpenVINO and ONNX Runtime", 15, weight="bold")]
    x = MARGIN
    for name in PEERS:
        body.append(f'<rect x="{x}" y="41" width="11" height="11" rx="2" fill="{COLOURS[name]}"/>')
        body.append(text(x + 16, 51, TITLES[name]))
        x += 40 + 7 * len(TITLES[name])
    body.append(f'<line class="aim" x1="{x}" x2="{x}" y1="40" y2="54" stroke-width="2"/>')
    body.append(text(x + 8, 51, "aim"))
    body.append('<line class="rule" x1="21" x2="21" y1="61" y2="75" stroke-dasharray="3 2"/>')
    body.append(text(MARGIN + 16, 72, "1.0 is that runtime's speed (int8: OpenVINO's); longer is "
                     "faster; by the shortest times of one run", kind="faint"))
    return body


def draw(panel, left, top, longest):
    """One panel: its models below each other, a bar for each peer that has a time."""
    scale = (PANEL - LABELS) / (math.ceil(longest * 10) / 10)
    zero, bottom = left + LABELS, top + panel_height(panel) - BETWEEN_MODELS
    one = zero + scale
    body = [text(left, top + 12, panel["title"], 13, weight="bold"),
            f'<line class="rule" x1="{one:.1f}" x2="{one:.1f}" y1="{top + HEAD - 5}" '
            f'y2="{bottom}" stroke-dasharray="3 2"/>']
    y = top + HEAD
    for key, speeds in panel["models"].items():
        height = len(speeds["bars"]) * (BAR + BETWEEN_BARS)
        body.append(text(zero - 8, y + height / 2 + 3, BY_KEY[key].title, 12, anchor="end"))
        for name, speed in speeds["bars"].items():
            end = zero + speed * scale
            body.append(f'<rect x="{zero}" y="{y}" width="{end - zero:.1f}" height="{BAR}" rx="2" '
                        f'fill="{COLOURS[name]}"/>')
            weight = "bold" if name == "saccade" else "normal"
            if end - zero >= FIGURES:
                body.append(text(zero + 6, y + BAR - 2, f"{speed:.2f}", 10, "on", weight=weight))
            else:
                body.append(text(end + 5, y + BAR - 2, f"{speed:.2f}", 10, weight=weight))
            if name == "saccade" and speeds["aim"]:
                at = zero + speeds["aim"] * scale
                body.append(f'<line class="aim" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 1}" '
                            f'y2="{y + BAR + 1}" stroke-width="2"/>')
            y += BAR + BETWEEN_BARS
        y += BETWEEN_MODELS
    return body
