"""From what was measured to the figures of the report; pure functions on the stored data."""

from models import BY_KEY, PRECISIONS, mark_names

BF16_SETS = {"avx512_bf16", "amx_bf16"}


def summary(peer, kind="rounds"):
    """(least, median) milliseconds of a peer in a row, or None. The median is that of the rounds'
    medians, so that a round with more runs weighs no more."""
    rounds = peer.get(kind)
    if not rounds:
        return None
    return min(slice_["min"] for slice_ in rounds), median(slice_["p50"] for slice_ in rounds)


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def ratios(row):
    """How many times faster Saccade is than the best of the peers that count: (by the least times,
    by the medians), or None where one side is missing."""
    own = summary(row["peers"]["saccade"])
    marks = [found for name in mark_names(row["precision"])
             if (found := summary(row["peers"].get(name, {})))]
    if own is None or not marks:
        return None
    return tuple(min(mark[i] for mark in marks) / own[i] for i in range(2))


def aim(row, machine):
    """The ratio that this row is to reach, or None; for bf16 where the processor computes it."""
    if row["precision"] == "bf16" and not BF16_SETS & set(machine["instruction_sets"]):
        return None
    return BY_KEY[row["model"]].aim(row["precision"], row["batch"])


def verdict(found, wanted):
    """Whether an aim is reached: both ratios count, one alone is said to be one alone."""
    if wanted is None:
        return ""
    if found is None:
        return "not measured"
    least, middle = (round(value, 2) >= wanted for value in found)
    if least and middle:
        return "yes"
    return "by the minimum only" if least else "by the median only" if middle else "no"


def missed(row, machine):
    """True for a row that has an aim and does not reach it by both ratios."""
    return verdict(ratios(row), aim(row, machine)) not in ("", "not measured", "yes")


def peaks(data):
    """(precision, threads) -> the highest arithmetic peak that Saccade's probe saw, GFLOP/s: a
    probe that something disturbed must not make the kernels look better."""
    highest = {}
    for row in data["rows"]:
        found = row.get("saccade_report")
        if found:
            key = row["precision"], row["threads"]
            highest[key] = max(highest.get(key, 0.0), found["peak_gflops"])
    return highest


def peak_share(row, peak):
    """Share of the arithmetic peak in Saccade's best run, 0...1."""
    found = row.get("saccade_report")
    return found["gflops"] / peak if found and peak else None


def floor_ms(operators, peak):
    """Milliseconds of their arithmetic at the peak, GFLOP/s."""
    return sum(one["gflop"] for one in operators) / peak * 1e3


def ceiling(row, peak):
    """What the ratio of the least times would be if Saccade did its arithmetic at the peak, or
    None. An aim beyond it cannot be reached by faster kernels."""
    found, own = ratios(row), summary(row["peers"]["saccade"])
    if found is None or not peak or not row.get("saccade_report"):
        return None
    floor = floor_ms(row["saccade_report"]["operators"], peak)
    return found[0] * own[0] / floor if floor else None


def slowdowns(row):
    """peer -> (alone, beside, factor), medians in milliseconds."""
    found = {}
    for name, peer in row["peers"].items():
        alone, beside = summary(peer), summary(peer, "busy")
        if alone and beside:
            found[name] = alone[1], beside[1], beside[1] / alone[1]
    return found


def disagreement(data):
    """The largest difference between the fp32 answers of the libraries, relative to their scale."""
    largest = None
    for row in data["rows"]:
        if row["precision"] != "fp32":
            continue
        samples = [peer["about"]["sample"] for peer in row["peers"].values()
                   if peer.get("about", {}).get("sample")]
        for sample in samples[1:]:
            scale = max(abs(value) for value in samples[0]) or 1.0
            apart = max(abs(a - b) for a, b in zip(samples[0], sample)) / scale
            largest = max(largest or 0.0, apart)
    return largest


def ordered(rows):
    """Rows in the order of the report: precision, batch, threads (most first), model."""
    keys = list(BY_KEY)
    return sorted(rows, key=lambda row: (PRECISIONS.index(row["precision"]), row["batch"],
                                         -row["threads"], keys.index(row["model"])))
