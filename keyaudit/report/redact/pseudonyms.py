"""Keyed pseudonyms: the same text always has the same one; ids keep their form and kinds stay readable.

`vault-7f3a91c2d04e`, `person-04be...`; a GUID stays a GUID, a thumbprint stays one of its length. The digits after the kind
depend on the text alone, case aside, so that a name in one column is found again in another, or inside an id.
"""

import hashlib
import hmac
import re
from functools import lru_cache

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.values.guid import GUID

DIGITS = 12
"""Hex digits of a pseudonym: two of a million texts share one with a chance of 1 in 500."""

_HEX = re.compile(r"[0-9a-f]{16,}", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"(https?://|api://)([^/?#]*)([^?#]*)", re.IGNORECASE)
_SIGN_IN = re.compile(r"[^@\s/]+@[^@\s/]+")
_NAMESPACE = re.compile(r"microsoft\.[a-z]{2,40}", re.ASCII | re.IGNORECASE)
_TYPE = re.compile(r"[a-z]{2,60}", re.ASCII | re.IGNORECASE)

_HOSTS = frozenset(
    {
        *(host for cloud in ENVIRONMENTS.values() for host in (cloud.login, cloud.arm, cloud.graph)),
        "sts.windows.net",
        "token.actions.githubusercontent.com",
        "vstoken.dev.azure.com",
        "azureadtokenexchange",
    }
)
"""Common hosts, which identify nobody."""
_SUFFIXES = tuple(f".{suffix}" for cloud in ENVIRONMENTS.values() for suffix in (cloud.vault_suffix, cloud.hsm_suffix))

_NAMED = {
    "accounts": "account", "activitylogalerts": "rule", "administrativeunits": "unit", "applications": "app",
    "certificateauthorities": "store", "certificates": "certificate", "credentials": "credential",
    "deletedcertificates": "certificate", "deletedkeys": "key", "deletedmanagedhsms": "vault", "deletedsecrets": "secret",
    "deletedvaults": "vault", "diagnosticsettings": "setting", "domains": "domain", "encryption": "host", "groups": "group",
    "issuerkeys": "key", "keys": "key", "managedhsms": "vault", "managementgroups": "management-group", "members": "member",
    "namespaces": "account", "registries": "account", "resourcegroups": "resource-group", "roleassignments": "assignment",
    "scheduledqueryrules": "rule", "secrets": "secret", "serviceprincipals": "app", "signingcertificates": "certificate",
    "storageaccounts": "account", "subscriptions": "subscription", "tenants": "tenant", "userassignedidentities": "app",
    "users": "person", "vaults": "vault", "workspaces": "workspace",
}  # fmt: skip
"""Path segments that are followed by a name, with the kind of name."""
_FOLLOWED = frozenset({"locations", "tables", "pricings", "settings"})
"""Path segments that are followed by a fixed word of Azure."""
_WORDS = frozenset(
    {
        "appcredentialsigninactivities", "appmanagementpolicies", "beta", "certificatebasedauthconfigurations",
        "claimsmappingpolicies", "credentialactivities", "default", "defaultappmanagementpolicy", "directory",
        "directoryobjects", "discovery", "federatedidentitycredentials", "federatedtokenvalidationpolicy",
        "federationconfiguration", "federationconfigurations", "getbyids", "organization", "owners", "pki", "policies",
        "principals", "publickeyinfrastructure", "reports", "resources", "roledefinitions",
        "roleeligibilityscheduleinstances", "service-principals", "serviceprincipalsigninactivities", "signinactivities",
        "tokenissuancepolicies", "tokenlifetimepolicies", "transitivemembers", "v1.0", "v2.0", "versions",
    }
)  # fmt: skip
"""Other path segments that identify nobody."""


class Pseudonyms:
    """Pseudonyms with one key. A holder of the key can only confirm a guessed text."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        # A cache, because neighbouring rows of a large table repeat texts.
        self._digest = lru_cache(maxsize=100_000)(self._digested)

    def name(self, kind: str, text: str) -> str:
        """`kind-7f3a91c2d04e`; an empty text stays empty."""
        return f"{kind}-{self._digest(text)[:DIGITS]}" if text else text

    def text(self, kind: str, text: str) -> str:
        """The pseudonym of a text that may be an id, an address, a sign-in name, or a name of `kind`."""
        if GUID.fullmatch(text):
            digest = self._digest(text)
            return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        if _HEX.fullmatch(text):
            found = (self._digest(text) * (len(text) // 64 + 1))[: len(text)]
            return found.upper() if text.isupper() else found
        if text.startswith("/"):
            return self._path(text)
        address = _ADDRESS.match(text)
        if address:
            # The query of an address may contain any name.
            return f"{address[1].lower()}{self.host(address[2])}{self._path(address[3])}"
        return self.name("person" if _SIGN_IN.fullmatch(text) else kind, text)

    def host(self, host: str) -> str:
        """A vault's host keeps its suffix, with the pseudonym of the vault's name; common hosts stay."""
        if not host or host.lower() in _HOSTS:
            return host
        for suffix in _SUFFIXES:
            if host.lower().endswith(suffix):
                return f"{self.name('vault', host[: -len(suffix)])}{suffix}"
        return self.text("host", host)

    def _path(self, path: str) -> str:
        """Segment by segment: fixed words of Azure's paths stay, except in the position of a name."""
        found: list[str] = []
        kind, before = "resource", ""
        for segment in path.split("/"):
            word = segment.lower()
            named, type_ = before in _NAMED, bool(_NAMESPACE.fullmatch(before) and _TYPE.fullmatch(segment))
            if before == "encryption":
                found.append(self.host(segment))
                kind = "key"
            elif not segment or (not named and (before in _FOLLOWED or word in _FOLLOWED or self._is_word(word) or type_)):
                found.append(segment)
                kind = _NAMED.get(word, "resource")
            else:
                found.append(self.text(kind, segment))
            # A name is replaced even if it equals a fixed word.
            before = word if found[-1] == segment else ""
        return "/".join(found)

    @staticmethod
    def _is_word(word: str) -> bool:
        return word in _NAMED or word in _WORDS or word == "providers" or _NAMESPACE.fullmatch(word) is not None

    def _digested(self, text: str) -> str:
        # JSON, and so a name, may contain half a surrogate pair.
        return hmac.digest(self._key, text.lower().encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
