"""Hostile names on one line: what a terminal or a build agent would obey never comes through."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.model.values.text import one_line


@given(st.text())
def test_no_control_character_and_no_agent_command_survives(text: str) -> None:
    shown = one_line(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert "##" not in shown
    assert not re.search("::", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("kv-prod", "kv-prod"),
        ("Señor Ünïcode 日本語", "Señor Ünïcode 日本語"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nPASS", "a\\x0aPASS"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\U000e0001x", "\\U000e0001x"),
        ("##vso[task.complete result=Succeeded]", "#\\#vso[task.complete result=Succeeded]"),
        ("####", "#\\#\\#\\#"),
        ("::error::x", ":\\:error:\\:x"),
    ],
)
def test_what_is_hidden_is_shown_and_the_rest_is_left_alone(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_long_name_is_cut_and_says_how_long_it_was() -> None:
    assert one_line("x" * 1_000, limit=10) == "xxxxxxxxxx... (1,000 characters)"
