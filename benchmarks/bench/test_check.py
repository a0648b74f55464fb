"""The check fails on what it has to fail on. Needs nothing but Python; in benchmarks/: python3 -m unittest bench.test_check"""

import contextlib
import io
import unittest

from . import check


def run(**medians):
    return {"kind": "quick", "machine": {}, "ratios": {
        name: {"part": "peers" if name != "allocations" else "growth",
               "better": "lower" if name == "allocations" else "higher", "median": value}
        for name, value in medians.items()}}


BASELINE = run(rotate=10.0, renew=2.0, allocations=0.5)


class CheckTests(unittest.TestCase):
    def setUp(self):
        # What it prints is for the person who runs the check.
        silence = contextlib.ExitStack()
        silence.enter_context(contextlib.redirect_stdout(io.StringIO()))
        silence.enter_context(contextlib.redirect_stderr(io.StringIO()))
        self.addCleanup(silence.close)

    def test_the_same_run_passes(self):
        self.assertEqual(check.report(check.compare(BASELINE, BASELINE)), 0)

    def test_a_drop_of_30_percent_fails(self):
        rows = check.compare(BASELINE, run(rotate=7.0, renew=2.0, allocations=0.5))
        self.assertEqual([row[0] for row in check.failed(rows)], ["rotate"])
        self.assertEqual(check.report(rows), 3)

    def test_a_drop_of_15_percent_passes(self):
        self.assertEqual(check.report(check.compare(BASELINE, run(rotate=8.5, renew=1.7, allocations=0.55))), 0)

    def test_more_allocations_fail(self):
        rows = check.compare(BASELINE, run(rotate=10.0, renew=2.0, allocations=0.7))
        self.assertEqual([row[0] for row in check.failed(rows)], ["allocations"])

    def test_what_is_no_longer_measured_fails(self):
        rows = check.compare(BASELINE, run(rotate=10.0, allocations=0.5))
        self.assertEqual([row[0] for row in check.failed(rows)], ["renew"])

    def test_only_what_failed_is_measured_again_and_may_recover(self):
        asked = []

        def again(parts):
            asked.append(parts)
            return run(rotate=9.5, renew=1.0)["ratios"]

        rows = check.settled(BASELINE, run(rotate=7.0, renew=2.0, allocations=0.5), again)
        self.assertEqual(asked, [["peers"]])
        # The second look at what had not failed does not count.
        self.assertEqual(check.failed(rows), [])

    def test_a_real_drop_fails_twice(self):
        rows = check.settled(
            BASELINE, run(rotate=7.0, renew=2.0, allocations=0.5), lambda _: run(rotate=7.1, renew=2.0)["ratios"])
        self.assertEqual([row[0] for row in check.failed(rows)], ["rotate"])

    def test_a_baseline_of_several_runs_is_their_median(self):
        base = check.merged([run(rotate=9.5), run(rotate=11.0), run(rotate=10.0)])
        self.assertEqual(base["ratios"]["rotate"]["median"], 10.0)

    def test_of_an_unsteady_ratio_the_worst_is_kept(self):
        base = check.merged([run(rotate=8.0, allocations=1.0), run(rotate=30.0, allocations=3.0),
                             run(rotate=10.0, allocations=1.0)])
        self.assertEqual(base["ratios"]["rotate"]["median"], 8.0)
        self.assertEqual(base["ratios"]["allocations"]["median"], 3.0)


if __name__ == "__main__":
    unittest.main()
