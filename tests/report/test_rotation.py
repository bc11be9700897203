"""The steps of a rotation: in an order that breaks nothing, with commands only for what is shown to be safe, each quoted."""

import io
import re
import shlex
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.gate import with_conditions
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.rotation import Consumer, Follows, Kind, Logged, Proof, Rotation, State, Unread, Version, Why
from keyaudit.model.run import Verdict
from keyaudit.model.times import DAY
from keyaudit.model.usage import Window
from keyaudit.report.options import Options
from keyaudit.report.rotation import FORMATS
from keyaudit.report.rotation.plan import plan
from keyaudit.report.rotation.words import conclusion
from keyaudit.report.steps import Phase
from tests.inventory.sample import AS_OF, RUN

APP = "5a000000-0000-4000-8000-000000000001"
KEY_ID = "6a000000-0000-4000-8000-000000000001"
CLEAN = Verdict(exit=Exit.CLEAN, conditions=(), gate=None, failed={}, unknown={}, passed=0, not_applicable=0, gaps=())
LOG = Logged(log="AADServicePrincipalSignInLogs", covered=Window(since=AS_OF - 60 * DAY, until=AS_OF), enough=True)
OLD, NEW = (Version(id=f"/x/{name}", name=f"client secret {name}", created_on=0, enabled=True) for name in ("old", "new"))


def application(**values: Any) -> Consumer:
    given: dict[str, Any] = {
        "kind": Kind.IDENTITY,
        "id": APP,
        "name": "billing",
        "what": "application",
        "state": State.MOVED,
        "why": Why.IDLE,
        "follows": Follows.BY_HAND,
        "proof": Proof.LOGS,
        "seen_on": AS_OF,
        "held": f"client secret {KEY_ID}",
        "key_id": KEY_ID,
        "holder": "app",
    }
    return Consumer(**(given | values))


def rotation(*consumers: Consumer, **values: Any) -> Rotation:
    given: dict[str, Any] = {
        "run": RUN,
        "verdict": CLEAN,
        "noun": "application",
        "target": APP,
        "name": "billing",
        "new": NEW,
        "old": [OLD],
        "unsure": None,
        "consumers": consumers,
        "logs": [LOG],
        "unread": [],
        "wraps": False,
    }
    made = Rotation(**(given | values))
    return replace(made, verdict=with_conditions(CLEAN, made.held))


def commands(found: Rotation) -> list[str]:
    return [command for step in plan(found) for command in step.commands]


def test_a_credential_is_removed_last_after_a_look_and_only_if_complete_logs_show_it_idle() -> None:
    found = rotation(application())
    assert found.verdict.exit is Exit.CLEAN
    steps = plan(found)
    assert [step.phase for step in steps] == [Phase.CHECK, Phase.RETIRE, Phase.PROVE]
    assert steps[1].commands == (
        f"az ad app credential list --id {APP}",
        f"az ad app credential delete --id {APP} --key-id {KEY_ID}",
    )
    assert "cannot be restored" in steps[1].back


@pytest.mark.parametrize(
    "found",
    [
        rotation(application(state=State.NOT_MOVED, why=Why.USED_OLD)),
        rotation(application(state=State.UNKNOWN, why=Why.HOLDS_BOTH)),
        rotation(application(state=State.UNKNOWN, why=Why.HOLDS_BOTH), logs=[replace(LOG, enough=False)]),
        rotation(application(), application(id="other", state=State.NOT_MOVED, why=Why.HOLDS_OLD)),
        rotation(application(), application(id="other", state=State.WILL_MOVE, why=Why.REPORTS_OLD)),
        rotation(application(), new=None),
    ],
)
def test_nothing_is_removed_or_disabled_before_that(found: Rotation) -> None:
    assert not [each for each in commands(found) if " delete" in each or "--enabled false" in each]
    for step in plan(found):
        assert step.back or step.phase in (Phase.CHECK, Phase.PROVE)


def test_azure_cli_has_no_command_for_credentials_of_managed_identities_and_blueprints() -> None:
    for what in ("managed identity", "agent identity blueprint"):
        found = rotation(application(what=what, holder="", state=State.UNKNOWN, why=Why.HOLDS_BOTH))
        assert [each for each in commands(found) if each.startswith("az")] == []


