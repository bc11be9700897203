"""The parts of README.md and of the topics that are made from the code: `python -m tests.docs` rewrites them."""

import io
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from keyaudit.cli.app import run
from keyaudit.cli.sources import source
from keyaudit.model.errors import MEANINGS
from keyaudit.model.extras import installing
from keyaudit.model.operations import BY_SURFACE, OPERATIONS, Surface
from keyaudit.policy.load import load
from keyaudit.report.formats import BUNDLE, FILES, PRINTED
from keyaudit.report.lines import wrap
from tests import clock

README = Path(__file__).parent.parent / "README.md"
TOPICS = README.parent / "keyaudit" / "report" / "topics"
EXAMPLE = README.parent / "policies" / "key-vault" / "kv-key-expiring-soon.yaml"
SHOWN_AT = "2026-11-24T18:00:00Z"
"""The moment of README's screens: on the day on which the tests collect, and later."""
ESTATES = ("contoso", "hardened")
"""The simulated tenants whose first screens are shown."""


def screen(estate: str, snapshot: Path) -> str:
    """What `report --demo` prints of that tenant, from a snapshot that was collected by the clock of the tests."""
    command = "keyaudit report --demo" + ("" if estate == "contoso" else f" --estate {estate}")
    with patch.object(source, "named", lambda *_: command.removeprefix("keyaudit report ")):
        printed = _printed(["report", "--from", str(snapshot), "--as-of", SHOWN_AT])
    return f"```\n$ {command}\n{printed}\n```"


def exit_codes() -> str:
    """Each exit code, with its meaning."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(
        ["| exit | means |", "| --- | --- |", *rows, "", "Several at once: 5, 70, 2, 4, 6, 1, 3, 0, in this order."]
    )


def permissions() -> str:
    """Each permission, with what it lets keyaudit read."""
    reads: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        if operation.surface is not Surface.LOGIN and operation.permission != "none":
            reads.setdefault(operation.permission, []).append(operation.noun)
    return _items(f"{permission}: {', '.join(dict.fromkeys(nouns))}" for permission, nouns in reads.items())


def recorded() -> str:
    """Each operation with a recording, by recording."""
    seen: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        if operation.recording is not None:
            seen.setdefault(str(operation.recording), []).append(f"{operation.id} ({operation.noun})")
    items = _items(f"{recording}: {', '.join(reads)}" for recording, reads in sorted(seen.items()))
    return f"{sum(map(len, seen.values()))} of {len(OPERATIONS)} reads:\n\n{items}"


def documented() -> str:
    """The other operations, by family."""
    families = {
        family: [f"{each.id} ({each.noun})" for each in declared if each.recording is None]
        for family, declared in BY_SURFACE.items()
    }
    items = _items(f"{family}: {', '.join(reads)}" for family, reads in families.items() if reads)
    return f"{sum(map(len, families.values()))} of {len(OPERATIONS)} reads:\n\n{items}"


def policies() -> str:
    """Each shipped policy, with its requirement, by family: the folder that it is in."""
    families: dict[str, list[str]] = {}
    for policy in load():
        item = f"`{policy.text.id}` ({policy.text.severity}): {policy.text.title}"
        families.setdefault(Path(policy.file).parent.name, []).append(item)
    return "\n\n".join(f"## {family}: {len(items)}\n\n{_items(items)}" for family, items in sorted(families.items()))


def formats() -> str:
    """Each format, with what it is for."""
    printed = [f"`{name}`: {meaning}" for name, meaning in PRINTED.items()]
    written = [f"`{name}`: {each.meaning}{f'; {installing(each.extra)}' if each.extra else ''}" for name, each in FILES.items()]
    bundle = f"`{BUNDLE}`: a folder of evidence, written whole or not at all, which `keyaudit export verify DIR` checks"
    return f"Printed with `-o`, or written like those below:\n\n{_items(printed)}\n\nWritten:\n\n{_items([*written, bundle])}"


def policy_example() -> str:
    """A whole shipped policy."""
    return f"```yaml\n{EXAMPLE.read_text(encoding='utf-8').rstrip()}\n```"


def _items(texts: Any) -> str:
    return "\n".join(line for text in texts for line in wrap(text, 80, "- ", "  "))


FOUND: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: {"exit-codes": exit_codes},
    TOPICS / "answers.md": {"recorded": recorded, "documented": documented},
    TOPICS / "exports.md": {"formats": formats},
    TOPICS / "permissions.md": {"permissions": permissions},
    TOPICS / "policies.md": {"policies": policies},
    TOPICS / "policy-author.md": {"policy-example": policy_example},
}
"""The parts of each file that are made from the code alone."""


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """A file's text with these parts as they should be now."""
    for name, make in parts.items():
        start = f"<!-- generated: {name} -->"
        pattern = re.compile(re.escape(start) + r".*?<!-- end -->", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"not exactly one {start}")
        block = f"{start}\n{make()}\n<!-- end -->"
        text = block.join(pattern.split(text))
    return text


def screens(snapshots: Mapping[str, Path]) -> dict[str, Callable[[], str]]:
    """The parts of README that show a first screen, from a snapshot of each of ESTATES."""
    names = {"contoso": "demo"}
    return {names.get(estate, estate): lambda each=estate: screen(each, snapshots[each]) for estate in ESTATES}  # type: ignore[misc]


def _printed(arguments: list[str]) -> str:
    out = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}), redirect_stdout(out), redirect_stderr(io.StringIO()):
        run(arguments)
    return _trimmed(out.getvalue())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def _rewrite() -> None:
    with tempfile.TemporaryDirectory() as folder, clock.at(clock.COLLECTED):
        snapshots = {estate: Path(folder, estate) for estate in ESTATES}
        for estate, snapshot in snapshots.items():
            _printed(["collect", "--demo", "--estate", estate, "--out", str(snapshot), "--quiet"])
        for path, parts in FOUND.items():
            all_parts = {**parts, **(screens(snapshots) if path == README else {})}
            path.write_text(filled(path.read_text(encoding="utf-8"), all_parts), encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
