"""Set the webhook addresses of LINE accounts, and have LINE test them.

`set` gives each account the address BASE/line/BOT, reads it back, and has LINE call it. BASE is the output Url of the
stack that `botkit deploy` made, or what --url says. Where another address would be replaced, it asks first.
`test` has LINE call the address that is set, and says what came of it. LINE allows 60 tests an hour for an account.

example:
  botkit webhook set --all                                all bots that have a LINE account
  botkit webhook set concierge --url https://bots.example.com --yes
  botkit webhook test concierge
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from botkit.cli import check
from botkit.cli.accounts import Accounts, each
from botkit.cli.addresses import address_fault, base_of, webhook_address
from botkit.cli.cloud import add_stack_argument, settings
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.verdicts import ANSWERS, CONSOLE, TO_SWITCH, explain
from botkit.errors import BotkitError
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_folder

if TYPE_CHECKING:
    from botkit.line.console import Verdict

SECONDS: Final = 30
"""The longest that all calls for an account may take together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found and done for one bot. `error` says why something could not be, and `cure` what to do."""

    bot: str
    address: str | None = None
    before: str | None = None
    active: bool | None = None
    is_set: bool = False
    verdict: "Verdict | None" = None
    error: str = ""
    cure: str = ""

    @property
    def is_good(self) -> bool:
        """Whether LINE reaches the bot."""
        return not self.error and self.verdict is not None and self.verdict.success

    @property
    def facts(self) -> dict[str, Any]:
        """The outcome for programs."""
        verdict = self.verdict
        test = verdict and {name: getattr(verdict, name) for name in ("success", "status", "reason", "detail")}
        return {
            "bot": self.bot,
            "ok": self.is_good,
            "address": self.address,
            "before": self.before,
            "set": self.is_set,
            "active": self.active,
            "test": test,
            "error": self.error or None,
            "cure": self.cure or None,
        }


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="set|test")
    for name, about in (("set", "set the address and test it"), ("test", "have LINE call the address that is set")):
        action = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        action.add_argument("--all", action="store_true", help="all bots that have a LINE account")
        if name == "set":
            add_stack_argument(action)
            action.add_argument("--url", metavar="BASE", help="the address before /line/BOT; by default the stack's")
            action.add_argument("--yes", action="store_true", help="do not ask before another address is replaced")
        action.add_argument("--json", action="store_true", help="print the outcome as JSON")
        action.add_argument("bots", metavar="BOT", nargs="*", help="names of bots")
        action.set_defaults(url=None, yes=False)


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Set or test; 1 where LINE does not reach a bot or it was not meant, 2 for misuse. Raises DeployError."""
    errors = Console(stderr=True, highlight=False, emoji=False)
    folder, known = bots_folder(environ), settings(environ)
    if bool(options.bots) == options.all:
        return _refuse(errors, "name one bot or more, or write --all, and not both")
    if missing := unknown_bots(folder, options.bots):
        check.report(errors, missing)
        return 2
    if options.url is not None and (fault := address_fault(options.url, known)):
        return _refuse(errors, f"--url {fault}")
    loaded = load_folder(folder, options.bots)
    check.report(errors, loaded.problems)
    bots = {name: bot for name, bot in loaded.bots.items() if bot.line or not options.all}
    work = _Work(Accounts.of(known), bots, errors)
    if options.action == "set" and bots:
        meant = work.set(base_of(options, known), is_meant=options.yes)
        if meant is not None:
            return meant
    elif bots:
        work.test()
    return _report(options, work, len(loaded.problems))


def _refuse(errors: Console, text: str) -> int:
    errors.print(Text.assemble(("botkit:", "bold red"), f" {text}"), soft_wrap=True)
    return 2


