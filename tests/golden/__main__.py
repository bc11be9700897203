"""Rewrites the golden files from what the formats print now: `python -m tests.golden`, then read the difference."""

from tests.report.test_golden import CASES, FOLDER, printed

if __name__ == "__main__":
    for name in CASES:
        (FOLDER / name).write_bytes(printed(name).encode())
        print(f"wrote {name}")