def test_those_that_accept_a_certificate_get_it_before_those_that_sign_with_it() -> None:
    kinds = (Kind.RELYING_PARTY, Kind.AUTHORITY, Kind.IDENTITY, Kind.SIGNER, Kind.SERVICE)
    made = [application(kind=kind, id=kind, name=kind, what="", state=State.NOT_MOVED, why=Why.HOLDS_OLD) for kind in kinds]
    assert [*map(list(Kind).index, kinds)] == sorted(map(list(Kind).index, kinds))
    titles = [step.title for step in plan(rotation(*made)) if step.phase is Phase.MOVE]
    assert [next(kind for kind in kinds if kind in title) for title in titles] == list(kinds)


def test_of_a_key_that_wraps_nothing_is_disabled_and_a_disabled_version_in_use_is_enabled_first() -> None:
    service = application(kind=Kind.SERVICE, what="storage", key_id="https://kv/keys/k", held="client secret old")
    of_vault = {"vault": "kv", "noun": "key", "wraps": True}
    assert "--enabled" not in " ".join(commands(rotation(service, **of_vault)))
    late = replace(service, state=State.NOT_MOVED, why=Why.NAMES_OLD)
    found = rotation(late, old=[replace(OLD, enabled=False)], **of_vault)
    assert commands(found)[0] == "az keyvault key set-attributes --id /x/old --enabled true"
    assert not [each for each in commands(found) if "--enabled false" in each]


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("encrypted-machine", "Set disk encryption of encrypted virtual machine vm again, with the new version"),
        ("mysql", "Set the encryption key of MySQL server vm"),
    ],
)
def test_azure_disk_encryption_cannot_follow_a_key(what: str, title: str) -> None:
    service = application(
        kind=Kind.SERVICE, what=what, name="vm", key_id="https://kv/keys/k", state=State.NOT_MOVED, why=Why.NAMES_OLD
    )
    [step] = [each for each in plan(rotation(service, vault="kv", noun="key", wraps=True)) if each.phase is Phase.MOVE]
    assert step.title.startswith(title)
    assert ("or without a version" in step.title) == (what == "mysql")


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (State.NOT_MOVED, "Find out why API Management service api is still on the old version"),
        (State.WILL_MOVE, "Wait until API Management service api has taken the new version"),
        (State.UNKNOWN, "Wait until API Management service api has taken the new version"),
    ],
)
def test_a_service_that_follows_by_itself_is_waited_for_unless_it_is_known_to_be_late(state: State, title: str) -> None:
    service = application(
        kind=Kind.SERVICE, what="api-management", name="api", key_id=None, follows=Follows.BY_ITSELF, state=state
    )
    [step] = [each for each in plan(rotation(service, vault="kv", noun="secret")) if each.phase is Phase.MOVE]
    assert step.title == title


HOSTILE = "'; rm -rf ~ #$(id)\x1b[31m"


def test_names_are_words_in_commands_and_inert_in_text() -> None:
    service = application(
        kind=Kind.SERVICE, id=HOSTILE, name=HOSTILE, what="storage", key_id=f"https://kv/keys/{HOSTILE}", state=State.NOT_MOVED
    )
    user = application(id=f"-{HOSTILE}", name=HOSTILE, state=State.UNKNOWN, why=Why.HOLDS_BOTH)
    found = rotation(service, user, target=HOSTILE, name=HOSTILE, vault="kv", noun="key")
    for command in commands(found):
        words = shlex.split(command)
        assert words[0] in ("az", "keyaudit")
        assert not {"rm", "-rf", "~"}.intersection(words)
    for render in FORMATS.values():
        out = io.StringIO()
        render(found, out, Options())
        assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            rotation(application()),
            "All have moved: 1 consumer read, and complete logs show no use of the old version in 35 days.",
        ),
        (
            rotation(application(state=State.NOT_MOVED, why=Why.USED_OLD)),
            "Do not retire the old version: application billing uses it.",
        ),
        (
            rotation(application(state=State.UNKNOWN, why=Why.HOLDS_BOTH), logs=[replace(LOG, enough=False)]),
            (
                "No consumer was found on the old version, but 1 consumer is unknown and the logs do not show that the old "
                "version is idle."
            ),
        ),
        (
            rotation(application(), application(id="2", follows=Follows.BY_ITSELF), new=None),
            "Everything that may use it is known. 1 consumer moves by itself and 1 consumer has to be told.",
        ),
        (
            rotation(consumers=(), new=None, old=[], logs=[]),
            "It has no client secret or certificate, so there is nothing to rotate.",
        ),
    ],
)
def test_the_conclusion_says_all_only_where_the_exit_code_is_0(found: Rotation, said: str) -> None:
    assert conclusion(found) == said
    assert said.startswith("All have moved") <= (found.verdict.exit is Exit.CLEAN)