class _Work:
    """The accounts that something is done to, and what came of it. Lives as long as the command."""

    def __init__(self, accounts: Accounts, bots: Mapping[str, BotSpec], errors: Console) -> None:
        self._accounts = accounts
        self._bots = bots
        self._errors = errors
        self._tokens: dict[str, str] = {}
        self.outcomes: dict[str, Outcome] = {}

    def set(self, base: str, *, is_meant: bool) -> int | None:
        """Set the addresses and test them; the exit code where nothing was set, because it was not meant."""
        self._each(self._bots, self._look)
        targets = {name: webhook_address(base, name) for name, one in self.outcomes.items() if not one.error}
        known = [self.outcomes[name] for name in targets]
        replaced = [one for one in known if one.before not in (None, targets[one.bot])]
        if replaced and not is_meant and (refused := self._ask(replaced, targets)) is not None:
            return refused
        self._each(targets, lambda name: self._set(name, targets[name]))
        return None

    def test(self) -> None:
        """Have LINE test what is set."""
        self._each(self._bots, self._look)
        known = [name for name, one in self.outcomes.items() if not one.error]
        self._each(known, self._test)

    def _each(self, names: Iterable[str], task: Any) -> None:
        with self._errors.status("asking LINE …"):
            found = each({name: partial(_caught, task, name) for name in names}, SECONDS)
        late = f"LINE did not answer within {SECONDS} seconds"
        for name, one in found.items():
            self.outcomes[name] = one or Outcome(name, error=late, cure="try again")

    def _look(self, name: str) -> Outcome:
        """What is set now."""
        self._tokens[name] = token = self._accounts.token(self._bots[name])
        with self._accounts.console(token) as line:
            found = line.webhook()
        address = found.address if found else None
        return Outcome(name, address, address, found.active if found else None)

    def _set(self, name: str, target: str) -> Outcome:
        """Set the address where it is another one, read it back, test it."""
        before = self.outcomes[name].before
        with self._accounts.console(self._tokens[name]) as line:
            if before != target:
                line.set_webhook(target)
            found = line.webhook()
            one = Outcome(name, target, before, found.active if found else None, before != target)
            if found is None or found.address != target:
                shown = found.address if found else "none"
                error = f"LINE has taken the address, and still shows {shown}"
                return replace(one, error=error, cure=f"wait a minute, then: botkit webhook test {name}")
            return _judged(one, line.test_webhook(target))

    def _test(self, name: str) -> Outcome:
        one = self.outcomes[name]
        if one.address is None:
            return replace(one, error="no address is set", cure=f"botkit webhook set {name}")
        with self._accounts.console(self._tokens[name]) as line:
            return _judged(one, line.test_webhook(one.address))

    def _ask(self, replaced: Sequence[Outcome], targets: Mapping[str, str]) -> int | None:
        """None where the addresses are meant to be replaced, else the exit code."""
        if not sys.stdin.isatty():
            names = ", ".join(one.bot for one in replaced)
            text = f"another address would be replaced ({names}), and there is nobody to ask; add --yes"
            return _refuse(self._errors, text)
        for one in replaced:
            self._errors.print(Text(f"{one.bot}\n  now  {one.before}\n  new  {targets[one.bot]}"), soft_wrap=True)
        try:
            answer = self._errors.input("Replace? What stands there now gets no messages any more. Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() in ("y", "yes"):
            return None
        self._errors.print("Nothing was set.")
        return 1


def _caught(task: Any, name: str) -> Outcome:
    try:
        outcome: Outcome = task(name)
    except BotkitError as error:
        return Outcome(name, error=str(error))
    return outcome


def _judged(one: Outcome, verdict: "Verdict") -> Outcome:
    text, cure = explain(verdict)
    return replace(one, verdict=verdict, error="" if text == ANSWERS else text, cure=cure)


# ---------------------------------------------------------------- what is said of it


def _report(options: Namespace, work: _Work, broken: int) -> int:
    outcomes = list(work.outcomes.values())
    good = all(one.is_good for one in outcomes) and not broken
    if options.json:
        print(json.dumps([one.facts for one in outcomes], indent=2, ensure_ascii=False))  # noqa: T201  for programs
        return 0 if good else 1
    console = Console(highlight=False, emoji=False)
    width = max((len(one.bot) for one in outcomes), default=0)
    for one in outcomes:
        console.print(_told(one, width), soft_wrap=True)
    if not outcomes and not broken:
        console.print("no bot has a LINE account; add a `line:` section to a bot's file")
        return 1
    if any(one.is_set for one in outcomes) or any(one.active is False for one in outcomes):
        console.print(_to_switch())
    return 0 if good else 1


def _told(one: Outcome, width: int) -> Text:
    """The bot, whether LINE reaches it, and its address; below it what was done, or what is wrong."""
    state, style = ("ok", "green") if one.is_good else ("failed", "bold red")
    told = Text.assemble((f"{one.bot:{width}}", "bold"), "  ", (f"{state:6}", style), f"  {one.address or '–'}")
    indent = "\n" + " " * (width + 10)
    for text, colour in _lines(one):
        told.append(f"{indent}{text}", colour)
    return told


def _lines(one: Outcome) -> list[tuple[str, str]]:
    lines = []
    if one.is_set:
        lines.append((f"set; it was {one.before}" if one.before else "set; there was none before", ""))
    if one.is_good:
        lines.append(("LINE's test went through", "dim"))
    if one.error:
        lines.append((one.error, "red"))
    if one.cure:
        lines.append((f"→ {one.cure}", ""))
    if one.active is False:
        lines.append(('"Use webhook" is off, so LINE sends no messages there', "yellow"))
    return lines


def _to_switch() -> Text:
    told = Text("\nOnly you can switch these. ", "bold").append(
        f"In the {CONSOLE}, open the channel, and its Messaging API tab:\n", "not bold"
    )
    width = max(len(name) for name, _ in TO_SWITCH)
    for name, meaning in TO_SWITCH:
        told.append(f"  {name:{width}}  ", "bold").append(f"{meaning}\n", "not bold")
    told.rstrip()
    return told
