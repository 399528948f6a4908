"""The text of docs/benchmarks/cpu.md between its markers, from the stored data."""

from models import BY_KEY, CONTENTION_AIM, INSTALLED_AIM_BYTES, MEMORY_AIM, PRECISIONS, \
    START_AIM_MODEL, START_AIM_SECONDS
from peers import PEERS, TITLES
from ratios import aim, ceiling, disagreement, floor_ms, missed, ordered, peak_share, peaks, \
    ratios, slowdowns, summary, verdict

BEGIN = "<!-- measured: written by bench/peers/run.py -->\n"
END = "<!-- end of measured -->\n"
NOTHING = "–"


def write_between_markers(page, text):
    """The page with `text` between the markers; a page without them gets them at its end."""
    if BEGIN not in page:
        page = page.rstrip("\n") + "\n\n" + BEGIN + END
    before, rest = page.split(BEGIN, 1)
    return before + BEGIN + text + END + rest.split(END, 1)[1]


def report(data):
    """Everything between the markers, as Markdown."""
    parts = [conditions(data), f"![Relative speed of the peers](cpu.svg)\n", aims_line(data)]
    parts += [speed(data, precision) for precision in PRECISIONS]
    parts += [unavailable(data), start(data), installed(data), contention(data), where(data)]
    return "\n" + "\n".join(part for part in parts if part)


