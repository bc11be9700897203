"""What a folder holds of a collection: nothing, one that was begun, or a complete one; and whether it can be gone on with."""

import contextlib
import shutil
from pathlib import Path

import msgspec

from keyaudit.inventory.disk import files
from keyaudit.inventory.disk.lock import Lock
from keyaudit.inventory.rows import declared
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.run import Run
from keyaudit.model.scope.filters import Filters
from keyaudit.model.values.text import one_line

AGAIN = "collect into another folder"
_MAX_RUN = 1024 * 1024


class Begun(msgspec.Struct, forbid_unknown_fields=True):
    """The first record: the run, and the columns that this version stores."""

    columns: dict[str, dict[str, str]]
    run: Run


def same_collection(begun: Run, now: Run) -> None:
    """Raises UsageError unless a resumed collection has the same tenant, cloud and evidence.

    Its filters are kept, and other filters are refused.
    """
    if (begun.tenant_id, begun.environment) != (now.tenant_id, now.environment):
        raise UnsafeError(
            "--resume",
            f"started in tenant {begun.tenant_id} ({begun.environment}), signed in to {now.tenant_id} ({now.environment})",
            "sign in to the first tenant, or collect into another folder",
        )
    if now.filters not in (Filters(), begun.filters):
        raise UsageError(
            "--resume",
            f"started with {'; '.join(begun.filters.shown) or 'no filters'}, and other filters are given",
            "remove them, or collect into another folder",
        )
    if dict(begun.evidence) != dict(now.evidence):
        raise UsageError(
            "--import", "not the file that this collection started with", "give the same file, or collect into another folder"
        )


def run_begun(path: Path) -> Run:
    """The run in a first record. Raises UnsafeError if it is damaged, UsageError for one of another version."""
    try:
        begun = msgspec.json.decode(files.read(path, _MAX_RUN), type=Begun)
    except files.BROKEN as error:
        raise UnsafeError(files.shown(path), f"damaged: {one_line(str(error))}", AGAIN) from error
    if begun.columns != declared():
        raise UsageError(files.shown(path), f"started by keyaudit {begun.run.tool_version}, which stores other columns", AGAIN)
    return begun.run


def is_begun(folder: Path) -> bool:
    """Whether `Spool.resume` can go on there, or the collection is complete."""
    return (folder / "spool" / "run.json").exists() or (folder / "manifest.json").exists()


def begun(folder: Path) -> Run | None:
    """The run of a collection in that folder that was begun and is not complete; None if there is none that can be resumed."""
    if finished(folder) or not (folder / "spool" / "run.json").exists():
        return None
    try:
        return run_begun(folder / "spool" / "run.json")
    except (UsageError, UnsafeError):
        return None


def finished(folder: Path) -> bool:
    """Whether the collection in a folder is complete. Removes the spool of a run that was killed after it completed it."""
    if not (folder / "manifest.json").exists():
        return False
    if any((folder / name).exists() for name in ("spool", "lock")):
        _clear_remains(folder)
    return True


def _clear_remains(folder: Path) -> None:
    lock = Lock(folder / "lock")
    try:
        with files.writing(folder), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder / "spool")
        lock.remove()
    finally:
        lock.release()


def check_new(folder: Path) -> None:
    """Raises UsageError if a collection cannot begin in that folder, like `Spool.create`."""
    folder = folder.absolute()
    if folder.is_symlink():
        raise UsageError(files.shown(folder), "a symlink", "name the folder itself")
    if folder.exists():
        if (folder / "spool").is_dir() and (folder / "lock").is_file() and not (folder / "manifest.json").exists():
            # Raises UsageError while another run is writing there.
            Lock(folder / "lock").release()
        refuse_used(folder)


def refuse_used(folder: Path) -> None:
    """Raises UsageError if the folder has content, unless it was left by a run that had not read anything."""
    remains = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    place = files.shown(folder)
    if "manifest.json" in remains:
        raise UsageError(place, "holds a finished collection", AGAIN)
    if (folder / "spool" / "run.json").exists():
        raise UsageError(
            place, "contains an unfinished collection", "continue with collect --resume, or collect into another folder"
        )
    # A run stopped before it wrote run.json leaves these two.
    if remains - {"lock", "spool"}:
        raise UsageError(place, "not an empty folder", AGAIN)