def service(name: str, state: State, **values: Any) -> Consumer:
    return application(
        kind=Kind.SERVICE, id=f"/x/{name}", name=name, what="storage", state=state, why=Why.REPORTS_NEW, **values
    )


def written(found: Rotation, output: str) -> str:
    out = io.StringIO()
    FORMATS[output](found, out, Options(width=80))
    return out.getvalue()


def test_since_an_earlier_snapshot_only_the_consumers_with_another_state_are_named() -> None:
    before = rotation(service("a", State.NOT_MOVED), service("b", State.NOT_MOVED), service("gone", State.NOT_MOVED))
    now = rotation(service("a", State.MOVED), service("b", State.NOT_MOVED), service("new", State.MOVED))
    found = now.since(replace(before, run=replace(RUN, as_of=AS_OF - DAY)))
    assert [(each.consumer.name, each.before, each.after) for each in found.moves] == [
        ("a", State.NOT_MOVED, State.MOVED),
        ("new", None, State.MOVED),
        ("gone", State.NOT_MOVED, None),
    ]
    assert found.earlier == AS_OF - DAY
    for output in FORMATS:
        text = " ".join(written(found, output).split()).replace("&#58;", ":")
        assert "storage account a: moved; it was not moved" in text or output == "json"
        assert "storage account b: not moved; it was" not in text


def test_states_of_another_rotation_are_not_those_of_this_one() -> None:
    earlier = rotation(service("a", State.MOVED), new=OLD)
    [move] = rotation(service("a", State.MOVED)).since(earlier).moves
    assert (move.before, move.after) == (None, State.MOVED)
    # Before a rotation nobody can have moved.
    assert rotation(service("a", State.UNKNOWN), new=None).since(earlier).moves == []
    unchanged = rotation(service("a", State.MOVED))
    assert "No consumer has moved." in written(unchanged.since(unchanged), "text")


def test_the_page_pictures_the_stages_and_the_share_of_each_state() -> None:
    found = rotation(service("a", State.MOVED), service("b", State.NOT_MOVED), service("c", State.NOT_MOVED, owners=("team",)))
    page = written(found, "html")
    assert sum(page.count(f'class="{state}"') + page.count(f"class={state} ") for state in ("done", "open", "unknown")) >= 5
    bars = re.findall(r'<rect class="([a-z-]+)" x="([\d.]+)%" y=0 width="([\d.]+)%"', page)
    assert bars == [("moved", "0.00", "33.33"), ("not-moved", "33.33", "66.67")]
    assert "1 moved and 2 not moved." in page
    assert "team" in page
    # Before a rotation there is nothing to share.
    assert "<rect" not in written(rotation(service("a", State.UNKNOWN), new=None), "html")


def test_a_step_names_who_has_to_act_and_what_a_service_says_that_it_cannot_read() -> None:
    late = service("a", State.NOT_MOVED, owners=("team-a", "team-b"), owned_by="[owners] rule 1", broken="KeyVaultDoesNotExist")
    found = rotation(replace(late, why=Why.REPORTS_OLD))
    [step] = [step for step in plan(found) if step.phase is Phase.MOVE]
    assert step.owner == "team-a and team-b ([owners] rule 1)"
    assert "KeyVaultDoesNotExist" in step.text
    text = " ".join(written(found, "text").split())
    assert "it says that it cannot read it (KeyVaultDoesNotExist)" in text
    assert "Owner: team-a and team-b ([owners] rule 1)." in text


def test_markdown_names_what_text_names_in_the_same_order() -> None:
    late = service("late", State.NOT_MOVED, owners=["ops"], owned_by="tag owner")
    found = rotation(service("new", State.MOVED), late, unread=[Unread(what="disks", reason=Reason.PERMISSION)])
    for text in (written(found, "text"), written(found, "markdown")):
        places = [text.rindex(part) for part in ("storage account new", "Not read, and", "disks")]
        assert [text.index("owner ops"), *places] == sorted([text.index("owner ops"), *places])
