"""The form of ids in Entra and Azure: of objects, tenants, subscriptions and applications."""

import re
import unicodedata

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def is_disguised(text: str) -> bool:
    """Whether a text contains an id or an address that only its normal form shows, as full-width digits do.

    It equals no other spelling of that id, and nobody knows which object the service takes it for. https://unicode.org/reports/tr15
    """
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return False
    normal = unicodedata.normalize("NFKC", text)
    return GUID.search(normal) is not None or "://" in normal
