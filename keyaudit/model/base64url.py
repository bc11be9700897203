"""Base64 as the web writes it: with - and _, and mostly without the padding."""

import base64


def decoded(text: str) -> bytes:
    """What `text` encodes, padded or not. Raises ValueError for anything that is not base64url."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
