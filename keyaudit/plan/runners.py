"""Commands and calls of a plan that declare nothing: provisioners, calls of any REST API, and providers that are not known.

A list says which commands are harmless. Any other may change Azure, as may one that the plan does not show.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from keyaudit.plan.answers import Aside
from keyaudit.plan.document.harmless import is_outside, speaks_to_azure
from keyaudit.plan.document.resources import Planned
from keyaudit.plan.document.terraform import Provisioner, expression
from keyaudit.plan.scopes import Ground

_AZURE = re.compile(r"azure|microsoft|windows\.net|chinacloudapi|usgovcloudapi|sovcloud", re.IGNORECASE)
"""What a host of Azure or Microsoft has in its name, in any cloud."""
_HARMLESS = frozenset(
    (
        *("[", "cat", "cd", "chmod", "chown", "cmp", "cp", "date", "diff", "dirname", "basename", "echo", "exit", "export"),
        *("false", "grep", "head", "helm", "jq", "kubectl", "ln", "ls", "mkdir", "mv", "printf", "pwd", "rm", "set"),
        *("sha256sum", "sleep", "sort", "tail", "tee", "test", "touch", "tr", "true", "uniq", "wc"),
    )
)
"""Programs that call no Azure and run no other program that is not in their arguments."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_TALKING = re.compile(
    r"(?:^|[^\w-])(?:az|azd|pwsh|powershell|terraform|tofu|mggraph|m365)(?:\.exe|\.cmd)?(?:[^\w-]|$)", re.IGNORECASE
)
_HIDDEN = re.compile(r"`|\$\(|[<>]\(|\beval\b|\bexec\b|\bsource\b")
"""What runs the output of something, or what is in a file."""
_SEPARATED = re.compile(r"&&|\|\||[;|&\n]")
_SET = re.compile(r"\s*\w+=\S*\s")
_ON_THE_MACHINE = "file"
"""The provisioner that copies a file, and runs nothing."""


def note_runners(ground: Ground) -> None:
    """Note what resources of the plan run, by itself: no list of the answers tells of it."""
    for planned in ground.resources.managed():
        if not planned.is_new:
            continue
        for provisioner in planned.provisioners:
            why = _of_provisioner(provisioner)
            what = why or f"runs a {provisioner.type} provisioner, that names neither Azure nor Microsoft"
            ground.answers.asides.append(Aside(planned.address, planned.changes, what, certain=bool(why)))
    for planned in ground.resources.managed():
        if not speaks_to_azure(planned.type) and not is_outside(planned.provider_name):
            ground.answers.asides.append(_of_provider(ground, planned))
    for planned in ground.resources.during_apply("http", "external"):
        ground.answers.asides.append(_of_data(planned))


def _of_provisioner(provisioner: Provisioner) -> str:
    """Why what it runs may change Azure; empty if it does not."""
    if provisioner.type == _ON_THE_MACHINE:
        return ""
    said = provisioner.expressions
    commands = list(_commands(said))
    if not commands or None in commands or "script" in said or "scripts" in said:
        return f"runs a {provisioner.type} provisioner with a command that the plan does not show"
    shell = _constants(said.get("interpreter"))
    if shell is None or any(each not in _SHELLS for each in (_program(part) for part in shell[:1])):
        return f"runs a {provisioner.type} provisioner with an interpreter that may call Azure"
    if all(each is not None and _is_harmless(each) for each in commands):
        return ""
    return f"runs a {provisioner.type} provisioner with a command that may call Azure"


def _commands(said: Mapping[str, Any]) -> Iterator[str | None]:
    """The commands of a provisioner; None for one that is not known."""
    for name in ("command", "inline"):
        if name in said:
            found = _constants(said[name])
            yield from found if found is not None else (None,)


def _constants(found: Any) -> Sequence[str] | None:
    """The texts of an expression; none if it is not there, None if it is not a constant."""
    if found is None:
        return ()
    value = found.get("constant_value") if isinstance(found, dict) else None
    if isinstance(value, dict):
        value = list(value.values())
    texts = [value] if isinstance(value, str) else value
    return texts if isinstance(texts, list) and all(isinstance(each, str) for each in texts) else None


def _is_harmless(command: str) -> bool:
    if _AZURE.search(command) or _TALKING.search(command) or _HIDDEN.search(command):
        return False
    return all(_program(each) in _HARMLESS for each in _SEPARATED.split(command) if each.strip())


def _program(command: str) -> str:
    """The name of the program that a simple command runs."""
    while match := _SET.match(command):
        command = command[match.end() :]
    return (command.split() or [""])[0].rpartition("/")[2].lower().removesuffix(".exe")


def _of_provider(ground: Ground, planned: Planned) -> Aside:
    """A resource of a provider that is on no list."""
    if planned.type.startswith("restapi_"):
        texts = [*_texts(planned), *_of_configuration(ground, planned.provider)]
        if any(each is None or _AZURE.search(each) for each in texts):
            what = "calls a REST API at an Azure, Microsoft or unknown address"
            return Aside(planned.address, planned.changes, what)
    what = f"belongs to the provider {planned.provider_name}, which keyaudit does not know"
    return Aside(planned.address, planned.changes, what, certain=False)


def _of_data(planned: Planned) -> Aside:
    """A data source that calls something during apply."""
    if planned.type == "external":
        program = planned.value("program")
        known = isinstance(program, list) and program and all(isinstance(each, str) for each in program)
        certain = not known or not _is_harmless(" ".join(program))
        return Aside(planned.address, changes=True, what="runs a program during apply", certain=certain)
    certain = any(each is None or _AZURE.search(each) for each in (planned.text("url"), planned.text("request_body") or ""))
    return Aside(planned.address, changes=True, what="calls an address during apply", certain=certain)


def _texts(planned: Planned) -> Iterator[str]:
    for name in planned.names:
        yield str(planned.parts(name)[0])


def _of_configuration(ground: Ground, key: str) -> Iterator[str | None]:
    """The address in the configuration of a provider; None if it is not known."""
    plan = ground.resources.plan
    provider = plan.configuration.provider_config.get(key)
    found = expression(provider.expressions, "uri") if provider else {}
    value = found.get("constant_value")
    references = found.get("references")
    if isinstance(references, list) and len(references) == 1:
        variable = plan.variables.get(str(references[0]).removeprefix("var."))
        value = msgspec.json.decode(variable.value) if variable and bytes(variable.value) else None
    yield value if isinstance(value, str) else None
