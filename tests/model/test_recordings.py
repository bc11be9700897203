"""Each operation that names a recording in tests/recorded has it there, and each recording there is named."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import Struct

from keyaudit.model import operations
from keyaudit.model.operations import OPERATIONS, Operation, Surface

FOLDER = Path(__file__).parent.parent / "recorded"
HOSTS = {
    "management.azure.com": Surface.ARM,
    "graph.microsoft.com": Surface.GRAPH,
    "login.microsoftonline.com": Surface.LOGIN,
    "vault.azure.net": Surface.VAULT,
    "managedhsm.azure.net": Surface.MANAGED_HSM,
}
CHANGING = ("$expand", "$filter")
"""The arguments of a list that change what its items hold, or what a list of them means."""


class Seen(Struct):
    """A recorded answer of status 200 that has at least one item."""

    file: str
    source: str
    method: str
    surface: Surface
    path: str
    query: Mapping[str, list[str]]

    def shows(self, operation: Operation) -> bool:
        """Whether the operation's answers have this form."""
        form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]*", re.escape(operation.path)), re.IGNORECASE)
        query = dict(operation.query)
        return (
            self.method == operation.method
            and self.surface == operation.surface
            and form.fullmatch(self.path) is not None
            and all(_first(query[name]) in "".join(self.query.get(name, ())) for name in CHANGING if name in query)
            # A preview is there for the members that other versions do not have.
            and ("preview" not in operation.api_version or [operation.api_version] == self.query.get("api-version"))
        )


def _first(text: str) -> str:
    return text.split("/", maxsplit=1)[0].split("(", maxsplit=1)[0]


def recorded() -> Iterator[Seen]:
    for path in sorted(FOLDER.glob("*.json")):
        file: dict[str, Any] = json.loads(path.read_text())
        for exchange in file["exchanges"]:
            request, response = exchange["request"], exchange["response"]
            if response["status"] != 200 or (isinstance(response["body"], dict) and response["body"].get("value") == []):
                continue
            asked = urlsplit(request["path"])
            surface = next(surface for host, surface in HOSTS.items() if request["host"].endswith(host))
            source = file["sources"][exchange["from"]] if "from" in exchange else file["source"]
            yield Seen(path.stem, source, request["method"], surface, asked.path, parse_qs(asked.query))


def shown(seen: Seen) -> list[Operation]:
    """The operations that it shows: of those whose path fits, the ones with the most literal path."""
    fitting = [each for each in OPERATIONS.values() if seen.shows(each)]
    least = min((each.path.count("{") for each in fitting), default=0)
    return [each for each in fitting if each.path.count("{") == least]


RECORDED = list(recorded())


@pytest.mark.parametrize("id_", [each.id for each in OPERATIONS.values() if each.recording and each.recording.kept])
def test_a_recording_that_an_operation_names_is_there(id_: str) -> None:
    recording = OPERATIONS[id_].recording
    assert recording is not None
    sources = [seen.source.replace("PyPI sdist", "PyPI") for seen in RECORDED if OPERATIONS[id_] in shown(seen)]
    assert any(source.startswith(recording.origin) and recording.name in source for source in sources)


@pytest.mark.parametrize("seen", RECORDED, ids=lambda seen: f"{seen.file} {seen.method} {seen.path[-60:]}")
def test_a_recording_that_is_there_is_named_by_its_operations(seen: Seen) -> None:
    for operation in shown(seen):
        assert operation.recording is not None, operation.id
        assert operation.recording.kept, operation.id


def test_what_is_said_of_recordings_is_said_of_an_operation_of_the_same_file() -> None:
    for module in operations._DECLARING:
        assert getattr(module, "RECORDED", {}).keys() <= {each.id for each in module.DECLARED}
    assert sum(each.recording is not None for each in OPERATIONS.values()) == sum(
        len(getattr(module, "RECORDED", {})) for module in operations._DECLARING
    )


def test_an_answer_of_another_form_shows_nothing() -> None:
    listed = next(each for each in RECORDED if each.path == "/keys")
    assert [each.id for each in shown(listed)] == ["key.list"]
    ids = {each.id for seen in RECORDED for each in shown(seen)}
    # Expanded, filtered, or of a preview: the plain list, and an older version, do not show these.
    assert ids.isdisjoint({"application.owners", "application.federated", "service_principal.app_roles", "key.get_preview"})
