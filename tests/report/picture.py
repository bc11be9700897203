"""The picture in README: the HTML report of the simulated tenant, as a browser shows it. `python -m tests.report.picture`."""

import tempfile
from pathlib import Path

from keyaudit.cli.app import run
from tests import clock
from tests.docs import README
from tests.report.browser import browser, shown

PICTURE = README.parent / ".github" / "report.png"
WIDTH, HEIGHT = 1000, 640
MOST = 150_000
"""Bytes: every clone of the repository contains all versions of each picture."""


def take(page: Path, picture: Path) -> None:
    """The first screen of an HTML report. Raises ValueError where it became too large."""
    with browser() as opened, shown(opened, page, width=WIDTH) as window:
        window.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        data = window.page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})
    if len(data) >= MOST:
        raise ValueError(f"{len(data):,} bytes; at most {MOST:,}")
    picture.write_bytes(data)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder, "report.html")
        with clock.at(clock.COLLECTED):
            run(["export", "--demo", f"html={html}", "--quiet"])
        take(html, PICTURE)
        print(f"wrote {PICTURE}")
