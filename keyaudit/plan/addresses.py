"""Whether a resource of a plan names keys, certificates and secrets of vaults, in its values and in its configuration.

A secret that is named without a version is left out: all that policies ask of such a use, only the service itself can tell.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from keyaudit.model.consumers import KEY, SECRET
from keyaudit.plan.document.resources import Planned

_URL = re.compile(
    r"https://[a-z0-9-]+\.(?:vault|managedhsm)\.[a-z0-9.-]+(?::443)?/(keys|secrets|certificates)/[a-z0-9-]+(/[a-z0-9]+)?",
    re.IGNORECASE,
)
_REFERENCE, _VERSION = "@microsoft.keyvault(", "secretversion="
"""In a setting whose value is in a vault: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""
_OF_TYPE = {
    "azurerm_key_vault_key": KEY,
    "azurerm_key_vault_managed_hardware_security_module_key": KEY,
    **dict.fromkeys((f"azurerm_key_vault_{each}" for each in ("secret", "certificate", "certificate_data")), SECRET),
}
_RESOURCE = re.compile(r"(?:data\.)?([a-z0-9_]+)\.[A-Za-z0-9_-]+(?:\[[^]]*\])?(?:\.([a-z0-9_]+))?")
_COPIED = re.compile(
    r"value|value_wo|certificate_data|certificate_data_base64|thumbprint|public_key_pem|public_key_openssh|pem|hex|key"
    r"|expiration_date|not_before_date|expires|not_before|content_type|tags|n|e|x|y"
)
"""Attributes of an object that say what it is or hold what is in it, and not where it is."""
_FOLLOWING = re.compile(r"name|(?:resource_)?versionless_(?:secret_)?id")
"""Attributes that name an object without a version."""
_MATERIAL = re.compile(r"passw|passphrase|connection_string|access_key|token")
"""Attributes that take what a secret holds: of `azurerm_key_vault_secret.x[each.key].value`, a plan lacks the last step."""
_NAMES_KEY = re.compile(r"key_(?:ids?|url|uri|identifier|versionless_id|name)$|encryption_key|customer_managed_key|vault_url$")
_ALWAYS = re.compile(r"key_vault_(?:key|secret|certificate)_(?:ids?|url)$")
"""Names of attributes that name something in a vault in any type."""


def named_in_vaults(planned: Planned, naming: Collection[str]) -> Iterator[str]:
    """Which it names, or may: keys, secrets (as which a certificate is used), or both. `naming`: its attributes that do."""
    said = list(_in_expressions(planned.expressions, ""))
    yield from (kind for _, kind in said if kind)
    resolved = {name for name, _ in said}
    for name in planned.names:
        value, unknown = planned.parts(name)
        yield from in_values(value)
        if planned.is_set(name) or not unknown or unknown is not True:
            yield from (kind for each, kind in _in_attributes(name, value, unknown, naming) if each not in resolved)


def in_values(part: object) -> Iterator[str]:
    """Which of them the texts in a value name."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from in_values(each)
    elif isinstance(part, str):
        match = _URL.search(part)
        if match and (match[1].lower() == "keys" or match[2]):
            yield KEY if match[1].lower() == "keys" else SECRET
        if _REFERENCE in part.lower() and _VERSION in part.lower():
            yield SECRET


def _in_attributes(name: str, value: object, unknown: object, naming: Collection[str]) -> Iterator[tuple[str, str]]:
    """Attributes that name something, here or within, whose values are not known or are no address in a vault."""
    known = isinstance(value, str) and _URL.match(value)
    if (name in naming or _ALWAYS.search(name)) and (unknown is True or (value and not known)):
        yield name, KEY if _NAMES_KEY.search(name) else SECRET
    if isinstance(value, dict) or isinstance(unknown, dict):
        values, marks = (each if isinstance(each, dict) else {} for each in (value, unknown))
        for inner in {**values, **marks}:
            yield from _in_attributes(inner, values.get(inner), marks.get(inner), naming)
    elif isinstance(value, list):
        marked = unknown if isinstance(unknown, list) else []
        for at, each in enumerate(value):
            yield from _in_attributes("", each, marked[at] if at < len(marked) else None, naming)


def _in_expressions(part: object, name: str) -> Iterator[tuple[str, str]]:
    """The attributes that refer to objects of vaults, and which; empty for one that is named without a version.

    `name`: of the attribute that these expressions are of.
    """
    if isinstance(part, list):
        for each in part:
            yield from _in_expressions(each, name)
    if not isinstance(part, dict):
        return
    references = part.get("references")
    if isinstance(references, list):
        found = list(_in_references([each for each in references if isinstance(each, str)], name))
        yield from ((name, kind) for kind in found)
        return
    of_blocks: Mapping[Any, Any] = part
    for inner, each in of_blocks.items():
        yield from _in_expressions(each, str(inner))


def _in_references(references: Collection[str], name: str) -> Iterator[str]:
    for each in references:
        match = _RESOURCE.fullmatch(each)
        kind = _OF_TYPE.get(match[1]) if match else None
        if match is None or kind is None or (match[2] and _COPIED.fullmatch(match[2])):
            continue
        # Each reference is listed with its beginnings, which name the whole.
        begins = any(other.startswith((f"{each}.", f"{each}[")) for other in references)
        if match[2] or not (begins or _MATERIAL.search(name)):
            yield "" if kind == SECRET and match[2] and _FOLLOWING.fullmatch(match[2]) else kind
