"""Base64url: with - and _, and usually without padding."""

import base64


def decoded(text: str) -> bytes:
    """Decodes `text`, padded or not. Raises ValueError if it is not base64url."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
