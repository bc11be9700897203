"""Settings, waivers, baseline and policies of a pull request's base branch: its author does not choose what it is held to."""

import dataclasses
import os
from pathlib import Path

from keyaudit.cli.options import DEFAULT_CONFIG, Choice, Live
from keyaudit.cli.sources.judged import WAIVERS
from keyaudit.cli.terminal.streams import tell
from keyaudit.inventory.disk.input_file import is_there
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import listed, one_line


def of_base(base: Path, live: Live, choice: Choice) -> tuple[Live, Choice]:
    """The flags with each file of the current folder replaced by that of `base`, a checkout of the base branch.

    Prints which of them the pull request changes. Raises UsageError if `base` is no folder, or contains the current one.
    """
    if not base.is_dir():
        raise UsageError("--base", f"no such folder: {one_line(str(base))}", "name a checkout of the base branch")
    if Path.cwd().is_relative_to(base.resolve()):
        raise UsageError("--base", "the current folder is in it", "check the base branch out into another folder")
    config = live.config or (None if live.demo else DEFAULT_CONFIG)
    waivers = choice.waivers or (None if choice.no_waivers else WAIVERS)
    files = {path: _in(base, path) for path in (config, waivers, choice.baseline, choice.policies) if path is not None}
    if changed := [one_line(str(path)) for path, ours in files.items() if _content(path) != _content(ours)]:
        tell(f"the pull request changes {listed(changed)}; the gate uses what {one_line(str(base))} has")
    # A default file that the base branch lacks is not taken from the pull request instead.
    if config is not None:
        kept = live.config is not None or is_there(files[config])
        live = dataclasses.replace(live, config=files[config] if kept else Path(os.devnull))
    if waivers is not None:
        kept = choice.waivers is not None or is_there(files[waivers])
        choice = dataclasses.replace(choice, waivers=files[waivers] if kept else None, no_waivers=not kept)
    return live, dataclasses.replace(
        choice,
        baseline=choice.baseline and files[choice.baseline],
        policies=choice.policies and files[choice.policies],
    )


def _in(base: Path, path: Path) -> Path:
    """The same file in the base branch; a path outside the current folder is in no branch, and stays."""
    here = Path.cwd().resolve()
    there = Path(os.path.normpath(here / path))
    return base / there.relative_to(here) if there.is_relative_to(here) else path


def _content(path: Path) -> object:
    """The content of a file, or of the YAML files in a folder; None if nothing is there."""
    if path.is_dir():
        return {str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*.y*ml")) if each.is_file()}
    return path.read_bytes() if path.is_file() else None
