"""Who is told of the events of Contoso's vaults: subscriptions below system topics and on a vault, and some that are no use."""

from datetime import UTC, datetime

from msgspec.structs import replace

from keyaudit.simulator.estate import Estate, Plant, Resource, Vault
from keyaudit.simulator.estates.defects import NEAR_EXPIRY_UNHEARD
from keyaudit.simulator.estates.ids import DAY, Ground, vault_id
from keyaudit.simulator.resource_manager import events

_UNHEARD = ("kv-orders-prod", "kv-loyalty-prod", "kv-payments-test")
_ON_VAULT = "kv-identity-prod"


def with_events(estate: Estate, ground: Ground) -> Estate:
    """The estate with the subscriptions, and the vaults before whose expirations nobody is told."""
    vaults = {vault.name: vault for vault in estate.vaults}
    by_function = _to("AzureFunction", f"{_site(estate)}/functions/near-expiry")
    by_identity = {
        "deliveryWithResourceIdentity": {"identity": {"type": "SystemAssigned"}, **by_function},
        "destination": None,
        "filter": _about("Secret"),
    }
    on_vault = replace(vaults[_ON_VAULT], event_subscriptions={"sign-in-secret": by_identity})
    below = {
        "kv-data-prod": {"certificates-and-secrets": {**by_function, "filter": _about("Certificate", "Secret")}},
        "kv-payments-prod": {"all-events": {**_to("StorageQueue", _storage(estate)), "filter": {"subjectBeginsWith": ""}}},
        # Its key is not announced.
        "kv-orders-prod": {"secrets": {**by_function, "filter": _about("Secret")}},
        # The webhook never answered the validation.
        "kv-loyalty-prod": {
            "to-partner": {
                "destination": {
                    "endpointType": "WebHook",
                    "properties": {"endpointBaseUrl": "https://offers.partner.example/kv"},
                },
                "filter": _about("Key", "Certificate", "Secret"),
                "provisioningState": "AwaitingManualAction",
            }
        },
        "kv-payments-test": {"trial": {**by_function, "filter": _about("Key"), "expirationTimeUtc": _ended(ground.as_of)}},
    }
    topics = [_topic(vaults[name], subscriptions) for name, subscriptions in below.items()]
    return replace(
        estate,
        vaults=tuple(on_vault if each.name == _ON_VAULT else each for each in estate.vaults),
        resources=(*estate.resources, *topics, events.system_topic(on_vault)),
        plants=estate.plants
        | {
            Plant(NEAR_EXPIRY_UNHEARD, vault_id(vaults[name].subscription, vaults[name].resource_group, name))
            for name in _UNHEARD
        },
    )


def _topic(vault: Vault, subscriptions: dict[str, dict[str, object]]) -> Resource:
    made = {name: {"provisioningState": "Succeeded", **each} for name, each in subscriptions.items()}
    return events.system_topic(vault, f"evgt-{vault.name}", made)


def _about(*kinds: str) -> dict[str, object]:
    return {"includedEventTypes": [f"Microsoft.KeyVault.{kind}NearExpiry" for kind in kinds], "subjectBeginsWith": ""}


def _to(kind: str, resource: str) -> dict[str, object]:
    return {"destination": {"endpointType": kind, "properties": {"resourceId": resource}}}


def _site(estate: Estate) -> str:
    return next(each.id for each in estate.resources if each.type == "Microsoft.Web/sites")


def _storage(estate: Estate) -> str:
    return next(each.id for each in estate.resources if each.type == "Microsoft.Storage/storageAccounts")


def _ended(as_of: int) -> str:
    return datetime.fromtimestamp(as_of - 40 * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
