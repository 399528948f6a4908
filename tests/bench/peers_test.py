#!/usr/bin/env python3
"""bench/peers without its peers: figures, report and chart of a recorded file; the order of a
campaign with peers that only pretend. Needs no package."""

import copy
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
BENCH = HERE.parent.parent / "bench" / "peers"
RECORDED = HERE / "recorded.json"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True

import campaign  # noqa: E402
import chart  # noqa: E402
import files  # noqa: E402
import peers  # noqa: E402
import ratios  # noqa: E402
import report  # noqa: E402
from models import BY_KEY  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def recorded():
    return json.loads(RECORDED.read_text())


def row_of(data, model, precision, threads=2, batch=1):
    return next(row for row in data["rows"]
                if campaign.row_key(row) == (model, precision, threads, batch))


class Ratios(unittest.TestCase):
    def setUp(self):
        self.data = recorded()

    def test_the_faster_mark_counts_for_each_figure_by_itself(self):
        least, middle = ratios.ratios(row_of(self.data, "vit_b", "fp32"))
        self.assertAlmostEqual(least, 110 / 100)
        self.assertAlmostEqual(middle, 118 / 110)

    def test_a_missing_mark_leaves_the_other(self):
        self.assertAlmostEqual(ratios.ratios(row_of(self.data, "vit_b", "fp32", 1))[0], 1.2)

    def test_int8_is_measured_against_openvino_alone(self):
        row = row_of(self.data, "vit_b", "int8", batch=8)
        self.assertIsNone(ratios.ratios(row))
        row["peers"]["saccade"] = {"rounds": [{"min": 15, "p50": 15, "runs": 1}]}
        self.assertAlmostEqual(ratios.ratios(row)[0], 2.0)

    def test_bf16_has_an_aim_where_the_processor_computes_it(self):
        row = row_of(self.data, "vit_b", "bf16")
        self.assertEqual(ratios.aim(row, self.data["machine"]), 1.3)
        self.assertIsNone(ratios.aim(row, {"instruction_sets": ["avx2", "avx512f"]}))

    def test_verdicts(self):
        self.assertEqual(ratios.verdict((1.1, 1.08), 1.07), "yes")
        self.assertEqual(ratios.verdict((1.1, 1.05), 1.07), "by the minimum only")
        self.assertEqual(ratios.verdict((1.0, 1.08), 1.07), "by the median only")
        self.assertEqual(ratios.verdict((1.0, 1.0), 1.07), "no")
        self.assertEqual(ratios.verdict(None, 1.07), "not measured")
        self.assertEqual(ratios.verdict((1.1, 1.1), None), "")

    def test_the_highest_peak_is_the_measure_of_all_rows(self):
        peaks = ratios.peaks(self.data)
        self.assertEqual(peaks["fp32", 2], 600)
        share = ratios.peak_share(row_of(self.data, "vit_b", "fp32"), peaks["fp32", 2])
        self.assertAlmostEqual(share, 350 / 600)

    def test_the_ceiling_is_the_ratio_at_the_peak(self):
        row = row_of(self.data, "swinv2_t", "fp32")
        mark = ratios.ratios(row)[0] * ratios.summary(row["peers"]["saccade"])[0]
        self.assertAlmostEqual(ratios.ceiling(row, 600), mark / 20)  # 12 GFLOP take 20 ms
        self.assertIsNone(ratios.ceiling(row, None))
        row["saccade_report"]["operators"] = []
        self.assertIsNone(ratios.ceiling(row, 600))

    def test_slowdown_is_the_quotient_of_medians(self):
        found = ratios.slowdowns(self.data["contention"][0])
        self.assertEqual(found["saccade"], (100, 210, 2.1))
        self.assertEqual(found["torch"][2], 4.0)

    def test_disagreement_is_relative_to_the_scale(self):
        self.assertAlmostEqual(ratios.disagreement(self.data), 0.0002 / 2.0)
        for peer in row_of(self.data, "vit_b", "fp32")["peers"].values():
            peer.get("about", {})["sample"] = [0.0, 0.0]
        self.assertEqual(ratios.disagreement(self.data), 0.0)


