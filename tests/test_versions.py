"""The interface for other programs is unchanged: ids, exit codes, columns, schemas and commands as recorded in
`tests/interface.json`.

`python -m tests.test_versions` records what was added. What was removed has to be removed there by hand, and listed in the
changelog.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from keyaudit import __version__
from keyaudit.cli.app import FORMER, app
from keyaudit.model import shapes
from keyaudit.model.errors import PRECEDENCE, Exit
from keyaudit.model.results import bundle
from keyaudit.policy import baseline
from keyaudit.policy.load import load
from keyaudit.report import members
from keyaudit.report.formats import FILES, FORMATS
from keyaudit.report.frameworks import by_control
from keyaudit.report.tabular import records
from keyaudit.report.topics import topic
from keyaudit.send.log_analytics.rows import COLUMNS

RECORDED = Path(__file__).parent / "interface.json"
CHANGELOG = RECORDED.parent.parent / "CHANGELOG.md"


def interface() -> dict[str, Any]:
    """What others build on. Lists of columns are in their order."""
    return {
        "exit_codes": {code.name: int(code) for code in Exit},
        "exit_code_that_counts": [int(code) for code in PRECEDENCE],
        "schemas": [members.SCHEMA, bundle.SCHEMA, baseline.SCHEMA, shapes.SCHEMA],
        "csv_columns": list(records.COLUMNS),
        "control_columns": list(by_control.COLUMNS),
        "log_analytics_columns": [f"{name} {type_}" for name, type_ in COLUMNS.items()],
        "policies": sorted(policy.text.id for policy in load()),
        "formats": sorted({*FORMATS, *FILES}),
        "flags": sorted(_with_former_names({*_flags(typer.main.get_command(app()), "keyaudit")})),
    }


def _flags(command: Any, name: str) -> Iterator[str]:
    yield from (f"{name} {flag}" for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts))
    for each, below in getattr(command, "commands", {}).items():
        yield from _flags(below, f"{name} {each}")


def _with_former_names(flags: set[str]) -> set[str]:
    """The flags, and those that commands take by their former names."""
    places = {f"keyaudit {' '.join(former)} ": f"keyaudit {' '.join(now)} " for former, now in FORMER.items()}
    places["keyaudit blast-radius "] = "keyaudit incident "
    return flags | {f"{old}{flag.removeprefix(new)}" for old, new in places.items() for flag in flags if flag.startswith(new)}


def test_nothing_that_others_build_on_is_gone() -> None:
    recorded, now = json.loads(RECORDED.read_text(encoding="utf-8")), interface()
    for name in ("exit_codes", "exit_code_that_counts"):
        assert now[name] == recorded[name]
    for name in ("csv_columns", "control_columns", "log_analytics_columns"):
        assert now[name][: len(recorded[name])] == recorded[name], "columns are added at the end"
    for name in ("schemas", "policies", "formats"):
        assert set(recorded[name]) - set(now[name]) == set()
    gone = set(recorded["flags"]) - set(now["flags"])
    # The names of arguments are typed by nobody.
    assert {flag for flag in gone if " -" in flag} == set()


def test_the_changelog_has_the_usual_form_and_begins_with_what_is_not_released() -> None:
    text = CHANGELOG.read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in versions[1:])
    assert versions[1:2] in ([], [each for each in versions if each.startswith(f"[{__version__}]")])
    kinds = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        named = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert named == [each for each in kinds if each in named]


def test_the_topic_names_each_schema() -> None:
    for schema in (members.SCHEMA, baseline.SCHEMA, shapes.SCHEMA):
        assert f"`{schema}`" in topic("versions")


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(interface(), indent=1) + "\n", encoding="utf-8")
