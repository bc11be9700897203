"""Messages and fixes say what a row holds, and let nothing of it act."""

import shlex
import shutil
import subprocess

import pytest

from keyaudit.model.findings import Value
from keyaudit.model.shell import powershell_quoted, shell_quoted
from keyaudit.policy.templates import Template, show
from keyaudit.policy.types import Kind

HOSTILE = ("it's", "$(id)", "`id`", "; rm -rf ~", "a b", "", "-n", '"x"', "a\\b", "!x", "\u2019; id; \u2018", "%PATH%", "{0}")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.TEXT, "none"),
        (True, Kind.BOOLEAN, "yes"),
        (False, Kind.BOOLEAN, "no"),
        (1_709_251_200, Kind.TIME, "2024-03-01"),
        (2**62, Kind.TIME, "+146138514283-06-19"),
        (730 * 86_400, Kind.DURATION, "730 days"),
        (2_048, Kind.INTEGER, "2048"),
        ((2, 2), Kind.COUNT, "2"),
        ((2, None), Kind.COUNT, "at least 2"),
        ((2, 5), Kind.COUNT, "2 to 5"),
        (["sign", "verify"], Kind.TEXTS, "sign, verify"),
        ([], Kind.TEXTS, "none"),
        ({"b": "2", "a": "1"}, Kind.MAP, "a=1, b=2"),
        ("a\r\x1b[31mb", Kind.TEXT, r"a\x0d\x1b[31mb"),
        (["\u202e", "::error::"], Kind.TEXTS, r"\u202e, :\:error:\:"),
        ({"\x07": "##vso"}, Kind.MAP, r"\x07=#\#vso"),
    ],
)
def test_a_value_is_shown_on_one_line(value: Value, kind: Kind, text: str) -> None:
    assert show(value, kind) == text


def test_braces_are_doubled_and_a_name_may_come_twice() -> None:
    template = Template.of('{{"name": "{name}"}} {name}', ["name"])
    assert template.names == ("name",)
    assert template.fill({"name": "{x}"}) == '{"name": "{x}"} {x}'


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_takes_a_quoted_value_as_one_word(text: str) -> None:
    assert shlex.split(shell_quoted(text)) == [text]
    shell = shutil.which("sh")
    assert shell is not None
    ran = subprocess.run([shell, "-c", f"printf %s {shell_quoted(text)} "], capture_output=True, text=True, check=True)
    assert ran.stdout == text or text == "-n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("kv-a/keys:1.2", "kv-a/keys:1.2"),
        ("it's", "'it''s'"),
        ("\u2019; id; \u2018", "'\u2019\u2019; id; \u2018\u2018'"),
        ("$(id)", "'$(id)'"),
        ("-Force", "'-Force'"),
        ("@splat", "'@splat'"),
        ("", "''"),
    ],
)
def test_powershell_takes_a_quoted_value_as_one_word(text: str, quoted: str) -> None:
    assert powershell_quoted(text) == quoted


def test_a_value_that_begins_with_a_dash_is_joined_to_its_option() -> None:
    """Names of keys may: az would take it for an option of its own."""
    template = Template("az keyvault key rotate --vault-name {vault} --name {name}-2 {name}", ["vault", "name"])
    values = {"vault": shell_quoted("kv"), "name": shell_quoted("-key")}
    assert template.fill(values) == "az keyvault key rotate --vault-name kv --name='-key'-2 '-key'"
