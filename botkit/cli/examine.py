"""The examination of everything: bots, deployment and machine, all at once and within a time."""

import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from botocore.session import Session

from botkit.cli.accounts import Accounts, each
from botkit.cli.examination import Finding, Section, good, odd, wrong, wrong_as
from botkit.cli.examine_account import Examined, Surroundings, examine_account
from botkit.cli.examine_deployment import Deployment, examine_stack
from botkit.cli.examine_model import Models
from botkit.deploy.session import open_session
from botkit.deploy.stack import Deployed, find_stack
from botkit.errors import DeployError, Problem
from botkit.simulator.playground.settings import Settings
from botkit.spec.bot import BotSpec
from botkit.spec.loader import Loaded, load_folder

FOR_STACK: Final = 6.0
"""Seconds for finding the stack: where webhooks should go is in it."""
FAR_AHEAD, AHEAD = 300, 30
"""Seconds by which a clock may be wrong until AWS refuses its signatures, and until it is worth a word."""


@dataclass(frozen=True, slots=True)
class _Cloud:
    """What is known of AWS before anything is examined: a session and a stack, or why there is none."""

    session: Session | None
    stack: Deployed | None
    finding: Finding | None


def examine(folder: Path, settings: Settings, options: Namespace, *, until: float) -> list[Section]:
    """All there is to find, until a time of the monotonic clock."""
    loaded = load_folder(folder, options.bots)
    cloud = _cloud(settings, options, until)
    deployment = Deployment.of(cloud.session, folder, cloud.stack, settings) if cloud.session else None
    base = options.url or (cloud.stack.outputs.get("Url") if cloud.stack else None)
    accounts = Accounts.of(settings)
    around = Surroundings(accounts, base, bool(settings.get("OPENAI_BASE_URL")), int(time.time() * 1000))
    models = Models(accounts.secrets, settings)
    tasks: dict[tuple[str, str], Callable[[], Any]] = {}
    if deployment:
        tasks |= {("cloud", name): task for name, task in deployment.tasks().items()}
    for name, bot in loaded.bots.items():
        tasks["account", name] = partial(examine_account, bot, around)
        tasks["model", name] = partial(_listed, models.examine, bot)
    found = each(tasks, until - time.monotonic())
    bots = [*_bots(loaded, found)]
    clock = [one for name in loaded.bots for one in _ahead(found["account", name])]
    machine = [*_environment(settings), *_clock([*clock, *(deployment.ahead if deployment else ())])]
    return [*bots, *_deployment(cloud, deployment, found, options, loaded), Section("machine", "this machine", machine)]


def _listed(examine: Callable[[BotSpec], Iterable[Finding]], bot: BotSpec) -> list[Finding]:
    return [*examine(bot)]


# ---------------------------------------------------------------- bots


def _bots(loaded: Loaded, found: Mapping[tuple[str, str], Any]) -> Iterator[Section]:
    """A section for each bot, also for those whose files are wrong."""
    shared = _shared({name: found["account", name] for name in loaded.bots})
    sections = {name: [good("file", "good"), *_of_bot(name, found), *shared.get(name, ())] for name in loaded.bots}
    for name, problems in loaded.broken.items():
        sections[name] = [_of_file(problem) for problem in problems]
    for name in sorted(sections):
        yield Section("bot", name, sections[name])


def _of_file(problem: Problem) -> Finding:
    return wrong_as("file", ValueError(str(problem)))


def _of_bot(name: str, found: Mapping[tuple[str, str], Any]) -> Iterator[Finding]:
    examined, model = found["account", name], found["model", name]
    yield from examined.findings if examined else (_late("LINE"),)
    yield from model if model is not None else (_late("model"),)


def _late(about: str) -> Finding:
    return wrong(about, "the examination was not over in time", "try again; if it stays so, see the network")


def _shared(examined: Mapping[str, Examined | None]) -> dict[str, list[Finding]]:
    """Bots whose tokens belong to one account: LINE sends its webhooks to one of them alone."""
    of_account: dict[str, list[str]] = {}
    for name, one in examined.items():
        if one and one.account:
            of_account.setdefault(one.account.user_id, []).append(name)
    found: dict[str, list[Finding]] = {}
    for names in of_account.values():
        for name in names if len(names) > 1 else ():
            others = ", ".join(one for one in names if one != name)
            text = f"its token is of the same account as that of {others}, and LINE sends to one address alone"
            found[name] = [wrong("account", text, "take the token and the secret of another channel for one of them")]
    return found


# ---------------------------------------------------------------- the deployment


def _cloud(settings: Settings, options: Namespace, until: float) -> _Cloud:
    """Find the stack. That there is none is wrong only where somebody has named it."""
    named = options.stack != "botkit" or bool(settings.get("BOTKIT_STACK"))
    seconds = min(FOR_STACK, until - time.monotonic())
    cloud = each({"": partial(_found, settings, options.stack)}, seconds)[""]
    if cloud is None:
        return _Cloud(None, None, odd("AWS", "it did not answer in time, so nothing there was examined", "try again"))
    if cloud.session is None or cloud.stack or cloud.finding:
        return cloud
    text = f"there is no stack {options.stack} in {cloud.session.get_config_variable('region')}"
    cure = "deploy it: botkit deploy, or name another one with --stack"
    return _Cloud(cloud.session, None, (wrong if named else odd)("stack", text, cure))


def _found(settings: Settings, name: str) -> _Cloud:
    try:
        session = open_session(settings)
    except DeployError as error:
        return _Cloud(None, None, odd("AWS", "the deployment was not examined", str(error)))
    try:
        return _Cloud(session, find_stack(session, name), None)
    except DeployError as error:
        return _Cloud(session, None, wrong_as("stack", error))


def _deployment(
    cloud: _Cloud,
    deployment: Deployment | None,
    found: Mapping[tuple[str, str], Any],
    options: Namespace,
    loaded: Loaded,
) -> Iterator[Section]:
    findings = [cloud.finding] if cloud.finding else []
    if cloud.stack:
        names = options.bots or [*loaded.bots]
        findings += examine_stack(cloud.stack, names, is_all=not options.bots)
    for name in deployment.tasks() if deployment else ():
        one = found["cloud", name]
        findings += [_late(name)] if one is None else one
    yield Section("deployment", "deployment", findings)


# ---------------------------------------------------------------- this machine


def _environment(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems:
        yield odd("settings", *str(problem).partition("; ")[::2])


def _ahead(examined: Examined | None) -> Sequence[float]:
    ahead = examined.account.ahead if examined and examined.account else None
    return [] if ahead is None else [ahead]


def _clock(ahead: Sequence[float]) -> Iterator[Finding]:
    """How this machine's clock stands to LINE's and AWS's. A slow answer makes it look worse than it is."""
    if not ahead:
        return
    off = min(ahead, key=abs)
    way = "ahead" if off > 0 else "behind"
    cure = "set it, by its network time service"
    if abs(off) > FAR_AHEAD:
        yield wrong("clock", f"it is {_span(off)} {way}, and AWS and LINE refuse what is signed so", cure)
    elif abs(off) > AHEAD:
        yield odd("clock", f"it is {_span(off)} {way}", cure)
    else:
        yield good("clock", "it is right", "clock right")


def _span(seconds: float) -> str:
    whole = round(abs(seconds))
    return f"{whole} s" if whole < 120 else f"{whole // 60} minutes" if whole < 7200 else f"{whole // 3600} hours"
