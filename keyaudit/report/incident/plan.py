"""The plan: first against the users of the key, then that of its blast radius; and what it does not close."""

from collections.abc import Iterator, Sequence

from keyaudit.model.blast_radius import BlastRadius
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.incident import Act, Incident
from keyaudit.model.text import one_line
from keyaudit.model.work import credential
from keyaudit.report.blast_radius.identities import stopped
from keyaudit.report.blast_radius.plan import plan as plan_of_trust
from keyaudit.report.blast_radius.steps import Phase, Step, option_word
from keyaudit.report.blast_radius.work import suspected
from keyaudit.report.incident.words import bounds


def plan(found: Incident) -> list[Step]:
    """Every step, in order."""
    steps = [*_against(found), *plan_of_trust(found.radius)]
    return sorted(steps, key=lambda step: list(Phase).index(step.phase))


def left_open(found: Incident) -> list[str]:
    """The sentences on what the plan does not close."""
    seen = found.observed
    told = ["Tokens and sessions that were issued stay valid until they expire, unless they are revoked."]
    if found.extractable is not False:
        told.append("A stolen copy of it keeps working until nothing accepts it any more.")
    if seen is None:
        told.append("Without logs, later actions of the key's users are unknown: collect the logs before they expire.")
        return told
    if seen.mailboxes.least:
        told.append(f"Mail was read in {bounds(seen.mailboxes, 'mailbox', 'mailboxes')}. Inform the owners.")
    elif seen.mailboxes.most is None:
        told.append("Whether mail was read with it is unknown.")
    if seen.absent or seen.unseen or seen.vault_logged is False:
        told.append("Missing logs may show more than this page: supply them and run it again.")
    return told


def _against(found: Incident) -> Iterator[Step]:
    seen = found.observed
    if seen is None:
        return
    outside = [act for act in (*seen.uses, *seen.timeline) if act.outside]
    done: set[str] = set()
    for act in outside:
        app = act.actor.app_id
        if app and app not in FIRST_PARTY and app not in done:
            done.add(app)
            name = one_line(act.actor.shown)
            title = f"Stop {name} from signing in, if nobody planned its uses outside the baseline"
            yield stopped(found.radius, app, option_word("--id", app), title, name)
    yield from _credentials(found.radius, outside)
    for act in outside:
        if act.operation == "remove-log-settings":
            for resource in act.objects:
                place = option_word("--resource", resource.partition("/providers/microsoft.insights")[0])
                yield Step(
                    phase=Phase.REPLACE,
                    title=f"See that the diagnostic setting {one_line(resource.rpartition('/')[2])} is there again",
                    text="The command lists those that there are. Take what was done in between as not logged.",
                    breaks="nothing",
                    commands=(f"az monitor diagnostic-settings list {place}",),
                )


def _credentials(radius: BlastRadius, outside: Sequence[Act]) -> Iterator[Step]:
    for act in outside:
        if act.operation == "add-credential" and act.credential:
            work = radius.worked(credential(act.credential))
            of = "app" if act.target_kind == "application" else "sp"
            for holder in act.objects:
                delete = f"az ad {of} credential delete {option_word('--id', holder)}"
                yield Step(
                    phase=Phase.REVOKE,
                    title=f"Remove credential {one_line(act.credential)}, which {one_line(act.actor.shown)} added",
                    text=f"{suspected(radius, work)} For a certificate add --cert: the log does not say what it is.",
                    breaks="everything that signs in with it",
                    commands=(
                        f"az ad {of} credential list {option_word('--id', holder)}",
                        *(
                            (f"{delete} {option_word('--key-id', act.credential)}",)
                            if work.may_end or work.only_outside
                            else ()
                        ),
                    ),
                )
