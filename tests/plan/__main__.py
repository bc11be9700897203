"""`python -m tests.plan FOLDER`: write the document of each plan there, to be looked at or given to other programs."""

import argparse
import json
from pathlib import Path

from tests.plan.plans.staged import every_plan

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for made in every_plan().plans:
        (folder / f"{made.plan.name}.json").write_text(json.dumps(made.document, indent=1) + "\n", encoding="utf-8")