class Report(unittest.TestCase):
    def test_tables_have_as_many_cells_as_headings(self):
        blocks = report.report(recorded()).split("\n\n")
        tables = [block.strip().splitlines() for block in blocks if block.lstrip().startswith("|")]
        self.assertGreater(len(tables), 6)
        for lines in tables:
            self.assertEqual({line.count("|") for line in lines if line.startswith("|")},
                             {lines[0].count("|")}, lines[0])

    def test_rows_say_ratio_aim_and_verdict(self):
        text = report.report(recorded())
        self.assertIn("| ViT-B/16 | 1 | 2 | 100.0 / 110.0 | 250.0 / 260.0 |", text)
        self.assertIn("| **1.10** / 1.07 | 1.07 | yes | 58 % |", text)
        self.assertIn("| **0.90** / 0.92 | 1.20 | no | 40 % |", text)
        self.assertIn("3 of the 5 rows that have an aim reach it, 1 could not be measured.", text)

    def test_only_rows_below_their_aim_say_where_the_time_goes(self):
        where = report.report(recorded()).split("## Where the time goes")[1]
        self.assertIn("SwinV2-T, fp32, batch 1, 2 threads: 0.90 / 0.92", where)
        self.assertIn("| linear (matmul) | 50 | 40.000 | 80 % | 20.000 | 300 | 50 % |", where)
        self.assertIn("| roll | 5 | 10.000 | 20 % | – | – | – |", where)
        self.assertNotIn("ViT-B", where)

    def test_an_aim_beyond_the_peak_is_said_to_be(self):
        data = recorded()
        self.assertNotIn("at the peak", report.report(data).lower())
        row_of(data, "swinv2_t", "fp32")["saccade_report"]["operators"][0]["gflop"] *= 3
        self.assertRegex(report.report(data), r"\| no; [01]\.\d\d at the peak \|")

    def test_what_is_not_available_has_its_reason(self):
        text = report.report(recorded())
        self.assertIn('- Saccade, int8 (ViT-B/16): unknown option "--precision"', text)
        self.assertIn("- ONNX Runtime, fp32 (ViT-B/16): its process ended with -9", text)

    def test_low_precision_says_what_ran_in_it(self):
        text = report.report(recorded())
        self.assertIn("Saccade's plans, as they run here: ViT-B/16 bf16.", text)
        self.assertIn("OpenVINO's matrix products, by type: ViT-B/16 49 bf16 + 1 f32.", text)

    def test_start_memory_and_contention(self):
        text = report.report(recorded())
        self.assertIn("| Saccade | 0.00 | 0.180 | 0.079 | 360 | 1.09 | 330 | yes |", text)
        self.assertIn("| Saccade | 4.90 | yes |", text)
        self.assertIn("| ViT-B/16 | Saccade | 100.0 | 210.0 | 2.10 | yes |", text)
        self.assertIn("| ViT-B/16 | PyTorch eager | 250.0 | 1000 | 4.00 |  |", text)

    def test_commentary_around_the_markers_stays(self):
        page = f"# Title\n\nBefore.\n\n{report.BEGIN}old\n{report.END}\nAfter.\n"
        once = report.write_between_markers(page, "new\n")
        self.assertEqual(once, page.replace("old", "new"))
        self.assertEqual(report.write_between_markers(once, "new\n"), once)
        self.assertIn("text", report.write_between_markers("# Title\n", "text\n"))

    def test_an_empty_campaign_has_a_report(self):
        data = {**recorded(), "rows": [], "starts": [], "contention": []}
        self.assertIn("## Conditions", report.report(data))
        xml.etree.ElementTree.fromstring(chart.chart(data))


def boxes(svg):
    """(left, top, right, bottom, words) of every text; 0.62 of the size for a character, which is
    more than the mean of the fonts named."""
    for element in svg.iter(SVG + "text"):
        size, x, y = (float(element.get(name)) for name in ("font-size", "x", "y"))
        width = 0.62 * size * len(element.text)
        left = x - width if element.get("text-anchor") == "end" else x
        yield left, y - 0.8 * size, left + width, y + 0.2 * size, element.text


