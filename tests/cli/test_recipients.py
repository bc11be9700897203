"""Who gets an owner's message: administrators say it, and what the tenant says of an owner only selects among that."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from keyaudit.cli.settings.channels import VARIABLE, recipients
from keyaudit.cli.settings.config import read_config
from keyaudit.cli.settings.recipients import Recipients

GIVEN = b"""
[notify]
default = "json://default"
[notify.owners]
"ciso@contoso.example" = "json://ciso"
"team-release" = ["json://release", "json://shared"]
"team-*" = "json://star"
"""


def read(text: bytes = GIVEN) -> Recipients:
    with NamedTemporaryFile(suffix=".toml") as file:
        file.write(text)
        file.flush()
        return read_config(Path(file.name)).recipients


def texts(found: Recipients, *owners: str) -> list[str]:
    return [address.text for address in found.addresses_of(owners)]


@pytest.mark.parametrize(
    ("owners", "wanted"),
    [
        (["ciso@contoso.example"], ["json://ciso"]),
        ([" CISO@Contoso.example "], ["json://ciso"]),
        (["team-release"], ["json://release", "json://shared"]),
        (["team-release", "ciso@contoso.example"], ["json://release", "json://shared", "json://ciso"]),
        (["team-release", "somebody"], ["json://release", "json://shared"]),
        (["team-release", "TEAM-RELEASE"], ["json://release", "json://shared"]),
        (["somebody"], ["json://default"]),
        ([], ["json://default"]),
    ],
)
def test_owners_with_an_entry_get_their_message_once_and_the_default_gets_the_others(
    owners: list[str], wanted: list[str]
) -> None:
    assert texts(read(), *owners) == wanted


@pytest.mark.parametrize(
    "owner",
    [
        "*",
        "team-?elease",
        "team-platform",
        ".*",
        "%",
        "team-release,ciso@contoso.example",
        "team-release ciso@contoso.example",
        "team-release\nciso@contoso.example",
        "json://evil.example",
        "mailto://me@evil.example",
        "$HOME",
        "$EVIL",
        "ciso@contoso.example\x00",
        "default",
        "",
        "  ",
    ],
)
def test_a_hostile_owner_selects_nothing_by_a_pattern_and_adds_nobody(owner: str) -> None:
    found = recipients(read(), (), None, {"EVIL": "json://evil.example"})
    assert texts(found, owner) == ["json://default"]
    # An entry is no pattern either.
    assert texts(found, "team-*") == ["json://star"]


def test_flags_replace_the_default_and_the_variable_is_used_without_both() -> None:
    environ = {VARIABLE: "json://variable json://second"}
    assert texts(recipients(read(), ["json://flag"], None, environ)) == ["json://flag"]
    assert texts(recipients(read(), (), None, environ)) == ["json://default"]
    assert texts(recipients(Recipients(), (), None, environ)) == ["json://variable", "json://second"]
    assert texts(recipients(read(), ["json://flag"], None, environ), "team-release") == ["json://release", "json://shared"]


def test_an_address_is_never_part_of_what_is_printed() -> None:
    found = recipients(read(b'[notify]\ndefault = "slack://hunter2"\nowners = {a = "slack://hunter2"}\n'), (), None, {})
    assert "hunter2" not in repr(found)
