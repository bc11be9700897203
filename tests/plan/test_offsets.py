"""A time that counts from the moment of apply is known. internal/provider/resource_time_offset.go of
hashicorp/terraform-provider-time 0.14.0.
"""

from typing import Any

import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import parse_time
from keyaudit.plan.document.terraform import decode
from keyaudit.plan.resources.offsets import moment
from keyaudit.plan.run import answers_of
from tests.plan.small import UNKNOWN, Resource, key, plan, vault, written
from tests.plan.test_gate import HSM, LOGGED, SAFE, gate, keyaudit

__all__ = ["gate", "keyaudit"]

PARTS = dict.fromkeys(f"offset_{part}" for part in ("years", "months", "days", "hours", "minutes", "seconds"))


def offset(**parts: Any) -> Resource:
    return Resource("time_offset.end", {**PARTS, "base_rfc3339": UNKNOWN, "rfc3339": UNKNOWN, **parts})


def ending(reference: str = "time_offset.end.rfc3339", **changed: Any) -> Resource:
    found = key(**{**HSM, "expiration_date": UNKNOWN, **changed})
    found.refers = {**found.refers, "expiration_date": reference}
    return found


@pytest.mark.parametrize(
    ("parts", "now", "expected"),
    [
        ({"offset_days": 90}, "2026-11-24T12:00:00Z", "2027-02-22T12:00:00Z"),
        ({"offset_hours": 1}, "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"),
        ({"offset_months": 3}, "2026-11-24T12:00:00Z", "2027-02-24T12:00:00Z"),
        # A day that the month does not have, as Go counts it.
        ({"offset_months": 1}, "2027-01-31T12:00:00Z", "2027-03-03T12:00:00Z"),
        ({"offset_years": 1}, "2028-02-29T12:00:00Z", "2029-03-01T12:00:00Z"),
        # Of several, the provider takes one.
        ({"offset_years": 1, "offset_days": 1}, "2026-11-24T12:00:00Z", "2027-11-24T12:00:00Z"),
        ({"offset_days": 1, "base_rfc3339": "2030-01-01T00:00:00Z"}, "2026-11-24T12:00:00Z", "2030-01-02T00:00:00Z"),
        ({"offset_days": UNKNOWN}, "2026-11-24T12:00:00Z", None),
        ({"offset_years": 10**12}, "2026-11-24T12:00:00Z", None),
    ],
)
def test_it_ends_as_the_provider_counts(parts: Any, now: str, expected: str | None) -> None:
    document = written(plan(vault(), ending(), offset(**parts)))
    ground, _ = answers_of(decode(document, "plan.json"), ENVIRONMENTS["public"], parse_time(now))
    [planned] = ground.resources.of("azurerm_key_vault_key")
    found = moment(ground, planned, "expiration_date")
    assert found == (parse_time(expected) if expected else planned.value("expiration_date"))


def test_a_key_that_expires_a_while_after_apply_passes(gate: Any) -> None:
    ran = gate(vault(**SAFE), LOGGED, ending(), offset(offset_days=180), flags=("--fail-on", "low", "--select", "kv-key-*"))
    assert ran.code == Exit.CLEAN, ran.out
    assert "UNKNOWN" not in ran.out


def test_an_offset_that_ends_too_late_or_is_not_known_does_not(gate: Any) -> None:
    flags = ("--fail-on", "low", "--select", "kv-key-no-expiry", "--select", "pqc-quantum-vulnerable-long-lived")
    ran = gate(vault(**SAFE), LOGGED, ending(), offset(offset_years=12), flags=flags)
    assert ran.code == Exit.FINDINGS, ran.out
    ran = gate(vault(**SAFE), LOGGED, ending("local.end"), flags=flags)
    assert ran.code == Exit.INCOMPLETE, ran.out
