"""Where the resources of a plan will be: tenant, subscriptions, and ids that Azure makes of names."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from keyaudit.cloud.environment import Environment
from keyaudit.model.directory.hosts import ISSUING_HOSTS
from keyaudit.model.values.guid import GUID
from keyaudit.plan.answers import Answers, Origin
from keyaudit.plan.document.resources import AFTER_APPLY, Planned, Resources, Value
from keyaudit.plan.document.terraform import expression

NOWHERE = "00000000-0000-0000-0000-000000000000"
"""Stands for a subscription or a tenant that the plan does not name."""

_PROVIDERS = ("azurerm", "azuread", "azapi", "msgraph")
"""The providers that speak to Azure and Entra. Each but the last has a data source of who plans, NAME_client_config."""
_OIDC = re.compile(r"oidc_issuer_url|output\.properties\.oidcIssuerProfile\.issuerURL", re.ASCII)
"""The attributes of a cluster, of azurerm and of azapi, that hold the issuer of its tokens."""
_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})(?:/|$)", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[^/\x00-\x1f]{1,260}")


class Ground:
    """The places of a plan, and its resources."""

    def __init__(self, resources: Resources, answers: Answers, environment: Environment, now: int, tenant_id: str = "") -> None:
        """`now`: the moment of apply. `tenant_id`: the tenant, if it is known otherwise."""
        self.now = now
        self.resources, self.answers, self.environment = resources, answers, environment
        self._configs = [config for name in _PROVIDERS for config in resources.data(f"{name}_client_config")]
        self.tenant_id = tenant_id or self._tenant()
        self._usual = self._usual_subscription()
        self.subscriptions: set[str] = set()
        self.own_identities: dict[str, Planned] = {}
        """The resources whose own managed identities are given access, by the object id of the identity."""

    def subscription(self, planned: Planned) -> str:
        """The subscription that a resource will be in, in lower case."""
        found = self._of_provider(planned.provider, "subscription_id") or self._usual
        self.subscriptions.add(found)
        return found

    def named(self, planned: Planned, attribute: str = "name") -> str:
        """A name, as a segment of an id. One that is known after apply, or that could not be one, is replaced by another that
        is the same in every plan.
        """
        found = planned.text(attribute)
        return found if found and _NAME.fullmatch(found) else stand_in(planned.address)

    def id_of(self, planned: Planned, kind: str, *, name: str | None = None) -> str:
        """The resource id: of a new resource, the one that Azure will give it in its resource group."""
        known = planned.text("id")
        if known:
            self.seen(known)
            return known
        group = self.named(planned, "resource_group_name") if planned.text("resource_group_name") else "after-apply"
        place = f"/subscriptions/{self.subscription(planned)}/resourceGroups/{group}"
        return f"{place}/providers/{kind}/{name or self.named(planned)}"

    def seen(self, id_: str) -> None:
        """Note the subscription of an id."""
        if match := _SUBSCRIPTION.match(id_):
            self.subscriptions.add(match[1].lower())

    def origin(self, id_: str, planned: Planned, *attributes: str) -> None:
        """Note that the object of an id comes from a resource. `attributes`: those that its row rests on."""
        unknown = tuple(name for name in attributes if self._is_unknown(planned, name))
        self.answers.origins.setdefault(id_.lower(), Origin(planned.address, planned.changes, unknown))

    def _is_unknown(self, planned: Planned, attribute: str) -> bool:
        """Whether a value that the configuration sets is known after apply, and refers to nothing that was resolved."""
        unknown = isinstance(planned.value(attribute), Raw) and planned.is_set(attribute)
        return unknown and self.resources.target(planned, attribute) is None

    def issuer(self, found: Value, planned: Planned, *path: str) -> Value:
        """The issuer that a federated credential trusts: where it is known after apply, that of the plan's cluster to which the
        expression refers. The mark if it is of a tenant, and nothing says whether of the plan's.
        """
        if isinstance(found, Raw):
            target = self.resources.target(planned, *path)
            return self.cluster_issuer(target[0]) if target and _OIDC.fullmatch(target[1]) else found
        named = isinstance(found, str) and found.lower().startswith(tuple(f"https://{host}/" for host in ISSUING_HOSTS))
        return AFTER_APPLY if named and self.tenant_id == NOWHERE else found

    def cluster_issuer(self, planned: Planned) -> str:
        """The issuer of a cluster's tokens, or what stands for that of one without it.

        https://learn.microsoft.com/azure/aks/use-oidc-issuer
        """
        region = re.sub(r"[^a-z0-9]", "", (planned.text("location") or "region").lower()) or "region"
        known = planned.text("oidc_issuer_url")
        return known or f"https://{region}.oic.prod-aks.azure.com/{self.tenant_id}/{planned.stands_for('oidc_issuer_url')}/"

    def _of_provider(self, key: str, attribute: str) -> str:
        """An id that the configuration of a provider names: a constant, or an input variable with a value."""
        provider = self.resources.plan.configuration.provider_config.get(key)
        found = expression(provider.expressions, attribute) if provider else {}
        value = found.get("constant_value")
        references = found.get("references")
        if isinstance(references, list) and len(references) == 1 and str(references[0]).startswith("var."):
            variable = self.resources.plan.variables.get(str(references[0]).removeprefix("var."))
            value = msgspec.json.decode(variable.value) if variable and bytes(variable.value) else None
        return value.lower() if isinstance(value, str) and GUID.fullmatch(value.lower()) else ""

    def _usual_subscription(self) -> str:
        found = Counter(self._subscriptions_named())
        return found.most_common(1)[0][0] if found else NOWHERE

    def _subscriptions_named(self) -> Iterator[str]:
        named = [each.lower() for config in self._configs if isinstance(each := config.get("subscription_id"), str)]
        yield from filter(GUID.fullmatch, named)
        if named:
            return
        for type_ in ("azurerm_resource_group", "azurerm_key_vault"):
            for planned in self.resources.of(type_):
                if match := _SUBSCRIPTION.match(planned.text("id") or ""):
                    yield match[1].lower()

    def _tenant(self) -> str:
        """The tenant: of the one who plans, of a provider's configuration, or of a vault."""
        of_vaults = (planned.text("tenant_id") for planned in self.resources.of("azurerm_key_vault"))
        configured = self.resources.plan.configuration.provider_config
        of_providers = (self._of_provider(key, "tenant_id") for key, each in configured.items() if each.name in _PROVIDERS)
        for named in ((config.get("tenant_id") for config in self._configs), of_providers, of_vaults):
            found = Counter(each.lower() for each in named if isinstance(each, str) and GUID.fullmatch(each.lower()))
            if found:
                return found.most_common(1)[0][0]
        return NOWHERE


def stand_in(address: str) -> str:
    """A name that stands for one that is known after apply. It is valid as the name of a vault and of what is in one."""
    return f"applied-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
