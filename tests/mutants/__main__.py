"""Changes one operator, constant, statement or branch of the code at a time, and lists the changes that no test notices.

    python -m tests.mutants --seed 1 --sample 300 [--file keyaudit/gate/verdict.py ...]

The sample depends on the seed and on the code alone, and is spread over the files by their size. Each mutant is tried in a
copy of the tree: first on the tests nearest to its file, and if these pass, on those of its whole floor. Every trial is a fork
of one process that has imported the packages of others, which takes longer than most of these tests.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.mutants.changes import Mutant, mutants
from tests.mutants.guards import ESCAPING, GUARDS
from tests.mutants.trials import Trials
from tests.needs import ROOT

KILLED = 0.95
"""The fraction of mutants that the tests must notice."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sample", type=int, required=True)
    parser.add_argument("--file", nargs="*", help="only these of the guarded files")
    parser.add_argument("--nearest", action="store_true", help="run only the tests nearest to a file, not those of its floor")
    chosen = parser.parse_args()
    guarded = sorted({str(path.relative_to(ROOT)) for pattern in (*GUARDS, *ESCAPING) for path in ROOT.glob(pattern)})
    unguarded = sorted(set(chosen.file or ()) - set(guarded))
    if unguarded:
        parser.error(f"not guarded by any tests that are named here: {', '.join(unguarded)}")
    sample = sampled(chosen.file or guarded, chosen.sample, chosen.seed)
    count = len(sample)
    tried = Counter(mutant.file for mutant in sample)
    living: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trials = Trials(Path(folder))
        for mutant in sample:
            lives = trials.survives(mutant, nearest=chosen.nearest)
            living[mutant.file] += lives
            print(f"{'survived' if lives else 'killed'}: {mutant}", flush=True)
    for file, number in tried.items():
        print(f"{file}: {number} tried, {number - living[file]} killed, {living[file]} survived")
    print(f"{count} mutants, {count - living.total()} killed, {living.total()} survived")
    sys.exit(0 if count - living.total() >= KILLED * count else 1)


def sampled(files: Sequence[str], wanted: int, seed: int) -> list[Mutant]:
    """Of each file in proportion to its mutants; a change of one file does not change the choice in the others."""
    every = {file: mutants(file) for file in files}
    total = sum(map(len, every.values()))
    found: list[Mutant] = []
    passed = 0
    for file, of_file in every.items():
        passed += len(of_file)
        Random(f"{seed} {file}").shuffle(of_file)
        found += of_file[: min(wanted, total) * passed // total - len(found)]
    return found


if __name__ == "__main__":
    main()