class Chart(unittest.TestCase):
    def setUp(self):
        data = recorded()
        self.svg = xml.etree.ElementTree.fromstring(chart.chart(data))
        self.width, self.height = (float(self.svg.get(name)) for name in ("width", "height"))

    def test_a_bar_for_every_time(self):
        bars = [rect for rect in self.svg.iter(SVG + "rect") if rect.get("height") == "11"]
        in_panels = [bar for bar in bars if float(bar.get("y")) > 60]
        self.assertEqual(len(in_panels), 4 + 4 + 3 + 2)
        self.assertEqual(len(bars) - len(in_panels), len(peers.PEERS))

    def test_lengths_are_in_proportion_to_speed(self):
        widths = [float(rect.get("width")) for rect in self.svg.iter(SVG + "rect")
                  if rect.get("height") == "11" and float(rect.get("y")) > 60][:4]
        self.assertAlmostEqual(widths[0] / widths[3], 110 / 100, places=2)
        self.assertAlmostEqual(widths[1] / widths[3], 110 / 250, places=2)

    def test_texts_lie_inside_and_apart(self):
        found = list(boxes(self.svg))
        for left, top, right, bottom, words in found:
            self.assertTrue(0 <= left and right <= self.width, words)
            self.assertTrue(0 <= top and bottom <= self.height, words)
        for a, b in itertools.combinations(found, 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            self.assertTrue(apart, f"'{a[4]}' lies on '{b[4]}'")


class Pretender:
    """A peer that takes no time; it notes its turns in `order`."""

    def __init__(self, name, order, fails=False):
        self.name, self.order, self.fails = name, order, fails
        self.last, self.closed = {"start_ms": 5.0, "rss_mb": 7.0}, False
        self.import_seconds = 0.1

    def prepare(self, model, precision, threads, batch):
        if precision == "bf16" and self.name == "onnxruntime":
            raise files.NotAvailable("none")
        return {"first_answer_ms": 9.0, "rss_mb": 3.0, "sample": [1.0]}

    def run(self, seconds):
        self.order.append(self.name)
        if self.fails:
            raise peers.PeerFailed("broken")
        return {"min": 1.0, "p50": 2.0, "runs": 3}

    def close(self):
        self.closed = True

    def idle_share(self):
        return 0.0


class Order(unittest.TestCase):
    SETTINGS = {"models": ["deit_ti"], "precision": ["fp32", "bf16"], "threads": [1], "batch": [1],
                "seconds": 0.1, "rounds": 2, "contention": False}

    def campaign(self, folder, fails=(), data=None):
        self.order = []
        data = data or {"rows": [], "starts": [{"model": "deit_ti"}], "contention": []}
        made = campaign.Campaign(copy.deepcopy(self.SETTINGS), None, data,
                                 pathlib.Path(folder) / "data.json", lambda text: None)
        made.peers = {name: Pretender(name, self.order, name in fails) for name in peers.PEERS}
        return made

    def test_peers_take_turns_and_another_one_begins(self):
        with tempfile.TemporaryDirectory() as folder:
            self.campaign(folder).run()
            saved = json.loads((pathlib.Path(folder) / "data.json").read_text())
        names = list(peers.PEERS)
        self.assertEqual(self.order[:8], names + names[1:] + names[:1])
        self.assertEqual(len(self.order), 8 + 6)
        self.assertEqual(len(saved["rows"]), 2)
        self.assertEqual(saved["rows"][1]["peers"]["onnxruntime"], {"unavailable": "none"})
        self.assertEqual(len(saved["rows"][0]["peers"]["torch"]["rounds"]), 2)

    def test_a_failing_peer_leaves_the_row_and_the_others_stay(self):
        with tempfile.TemporaryDirectory() as folder:
            made = self.campaign(folder, fails=("torch",))
            made.run()
        self.assertEqual(self.order.count("torch"), 2)
        self.assertEqual(made.data["rows"][0]["peers"]["torch"], {"unavailable": "broken"})
        self.assertTrue(all(peer.closed for peer in made.peers.values()))

    def test_rows_that_are_there_are_not_measured_again(self):
        with tempfile.TemporaryDirectory() as folder:
            first = self.campaign(folder)
            first.run()
            again = self.campaign(folder, data=first.data)
            again.run()
        self.assertEqual(self.order, [])


    def test_contention_measures_alone_and_beside_in_turns(self):
        with tempfile.TemporaryDirectory() as folder:
            made = self.campaign(folder)
            made.settings.update(precision=["fp32"], contention=True)
            made.run()
        row = made.data["contention"][0]
        self.assertEqual((row["model"], row["threads"]), ("deit_ti", 2))
        for peer in row["peers"].values():
            self.assertEqual((len(peer["rounds"]), len(peer["busy"])), (2, 2))


# What worker.py does, for a library that only pretends: the number of seconds is what happens.
PRETENDED_WORKER = """
import json, sys
print(json.dumps({"ready": sys.argv[1]}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "prepare":
        answer = ({"not_available": "no int8"} if request["precision"] == "int8"
                  else {"first_answer_ms": 1.0})
    elif request["seconds"] == 9:
        sys.exit(7)
    elif request["seconds"] == 8:
        answer = {"error": "ValueError: eight"}
    else:
        answer = {"times": [0.003, 0.001, 0.002]}
    print(json.dumps(answer), flush=True)
"""


class PretendedCache:
    """A cache that has its one file."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def log(self, name):
        return self.folder / f"{name}.log"

    def onnx(self, *_):
        return RECORDED


class Worker(unittest.TestCase):
    """The process around a library; the module `json` stands for the library."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        script = pathlib.Path(folder.name) / "worker.py"
        script.write_text(PRETENDED_WORKER)
        for name, value in (("WORKER", script), ("SETTLE_SECONDS", 0.0)):
            patch = unittest.mock.patch.object(peers, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.peer = peers.Library("json", PretendedCache(folder.name))
        self.addCleanup(self.peer.close)

    def prepare(self, precision="fp32"):
        return self.peer.prepare(BY_KEY["vit_b"], precision, 1, 1)

    def test_times_become_milliseconds(self):
        self.assertEqual(self.prepare(), {"first_answer_ms": 1.0})
        self.assertEqual(self.peer.run(1), {"min": 1.0, "p50": 2.0, "runs": 3})
        self.assertGreater(self.peer.import_seconds, 0)
        self.assertLess(self.peer.idle_share(), 0.5)

    def test_what_it_cannot_do_and_what_fails(self):
        with self.assertRaisesRegex(files.NotAvailable, "no int8"):
            self.prepare("int8")
        self.prepare()
        with self.assertRaisesRegex(peers.PeerFailed, "ValueError: eight"):
            self.peer.run(8)
        self.assertEqual(self.peer.run(1)["runs"], 3)

    def test_a_process_that_ends_is_started_again(self):
        self.prepare()
        with self.assertRaisesRegex(peers.PeerFailed, "ended with 7; see json.log"):
            self.peer.run(9)
        self.prepare()
        self.assertEqual(self.peer.run(1)["runs"], 3)

    def test_a_missing_package_is_named(self):
        self.peer.name = "no_such_library"
        with self.assertRaisesRegex(files.NotAvailable, "no_such_library is not installed"):
            self.prepare()


class Files(unittest.TestCase):
    def test_pictures_for_calibration_are_png_and_differ(self):
        one, other = files.random_picture(0, 16), files.random_picture(1, 16)
        self.assertTrue(one.startswith(b"\x89PNG\r\n\x1a\n"))
        self.assertNotEqual(one, other)
        self.assertEqual(one, files.random_picture(0, 16))

    def test_a_refused_file_is_not_tried_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            said = []
            cache = files.Cache(folder, sys.executable, said.append)
            command = [sys.executable, "-c",
                       "import sys; sys.exit('saccade: no\\nhint: ask')"]
            for _ in range(2):
                with self.assertRaisesRegex(files.NotAvailable, "^saccade: no$"):
                    cache._make(cache.folder / "x.plan", command)
            self.assertEqual(said, ["making x.plan"])


class Program(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(BENCH / "run.py"), *arguments],
                              capture_output=True, text=True)

    def test_report_only_writes_both_files(self):
        with tempfile.TemporaryDirectory() as folder:
            made = self.run_it("--report-only", "--json", str(RECORDED), "--docs", folder)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertIn("(cpu.svg)", (pathlib.Path(folder) / "cpu.md").read_text())
            self.assertTrue((pathlib.Path(folder) / "cpu.svg").read_text().startswith("<svg"))

    def test_wrong_arguments_name_what_is_known(self):
        made = self.run_it("--models", "vit_b,resnet")
        self.assertEqual(made.returncode, 2)
        self.assertIn("known: vit_b, deit_s", made.stderr)
        self.assertEqual(self.run_it("--rounds", "0").returncode, 2)
        made = self.run_it("--report-only", "--json", str(HERE / "CMakeLists.txt"))
        self.assertEqual((made.returncode, made.stdout), (1, ""))
        self.assertIn("--json names what a run has written", made.stderr)
        self.assertEqual(self.run_it("--saccade", "nothing-there").returncode, 1)


if __name__ == "__main__":
    unittest.main()
