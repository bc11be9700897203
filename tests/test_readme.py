"""README cannot lie: its generated parts are as the code is now, and its two commands are there as promised."""

import re

from tests.docs import README, filled


def test_the_generated_parts_are_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == filled(text), "run: python -m tests.docs"


def test_what_the_first_command_prints_fits_a_screen_and_says_that_it_is_simulated() -> None:
    """As README shows it; that it is what the command prints is seen above."""
    [shown] = re.findall(r"\$ keyaudit report --demo\n(.*?)\n```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown.startswith("SIMULATED TENANT")
    assert "Contoso (simulated tenant)" in shown
    assert "CRITICAL" in shown
    assert len(shown.splitlines()) <= 45


def test_the_two_commands_for_a_bare_machine_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/keyaudit report --demo\n" in text
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest\n" in text
