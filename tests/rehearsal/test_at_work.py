"""Who is at work, and who lost access unsaid."""

from msgspec.structs import replace

from keyaudit.model.values.times import DAY, iso_date, iso_time
from keyaudit.simulator.estate import CredentialUse, SignIn
from keyaudit.simulator.estates import estate
from tests.clock import COLLECTED
from tests.rehearsal.at_work import at_work, callers, unsaid

_BARE = replace(estate("hardened", COLLECTED), sign_ins=(), credential_uses=())
_PRINCIPAL = next(one for one in _BARE.service_principals if one.enabled)
_APP = next(one for one in _BARE.applications if one.keys)
_KEY_ID = _APP.keys[0].key_id


def test_only_recent_uses_of_enabled_principals_and_existing_credentials_count() -> None:
    uses = tuple(
        CredentialUse(key_id=key_id, app_id=_APP.app_id, last=COLLECTED - days * DAY, resource_id="")
        for key_id, days in ((_KEY_ID, 9), (_KEY_ID, 2), ("gone", 1))
    )
    sign_ins = (SignIn(app_id=_PRINCIPAL.app_id, app_only=COLLECTED - 3 * DAY),)
    made = replace(_BARE, credential_uses=uses, sign_ins=sign_ins)
    working = at_work(made, COLLECTED)
    assert working == {
        f"credential {_KEY_ID} of {_APP.app_id}": iso_date(COLLECTED - 2 * DAY),
        f"service principal {_PRINCIPAL.app_id}": iso_date(COLLECTED - 3 * DAY),
    }
    assert at_work(made, COLLECTED + 60 * DAY) == {}
    disabled = tuple(replace(one, enabled=False) for one in made.service_principals)
    assert [name.partition(" ")[0] for name in at_work(replace(made, service_principals=disabled), COLLECTED)] == ["credential"]


def test_a_loss_is_said_by_naming_the_day_of_the_last_use() -> None:
    def fix(breaks: str) -> dict[str, object]:
        return {"policy": "p", "steps": [{"text": "First."}, {"text": "Then.", "breaks": breaks}]}

    before = {"credential a": "2026-11-20", "credential b": "2026-11-21"}
    after = {"credential b": "2026-11-21"}
    assert list(unsaid(before, after, [fix("Last sign-in: 2026-11-20.")])) == []
    assert list(unsaid(before, after, [fix("Last sign-in: none.")])) == ["credential a, at work: 2026-11-20 (p)"]
    assert list(unsaid(before, before, [fix("")])) == []


def test_a_caller_of_a_vault_is_at_work_until_its_network_is_closed_and_the_step_must_name_its_address() -> None:
    def record(days: int, uri: str, status: int = 200) -> dict[str, object]:
        when = iso_time(COLLECTED - days * DAY)
        return {"TimeGenerated": when, "Id": uri, "CallerIpAddress": "192.0.2.1", "HttpStatusCode": status}

    box = replace(_BARE.vaults[0], public_network_access="Enabled", default_action="Allow")
    key = f"https://{box.name}.vault.azure.net/keys/k/1"
    ignored = (record(1, key, 403), record(40, key), record(1, f"https://{box.name}.vault.azure.net/"))
    assert callers(ignored, COLLECTED) == set()
    called = callers([record(1, key), *ignored], COLLECTED)
    assert called == {(box.name, "192.0.2.1")}
    name = f"caller 192.0.2.1 of {box.name}"
    before, after = (
        at_work(replace(_BARE, vaults=(replace(box, default_action=action),)), COLLECTED, called)
        for action in ("Allow", "Deny")
    )
    assert (before[name], name in after) == ("192.0.2.1", False)
    for said, lost in (("Addresses: 192.0.2.1.", []), ("Addresses: none.", [f"{name}, at work: 192.0.2.1 (p)"])):
        assert list(unsaid(before, after, [{"policy": "p", "steps": [{"breaks": said}]}])) == lost
