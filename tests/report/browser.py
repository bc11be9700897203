"""A real browser with one page open, and what it did to show it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tests import needs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


class Shown(Struct):
    """A page as the browser shows it, with all that it said and asked for."""

    page: "Page"
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator["Browser"]:
    """Debian's chromium; the test is skipped where it is not installed."""
    chromium = needs.program("chromium")
    needs.module("playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not on a bare machine

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=[*_QUIET, "--disable-sync"])
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def shown(opened: "Browser", file: Path, *, width: int = 1280, **options: Any) -> Iterator[Shown]:
    """The file in a window of that width. `options`: of the browser's context, as in `color_scheme`."""
    context = opened.new_context(viewport={"width": width, "height": 900}, **options)
    try:
        found = Shown(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(file.as_uri())
        yield found
    finally:
        context.close()