def table(head, rows):
    """A Markdown table; a heading that ends in ':' is aligned to the right."""
    lines = ["| " + " | ".join(name.rstrip(":") for name in head) + " |",
             "|" + "|".join("--:" if name.endswith(":") else "---" for name in head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=1, unit=""):
    return NOTHING if value is None else f"{value:.{digits}f}{unit}"


def counted(threads):
    return f"{threads} thread{'s' * (threads > 1)}"


def milliseconds(value):
    """Three figures are enough, and small times need their decimals."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def pair(found):
    """`least / median`."""
    return NOTHING if found is None else " / ".join(milliseconds(value) for value in found)


def share(value):
    return NOTHING if value is None else f"{100 * value:.0f} %"


def conditions(data):
    """Machine, versions, settings."""
    machine, versions, settings = data["machine"], data["versions"], data["settings"]
    found = [row["saccade_report"] for row in data["rows"] if row.get("saccade_report")]
    sets = {name for one in found for name in one["instructions"].split(", ")}
    kernels = ", ".join(sorted(sets)) or "not measured"
    probed = ", ".join(f"{gflops:.0f} GFLOP/s at {precision} with {counted(threads)}"
                       for (precision, threads), gflops in sorted(peaks(data).items()))
    apart = disagreement(data)
    idle = max(data.get("idle_share", {"": 0.0}).values())
    rows = [["date", data["date"]],
            ["processor", f"{machine['processor']}, {machine['cores']} cores, "
                          f"{machine['memory'] / 2 ** 30:.0f} GiB"],
            ["instruction sets", " ".join(machine["instruction_sets"])],
            ["Saccade's kernels", kernels],
            ["arithmetic peak (Saccade's probe)", probed or NOTHING],
            ["versions", ", ".join(f"{name} {text}" for name, text in versions.items())],
            ["turns", f"{settings['rounds']} of {settings['seconds']:g} s for each peer and row"],
            ["processor use of waiting peers", f"at most {100 * idle:.1f} % of a core"],
            ["fp32 answers of the libraries differ by",
             NOTHING if apart is None else f"at most {apart:.1e} of their scale"]]
    return "## Conditions\n\n" + table(["", ""], rows)


def aims_line(data):
    wanted = [row for row in data["rows"] if aim(row, data["machine"])]
    if not wanted:
        return ""
    open_ = sum(ratios(row) is None for row in wanted)
    below = sum(missed(row, data["machine"]) for row in wanted)
    return (f"{len(wanted) - open_ - below} of the {len(wanted)} rows that have an aim reach it"
            + (f", {open_} could not be measured" if open_ else "") + ".\n")


def speed(data, precision):
    """One table of times and ratios."""
    machine, highest, rows, note = data["machine"], peaks(data), [], ""
    for row in ordered(data["rows"]):
        if row["precision"] != precision:
            continue
        found, wanted = ratios(row), aim(row, machine)
        peak = highest.get((precision, row["threads"]))
        best = ceiling(row, peak)
        reached = verdict(found, wanted)
        if missed(row, machine) and best is not None and best < wanted:
            reached += f"; {best:.2f} at the peak"
            note = (" \"At the peak\" is the ratio if every operator did its arithmetic at the "
                    "machine's peak: an aim beyond it is out of reach of faster kernels.")
        peers = [pair(summary(row["peers"].get(name, {}))) for name in PEERS]
        ratio = NOTHING if found is None else f"**{found[0]:.2f}** / {found[1]:.2f}"
        rows.append([BY_KEY[row["model"]].title, str(row["batch"]), str(row["threads"]), *peers,
                     ratio, NOTHING if wanted is None else f"{wanted:.2f}",
                     reached, share(peak_share(row, peak))])
    if not rows:
        return ""
    low = "" if precision == "fp32" else low_precision(data, precision)
    mark = "OpenVINO" if precision == "int8" else "the faster of OpenVINO and ONNX Runtime"
    head = ["model", "batch:", "threads:", *(f"{TITLES[name]}:" for name in PEERS),
            "times faster:", "aim:", "reached", "of peak:"]
    return (f"## {precision}\n\nMilliseconds of one inference, minimum / median. \"Times faster\" "
            f"is against {mark} in the same row, by the minima / by the medians.{note}\n\n"
            + table(head, rows) + low)


def low_precision(data, precision):
    """What really ran in a lower precision: not everything does that is asked to."""
    own, peer = {}, {}
    for row in ordered(data["rows"]):
        if row["precision"] != precision:
            continue
        title = BY_KEY[row["model"]].title
        counts = row["peers"].get("openvino", {}).get("about", {}).get("kernels", {})
        if counts:
            peer[title] = " + ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        if row.get("saccade_report"):
            own[title] = row["saccade_report"]["precision"]
    lines = [(f"Saccade's plans, as they run here: {joined(own)}.\n", own),
             (f"OpenVINO's matrix products, by type: {joined(peer)}.\n", peer)]
    return "".join("\n" + line for line, known in lines if known)


def joined(texts):
    return "; ".join(f"{title} {text}" for title, text in texts.items())


def unavailable(data):
    """Why a cell is empty, each reason once."""
    reasons = {}
    for row in data["rows"]:
        for name, peer in row["peers"].items():
            if "unavailable" in peer:
                key = name, row["precision"], peer["unavailable"]
                reasons.setdefault(key, []).append(BY_KEY[row["model"]].title)
    lines = [f"- {TITLES[name]}, {precision} ({', '.join(dict.fromkeys(models))}): {reason}"
             for (name, precision, reason), models in reasons.items()]
    return "Not available:\n\n" + "\n".join(lines) + "\n" if lines else ""


def start(data):
    """Fresh processes: time to the first answer and memory."""
    rows = []
    for begun in data["starts"]:
        weights = 4 * BY_KEY[begun["model"]].parameters
        for name, found in begun["peers"].items():
            over = (found["first_answer_ms"] - found["inference_ms"]) / 1e3
            memory = found["rss_mb"] * 2 ** 20 / weights
            met = over <= START_AIM_SECONDS and memory <= MEMORY_AIM
            rows.append([BY_KEY[begun["model"]].title, TITLES[name],
                         number(found["import_ms"] / 1e3, 2),
                         number(found["first_answer_ms"] / 1e3, 3), number(over, 3),
                         number(found["rss_mb"], 0), number(memory, 2),
                         number(found["file_bytes"] / 2 ** 20, 0),
                         ("yes" if met else "no") if name == "saccade"
                         and begun["model"] == START_AIM_MODEL else ""])
    if not rows:
        return ""
    threads = data["starts"][0]["threads"]
    head = ["model", "", "imports, s:", "file to first answer, s:", "beyond one inference, s:",
            "resident, MiB:", "times fp32 weights:", "file, MiB:", "reached"]
    return (f"## Start and memory\n\nA fresh process, fp32, {counted(threads)}, the file in the "
            f"page cache; Saccade maps it. Aims for {BY_KEY[START_AIM_MODEL].title}: one "
            f"inference + {START_AIM_SECONDS} s, {MEMORY_AIM} times the weights.\n\n"
            + table(head, rows))


def installed(data):
    rows = []
    for name in PEERS:
        if size := data["installed"].get(name):
            met = ("yes" if size <= INSTALLED_AIM_BYTES else "no") if name == "saccade" else ""
            rows.append([TITLES[name], f"{size / 1e6:.2f}", met])
    aim_mb = INSTALLED_AIM_BYTES / 1e6
    return (f"## Installed size\n\nThe program `saccade`; the files of the packages `torch`, "
            f"`onnxruntime`, `openvino` without what they depend on. Aim: {aim_mb:.0f} MB.\n\n"
            + table(["", "MB:", "reached"], rows))


def contention(data):
    """Medians alone and beside a process that occupies one core."""
    rows = []
    for row in data["contention"]:
        for name, (alone, beside, factor) in slowdowns(row).items():
            met = ("yes" if factor < CONTENTION_AIM else "no") if name == "saccade" else ""
            rows.append([BY_KEY[row["model"]].title, TITLES[name], milliseconds(alone),
                         milliseconds(beside), f"{factor:.2f}", met])
    if not rows:
        return ""
    threads, cores = data["contention"][0]["threads"], data["machine"]["cores"]
    head = ["model", "", "alone, ms:", "beside it, ms:", "times slower:", "reached"]
    return (f"## Beside a busy process\n\nfp32, batch 1, {counted(threads)} on {cores} cores, "
            "medians; another process occupies one core. Aim of Saccade: below "
            f"{CONTENTION_AIM} times slower.\n\n" + table(head, rows))


def where(data):
    """Of every row below its aim: each operator beside its floor."""
    highest, parts = peaks(data), []
    for row in ordered(data["rows"]):
        if missed(row, data["machine"]) and row.get("saccade_report"):
            parts.append(operators(row, highest[row["precision"], row["threads"]]))
    if not parts:
        return ""
    return ("## Where the time goes\n\nRows below their aim, operator by operator, from a run that "
            "times each. The floor is the operator's arithmetic at the machine's peak; what has no "
            "arithmetic of note has none.\n\n" + "\n".join(parts))


def operators(row, peak):
    """One folded table, the costliest operator first; `peak` in GFLOP/s."""
    found = sorted(row["saccade_report"]["operators"], key=lambda one: -one["ms"])
    total = sum(one["ms"] for one in found)
    floor = floor_ms(found, peak)
    rows = []
    for one in found:
        least = floor_ms([one], peak)
        rows.append([one["name"], str(one["count"]), number(one["ms"], 3),
                     share(one["ms"] / total),
                     number(least, 3) if least else NOTHING,
                     number(one["gflop"] / one["ms"] * 1e3, 0) if least else NOTHING,
                     share(least / one["ms"]) if least else NOTHING])
    rows.append(["all", "", number(total, 3), "", number(floor, 3), "", share(floor / total)])
    least, middle = ratios(row)
    title = (f"{BY_KEY[row['model']].title}, {row['precision']}, batch {row['batch']}, "
             f"{counted(row['threads'])}: {least:.2f} / {middle:.2f}")
    head = ["operator", "times:", "ms:", "of the time:", "floor, ms:", "GFLOP/s:", "of peak:"]
    return f"<details><summary>{title}</summary>\n\n{table(head, rows)}\n</details>\n"
