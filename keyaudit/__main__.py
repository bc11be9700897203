"""Starts keyaudit. `--version` answers before anything is imported."""

import atexit
import gc
import sys

from keyaudit import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"keyaudit {__version__}\n")
        return
    collect_cycles_later()
    from keyaudit.cli.app import run  # noqa: PLC0415 - keeps --version as fast as Python's start-up

    sys.exit(run(sys.argv[1:]))


def collect_cycles_later() -> None:
    """Collect garbage less often: Python scans every 700 new objects, and an import or a request creates hundreds.

    When it ends, it scans all objects again, several times, for nothing.
    """
    gc.set_threshold(20_000)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    main()
