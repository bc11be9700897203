"""Which names somebody may have meant: the nearest, however a pattern is written, and none that is not near."""

import pytest

from keyaudit.model.scope.filters import close_to, did_you_mean

VAULTS = ("kv-prod-eu", "kv-prod-us", "kv-test-eu", "Legacy")


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("kv-prd-*", ("kv-prod-eu", "kv-prod-us")),
        ("kv-prdo-eu", ("kv-prod-eu",)),
        ("*-test-ue", ("kv-test-eu",)),
        ("LEGCAY", ("Legacy",)),
        ("Legcy*", ("Legacy",)),
        ("k?-tset-eu", ("kv-test-eu",)),
        ("zzz", ()),
        ("", ()),
    ],
)
def test_the_nearest_are_named(pattern: str, meant: tuple[str, ...]) -> None:
    assert close_to(pattern, VAULTS) == meant


def test_no_more_than_asked_for() -> None:
    assert len(close_to("kv-prod-*", [f"kv-prodx-{number}" for number in range(50)])) == 3


def test_a_name_from_the_tenant_is_safe_for_one_line() -> None:
    assert did_you_mean("kv-y[2J", ["kv-x\x1b[2J"]) == r"did you mean kv-x\x1b[2J?"
    assert did_you_mean("kv-x", []) == ""
