"""Who is at work, and who lost access unsaid."""

from msgspec.structs import replace

from keyaudit.model.times import DAY, iso_date
from keyaudit.simulator.estate import CredentialUse, SignIn
from keyaudit.simulator.estates import estate
from tests.clock import COLLECTED
from tests.rehearsal.at_work import at_work, unsaid

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
    assert list(unsaid(before, after, [fix("Last sign-in: none.")])) == ["credential a, at work on 2026-11-20 (p)"]
    assert list(unsaid(before, before, [fix("")])) == []
