"""What a hostile or broken Azure can do to a run: cost it a gap and the right exit code, never a token or a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running

EVIL = "vault.azure.net.evil.example"
OTHER = "11111111-2222-4333-8444-555555555555"
CHOSEN = {
    "vault": ("--source", "vaults", "--select", "kv-purge-protection-off"),
    "key": ("--source", "keys", "--select", "kv-key-exportable"),
    "application": (
        *("--source", "applications", "--select", "app-audience-multi-tenant"),
        *("--source", "vaults", "--select", "kv-purge-protection-off"),
    ),
}
"""What to read, and policies over it by which nothing is wrong in this tenant."""


@contextmanager
def _led(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Simulator]:
    with running("sized:2x3x1x4", traps=[EVIL], **options) as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


def test_another_tenant_is_refused_before_anything_is_read(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with _led(monkeypatch) as simulator:
        ran = keyaudit("report", "--auth", "env", "--tenant", OTHER)
        assert ran.code == Exit.UNSAFE
        assert ran.err.count("\n") == 1
        assert OTHER in ran.err
        assert simulator.estate.tenant_id in ran.err
        assert all(host == "login.microsoftonline.com" for _, host, _ in simulator.requests)


def test_the_tenant_can_be_named_by_a_domain(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with _led(monkeypatch) as simulator:
        ran = keyaudit("report", "--auth", "env", "--tenant", simulator.estate.domains[0].name, *CHOSEN["vault"])
        assert ran.code == Exit.CLEAN


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (Fault("key.list", "every", next_link=f"https://{EVIL}/keys?api-version=2025-07-01"), Exit.UNSAFE, "foreign_link"),
        (Fault("key.get", "every", status=302, headers={"Location": f"https://{EVIL}/"}), Exit.UNSAFE, "redirected"),
        (Fault("application.list", "every", next_link="{self}"), Exit.INCOMPLETE, "page_loop"),
    ],
    ids=lambda value: value.operation if isinstance(value, Fault) else None,
)
def test_a_broken_answer_is_a_gap_with_its_reason(
    keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch, fault: Fault, code: Exit, reason: str
) -> None:
    chosen = CHOSEN[fault.operation.partition(".")[0]]
    with _led(monkeypatch, faults=[fault]) as simulator:
        ran = keyaudit("gate", "--auth", "env", *chosen, "-o", "json")
        assert ran.code == code
        assert reason in {gap["reason"] for gap in ran.json["gaps"]}
        assert "Traceback" not in ran.err
        assert not simulator.trapped
        assert EVIL not in " ".join(simulator.refused)


@pytest.mark.parametrize("what", CHOSEN)
def test_without_a_broken_answer_the_same_gate_is_clean(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    with _led(monkeypatch):
        ran = keyaudit("gate", "--auth", "env", *CHOSEN[what])
    assert ran.code == Exit.CLEAN, ran.out


def test_a_wrong_secret_is_one_line_and_exit_4(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with _led(monkeypatch):
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong-secret")
        ran = keyaudit("report", "--auth", "env")
        assert ran.code == Exit.NO_ACCESS
        assert "AADSTS7000215" in ran.err
        assert "wrong-secret" not in ran.err
        assert ran.err.count("\n") == 1


def test_an_identity_that_sees_nothing_is_not_clean(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every identity may read the sign-in host's metadata, and list subscriptions, which are empty here.
    refusal = {"error": {"code": "Authorization_RequestDenied", "message": "no"}}
    nothing = [
        Fault("subscription.list", "every", body={"value": []}),
        *(
            Fault(operation.id, "every", status=403, body=refusal)
            for operation in OPERATIONS.values()
            if operation.surface is not Surface.LOGIN and operation.id != "subscription.list"
        ),
    ]
    with _led(monkeypatch, faults=nothing):
        ran = keyaudit("gate", "--auth", "env")
        assert ran.code == Exit.NO_ACCESS
        assert "nothing_visible" in ran.out


def test_no_token_or_secret_is_printed_or_written(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with _led(monkeypatch) as simulator:
        ran = keyaudit("collect", "--auth", "env", "--out", tmp_path / "s")
        assert ran.code == Exit.CLEAN
        written = b"".join(path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file())
        for text in (simulator.client_secret.encode(), b"Bearer", b"eyJ"):
            assert text not in written
            assert text.decode() not in ran.out + ran.err


def test_a_device_code_is_shown_and_then_the_tenant_is_read(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with _led(monkeypatch) as simulator:
        ran = keyaudit("report", "--auth", "device-code", "--tenant", simulator.estate.tenant_id, *CHOSEN["vault"])
    assert ran.code == Exit.CLEAN, ran.err
    code, reading = ran.err.splitlines()
    assert "enter the code SIMULATED" in code
    assert reading.startswith("reading tenant")


def test_a_bug_in_one_surface_costs_that_surface_and_ends_with_70(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("name-of-a-secret-project")

    monkeypatch.setattr("keyaudit.collect.entra.applications.application_row", broken, raising=True)
    with _led(monkeypatch):
        ran = keyaudit("report", "--auth", "env", *CHOSEN["application"], "-o", "json")
    assert ran.code == Exit.BUG
    assert "internal_error" in {gap["reason"] for gap in ran.json["gaps"]}
    told = [line for line in ran.err.splitlines() if line.startswith("a bug in")]
    assert told
    assert all(line.endswith("please report it with this line") for line in told)
    assert "name-of-a-secret-project" not in ran.err
