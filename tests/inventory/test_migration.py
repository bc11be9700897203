"""By when keys have to move: the years of the plan with their boundaries, and what is unknown is in no wave."""

from collections import Counter
from typing import Any

import pytest

from keyaudit.inventory.expiring import TABLES_THAT_END
from keyaudit.inventory.migration import migration
from keyaudit.model.algorithms import algorithm, allowed_until, last_year
from keyaudit.model.reasons import Reason
from keyaudit.model.results.overview import Migration, Wave
from keyaudit.model.values.times import parse_date
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, in_memory, vault
from tests.inventory.sample import key as any_key

_READ = (*(table.name for table in TABLES_THAT_END), "vault", "application", "service_principal", "principal")
_2031, _2036 = parse_date("2031-01-01"), parse_date("2036-01-01")
RSA: dict[str, Any] = {"kty": "RSA", "key_size": 2048, "curve": None}
LONG: dict[str, Any] = {"kty": "RSA-HSM", "key_size": 3072, "curve": None}
OKP: dict[str, Any] = {"kty": "OKP-HSM", "key_size": None, "curve": "Ed25519"}
AKP: dict[str, Any] = {"kty": "AKP-HSM", "key_size": None, "curve": None}
EC: dict[str, Any] = {"kty": "EC", "key_size": None, "curve": "P-256"}


def found(*keys: Row) -> Migration:
    rows = {"key": list(keys), "vault": [vault()]}
    coverage = {TENANT: assessed(TENANT, "application.list", "service_principal.list")}
    with in_memory(rows, coverage, *_READ, reach=True, alone=True) as connection:
        return migration(connection, AS_OF, complete=True)


def key(version: str = "a", /, **values: Any) -> Row:
    usual: dict[str, Any] = {"is_current": True, "tags": {"owner": "team"}}
    return any_key(version * 32, name="k", **(usual | values)) | {"name": "k"}


WAVES: list[tuple[dict[str, Any], Wave]] = [
    ({**RSA, "expires_on": None}, Wave.FIRST),
    ({**RSA, "expires_on": _2031}, Wave.FIRST),
    ({**RSA, "expires_on": _2031 - 1}, Wave.IN_TIME),
    ({**RSA, "key_size": 1024, "expires_on": AS_OF + 1}, Wave.FIRST),
    ({**RSA, "key_size": 1024, "expires_on": Reason.PERMISSION}, Wave.FIRST),
    ({**LONG, "expires_on": _2031}, Wave.IN_TIME),
    ({**LONG, "expires_on": _2036 - 1}, Wave.IN_TIME),
    ({**LONG, "expires_on": _2036}, Wave.SECOND),
    ({**EC, "expires_on": None}, Wave.SECOND),
    ({**EC, "curve": Reason.PERMISSION, "expires_on": None}, Wave.SECOND),
    ({**OKP, "expires_on": None}, Wave.SECOND),
    ({**OKP, "curve": Reason.UNRECOGNISED, "expires_on": None}, Wave.SECOND),
    ({"kty": "oct-HSM", "key_size": None, "curve": None, "expires_on": None}, Wave.UNAFFECTED),
    ({**AKP, "parameter_set": "ML-DSA-65", "expires_on": None}, Wave.UNAFFECTED),
    ({**AKP, "parameter_set": Reason.BAD_BODY, "expires_on": None}, Wave.UNKNOWN),
    ({**RSA, "key_size": Reason.PERMISSION, "expires_on": None}, Wave.UNKNOWN),
    ({**RSA, "expires_on": Reason.PERMISSION}, Wave.UNKNOWN),
    ({"kty": Reason.PERMISSION, "key_size": Reason.PERMISSION, "curve": Reason.PERMISSION}, Wave.UNKNOWN),
]


def test_a_key_is_in_the_wave_of_its_algorithm_and_its_end() -> None:
    keys = [
        any_key(name=f"k{number}", version="a" * 32, is_current=True, tags={"owner": f"{number}"}, **values)
        for number, (values, _) in enumerate(WAVES)
    ]
    moved = found(*keys)
    owners = {each.of.names[0]: dict(each.counts) for each in moved.owners if not isinstance(each.of, str)}
    assert owners == {f"{number}": {wave: 1} for number, (_, wave) in enumerate(WAVES)}
    assert sum((Counter(each.counts) for each in moved.algorithms), Counter()) == Counter(wave for _, wave in WAVES)


@pytest.mark.parametrize(
    "values", [{"enabled": False}, {"is_current": False}, {"expires_on": AS_OF}], ids=["disabled", "superseded", "expired"]
)
def test_what_is_out_of_use_does_not_move(values: dict[str, Any]) -> None:
    assert found(key(**RSA, **values)).owners == []


def test_owners_come_by_how_much_is_first_and_algorithms_are_named_with_their_size() -> None:
    moved = found(
        key("a", **RSA, expires_on=None, tags={"owner": "late"}),
        key("b", **LONG, expires_on=None, tags={"owner": "calm"}),
        key("c", **EC, expires_on=None, tags={"owner": "calm"}),
    )
    assert [each.of.names for each in moved.owners if not isinstance(each.of, str)] == [("late",), ("calm",)]
    assert [each.of for each in moved.algorithms] == ["RSA-2048", "EC-P-256", "RSA-3072"]


@pytest.mark.parametrize(
    ("family", "size", "curve", "year", "words"),
    [
        ("RSA", 1024, None, None, "no longer allowed: NIST SP 800-131A Rev. 2"),
        ("RSA", 2048, None, 2030, "Deprecated after 2030, disallowed after 2035: NIST IR 8547"),
        ("RSA-HSM", 3072, None, 2035, "Disallowed after 2035: NIST IR 8547"),
        ("EC", None, "P-521", 2035, "Disallowed after 2035"),
        ("EC", None, None, 2035, "Disallowed after 2035"),
        ("RSA", None, None, None, "Disallowed after 2035 at the latest"),
        ("oct", None, None, None, "Not affected"),
        ("2.16.840.1.101.3.4.3.19", None, None, None, "Not affected"),
        ("ML-DSA-44", None, None, None, "Not affected"),
        ("OKP-HSM", None, "Ed25519", 2035, "Disallowed after 2035"),
        ("AKP", None, None, None, "Unknown whether"),
        ("1.2.3", None, None, None, "Unknown whether"),
    ],
)
def test_a_year_is_never_said_without_its_standard(
    family: str, size: int | None, curve: str | None, year: int | None, words: str
) -> None:
    made = algorithm(family, size, curve)
    assert last_year(made) == year
    assert words in allowed_until(made)
