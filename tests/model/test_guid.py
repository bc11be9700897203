"""An id in characters that only look like those of ids."""

import pytest

from keyaudit.model.values.guid import is_disguised

ID = "72c8f378-644b-4fc1-8e6c-89044a5e9b2a"
WIDE = ID.translate({code: code + 0xFEE0 for code in map(ord, "0123456789abcdef")})


@pytest.mark.parametrize(
    ("text", "disguised"),
    [
        (ID, False),
        (WIDE, True),
        (f"/{WIDE.upper()}/sub", True),
        ("https\uff1a//issuer.example/", True),
        # Names may have such characters.
        ("repo:café/app:ref:refs/heads/\ufb01x", False),
        ("\uff30\uff32\uff4f\uff44", False),
        ("", False),
    ],
)
def test_an_id_is_in_its_normal_form_or_none(text: str, disguised: bool) -> None:
    assert is_disguised(text) is disguised
