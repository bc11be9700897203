"""A run for the page of one key: fewer requests, the same page as of a whole run, and what was left out is said."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from keyaudit import ask
from keyaudit.collect.entra import directory, public_keys
from keyaudit.collect.focus import MOST, Focus
from keyaudit.collect.run import collect_all
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.model.errors import Exit
from keyaudit.questions.incident.evidence.operations import needed
from keyaudit.questions.incident.json import render
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from tests.collect.estate import AS_OF, DAY
from tests.collect.rig import Noted, begun, connected
from tests.matrices import first_of
from tests.shared import views_once  # noqa: F401 - pytest finds it here

pytestmark = pytest.mark.usefixtures("views_once")

CONTOSO = (
    "kv-identity-prod/consumer-token-signing",
    "https://kv-data-prod.vault.azure.net/certificates/etl-client",
    "hsm-contoso-trust/branch-link-signing",
    "Partner EDI",
    "https://kv-data-prod.vault.azure.net/secrets/lakehouse-sas",
)
"""A key, a certificate, a key of an HSM, an application, and a secret."""


def _without_keys(body: Any) -> Any:
    for item in body["value"]:
        for key in item.get("keyCredentials", ()):
            key["key"] = None
    return body


LIST_WITHOUT_CERTIFICATES = tuple(
    Fault(f"{kind}.list", "every", edit=_without_keys) for kind in ("application", "service_principal")
)
"""As https://learn.microsoft.com/graph/api/resources/keycredential says: only a single object has `key`."""
_NEEDLESS = {"secret.list", "deleted_key.list", "diagnostic_setting.list", "alert_rule.query", "application.owners"}


class Taken(Struct):
    snapshot: Snapshot
    calls: Mapping[str, int]

    @property
    def requests(self) -> int:
        return sum(self.calls.values())


def take(folder: Path, of: Estate, asked: str = "", faults: Sequence[Fault] = ()) -> Taken:
    """A run, whole or for the page of what was asked."""

    async def run() -> Taken:
        async with serve(of, faults=faults) as simulator, connected(simulator) as connection:
            with begun(folder, of.tenant_id) as spool:
                focus = Focus(asked, needed(asked)) if asked else None
                assert not await collect_all(connection, spool, progress=Noted(), focus=focus)
                return Taken(write(spool, spool.run), Counter(simulator.calls))

    return asyncio.run(run())


def page(of: Snapshot, asked: str) -> dict[str, Any]:
    out = io.StringIO()
    render(ask.incident(of, asked, as_of=AS_OF, logs=None, usual=None, since=None), out)
    found: dict[str, Any] = json.loads(out.getvalue())
    # The ledger is about the run, and not about the key.
    del found["coverage"], found["run"]
    return found


@pytest.fixture(scope="module")
def contoso() -> Estate:
    return estate("contoso", AS_OF - AS_OF % DAY)


@pytest.fixture(scope="module")
def whole(contoso: Estate, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    return take(tmp_path_factory.mktemp("whole") / "out", contoso)


@pytest.mark.parametrize("asked", first_of(CONTOSO))
def test_the_page_is_that_of_a_whole_run_with_fewer_requests(asked: str, contoso: Estate, whole: Taken, tmp_path: Path) -> None:
    taken = take(tmp_path / "out", contoso, asked)
    assert page(taken.snapshot, asked) == page(whole.snapshot, asked)
    assert taken.requests <= 0.4 * whole.requests
    assert set(taken.calls).isdisjoint({"key.rotation", "application.owners", "diagnostic_setting.list", "alert_rule.query"})
    # Whether VAULT/NAME is a secret, only that vault says.
    assert taken.calls["secret.list"] == ("/secrets/" in asked or "kv-identity-prod/" in asked)
    assert taken.calls["secret.versions"] < 0.2 * whole.calls["secret.versions"]


def named(of: Estate, **having: bool) -> str:
    """The first application of a sized tenant with federated credentials, or with none but a certificate."""
    federated = having["federated"]
    return next(str(each.name) for each in of.applications if (federated or each.keys) and bool(each.federated) is federated)


def requests(size: str, tmp: Path) -> Iterator[Counter[str]]:
    """Requests for the page of a key, and of an application, on a tenant of that size."""
    of = estate(size, AS_OF - AS_OF % DAY)
    asked = (f"{of.vaults[0].name}/{of.vaults[0].keys[0].name}", named(of, federated=False))
    for number, each in enumerate(asked):
        yield Counter(take(tmp / f"{size.replace(':', '-')}-{number}", of, each).calls)


@pytest.mark.exhaustive
def test_the_number_of_requests_does_not_grow_with_keys_and_applications(tmp_path: Path) -> None:
    few, many = list(requests("sized:1x10x1x400", tmp_path)), list(requests("sized:1x50x1x1100", tmp_path))
    for less, more in zip(few, many, strict=True):
        grown = {name: more[name] - less[name] for name in more if more[name] > less[name]}
        # Lists have a page for 25 keys and for 999 applications.
        assert set(grown) <= {"key.list", "application.list", "service_principal.list", "service_principal.app_roles"} | {
            "sign_in_activity.list",
            "credential_activity.list",
        }
        assert all(number <= 4 for number in grown.values())
        assert more.total() <= 100


def test_other_federated_credentials_of_a_large_tenant_are_left_out_and_said(tmp_path: Path) -> None:
    of = estate("sized:1x2x1x400", AS_OF - AS_OF % DAY)
    asked = named(of, federated=True)
    all_read, taken = take(tmp_path / "whole", of), take(tmp_path / "part", of, asked)
    federated = sum(bool(each.federated) for each in of.applications)
    assert federated > MOST
    assert (all_read.calls["application.federated_of"], taken.calls["application.federated_of"]) == (federated, 1)
    found, other = page(taken.snapshot, asked), page(all_read.snapshot, asked)
    # Its own are read: the only difference is that others may trust it.
    more = [edge for edge in found["edges"] if edge not in other["edges"]]
    assert [edge for edge in other["edges"] if edge not in found["edges"]] == []
    assert [(edge["relation"], edge["unknown"], edge["target"]) for edge in more] == [
        (
            "reaches",
            "not_asked",
            "unknown/reaches/who can use it, and what its holder reaches: an application's federated credentials not read",
        )
    ]
    assert any(edge["how"] == "federated credential" for edge in found["edges"])
    assert found["verdict"]["exit"] == Exit.INCOMPLETE
    assert [gap["reason"] for gap in found["gaps"]] == ["not_asked"]


def test_certificates_that_graphs_list_leaves_out_are_read_of_the_application_that_is_meant(
    contoso: Estate, whole: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (public_keys, directory):
        monkeypatch.setattr(module, "MOST", 0)
    taken = take(tmp_path / "out", contoso, "etl-runner", LIST_WITHOUT_CERTIFICATES)
    assert taken.calls["application.get"] == 1
    found, other = page(taken.snapshot, "etl-runner"), page(whole.snapshot, "etl-runner")
    # The key is known, so every copy of it in a vault is found.
    assert found["subject"] == other["subject"]
    kept = {edge["target"] for edge in other["edges"] if edge["relation"] == "kept-in"}
    assert kept == {edge["target"] for edge in found["edges"] if edge["relation"] == "kept-in"} != set()
    # Whether another application has the same key is not known, and not "no".
    (unsure,) = (edge for edge in found["edges"] if "credentials whose certificate was not shown" in edge["target"])
    assert unsure["unknown"] == "not_asked"
    assert found["verdict"]["exit"] == Exit.INCOMPLETE
