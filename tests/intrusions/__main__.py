"""Prints what is found of each intrusion, and what stops a pipeline on clean days and on those of the look-alikes.

`python -m tests.intrusions [--learned DAYS] SEED ...`: half a minute for each seed.
"""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.intrusions.attacks import LAST, scenarios
from tests.intrusions.company import LEARNED, Company
from tests.intrusions.run import Ran, stops, worst


def _table(seed: int, learned: int, folder: Path) -> None:
    ran = Ran(Company(seed), scenarios(), LAST, folder, learned=learned)
    results = dict(ran.daily())
    clean = [day for day in range(LEARNED, LEARNED + 30) if results[day]["verdict"]["exit"]]
    print(f"seed {seed}: a pipeline stops on {len(clean)} of 30 clean days: {[stops(results[day]) for day in clean]}")
    for event in ran.events:
        days = range(event.first, event.first + event.days)
        levels = [worst(results[day]["findings"], event) for day in days]
        wanted = f"at least {event.least}" if event.least else f"at most {event.most}" if event.most else f"{event.told} stops"
        print(f"  {event.name:28} {wanted:16} {levels}")


_parser = ArgumentParser()
_parser.add_argument("--learned", type=int, default=LEARNED)
_parser.add_argument("seeds", type=int, nargs="*", default=(1, 2, 3))
_asked = _parser.parse_args()
for _seed in _asked.seeds:
    with TemporaryDirectory() as _folder:
        _table(_seed, _asked.learned, Path(_folder))
