"""Obstacles in the place of a file. `docker -v` creates a folder where the file to mount does not exist."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path


def _link_to_folder(path: Path) -> None:
    path.symlink_to(path.parent)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


OBSTACLES: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "a folder, not a file"),
    "link-to-folder": (_link_to_folder, "a folder, not a file"),
    "fifo": (os.mkfifo, "not a file"),
    "dangling-link": (_dangling, "a link to a file that does not exist"),
    "loop": (_loop, "cannot be read: "),
    "device": (_device, "not a file"),
}
"""By kind: what makes it, and what is said of it."""
