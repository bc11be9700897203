"""The form of ids in Entra and Azure: of objects, tenants, subscriptions and applications."""

import re

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
