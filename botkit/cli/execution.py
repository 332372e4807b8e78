"""What AWS is made to do with a stack, watched to its end; and what came of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from botkit.cli.deploy_view import View, doing
from botkit.deploy.beforehand import REDO, Findings, status_fault
from botkit.deploy.changes import Change, told
from botkit.deploy.parameters import without_credentials
from botkit.deploy.reasons import cause_of
from botkit.deploy.rollout import BrokenOff, Event, Outcome, OutOfSight, Proposal, Stack
from botkit.deploy.stack import Deployed
from botkit.errors import DeployError

Status = Literal["deployed", "unchanged", "proposed", "declined", "refused", "failed"]


@dataclass(slots=True)
class Report:
    """What came of a deployment, for programs; `cause` says why it was refused or failed.

    `region` and `account` are None until AWS has said them.
    """

    stack: str
    region: str | None = None
    account: str | None = None
    status: Status = "refused"
    cause: str | None = None
    changes: tuple[Change, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    deployed: Deployed | None = None

    def facts(self) -> dict[str, Any]:
        """The same as plain data; no secret is in it."""
        stack, bots = self.deployed, self.deployed.bots if self.deployed else ()
        return {
            "stack": self.stack,
            "region": self.region,
            "account": self.account,
            "status": self.status,
            "cause": self.cause,
            "changes": [
                {"resource": one.logical, "type": one.kind, "action": one.action, "told": told(one)}
                for one in self.changes
            ],
            "settings": {name: without_credentials(text) for name, text in self.settings.items()},
            "outputs": dict(stack.outputs) if stack else {},
            "webhooks": {bot: stack.url_of(bot) for bot in bots} if stack else {},
        }


class Undo:
    """What is taken back where a deployment does not come about, the last thing first. Lives as long as one."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._steps = ExitStack()

    def __enter__(self) -> "Undo":
        return self

    def __exit__(self, *_: object) -> None:
        self.now()

    def later(self, step: Callable[..., object], *arguments: object) -> None:
        """Remember how to take something back."""
        self._steps.callback(self._try, step, arguments)

    def now(self) -> None:
        """Take it all back."""
        self._steps.close()

    def forget(self) -> None:
        """Leave everything as it is."""
        self._steps.pop_all()

    def _try(self, step: Callable[..., object], arguments: tuple[object, ...]) -> None:
        """A failure here must not hide why things are taken back; what stays is told."""
        try:
            step(*arguments)
        except DeployError as error:
            self._view.findings(Findings(remarks=(f"something is left behind: {error}",)))


@dataclass(frozen=True, slots=True)
class Execution:
    """Has AWS change or delete the stack, and shows how far it is. Raises DeployError."""

    stack: Stack
    region: str
    view: View
    report: Report

    def delete(self, what: str) -> bool:
        """Delete the stack; whether it is gone."""
        with self._watched(what, 0) as hear:
            outcome = self.stack.delete(hear)
        if not outcome.good:
            self._tell_cause(outcome, ())
        return outcome.good

    def execute(self, proposal: Proposal, undo: Undo, hidden: Collection[str]) -> bool:
        """Have a proposal done; whether it was. Where AWS has undone it, what was made for it is taken back too."""
        count = sum(change.action not in ("follows", "exchanged") for change in self.report.changes)
        self.report.status = "failed"
        self.view.heading("Deploying")
        try:
            with self._watched("AWS is at work", count) as hear:
                outcome = self.stack.execute(proposal, hear)
        except (OutOfSight, BrokenOff):
            undo.forget()  # it is AWS's to do or to undo
            raise
        if outcome.good:
            undo.forget()
            return True
        self._tell_cause(outcome, hidden)
        self._tidy(outcome, undo)
        return False

    def _tell_cause(self, outcome: Outcome, hidden: Collection[str]) -> None:
        self.report.status = "failed"
        self.report.cause = cause_of(outcome.cause, hidden) if outcome.cause else f"AWS says {outcome.status}"
        self.view.findings(Findings((self.report.cause,)))

    def _tidy(self, outcome: Outcome, undo: Undo) -> None:
        """Leave no half-made stack behind, and say how things are."""
        name = self.stack.name
        if outcome.status == REDO and self.delete("taking the stack back"):
            self.view.say("Everything that was made for it is gone again.")
        elif outcome.status == "UPDATE_ROLLBACK_COMPLETE":
            self.view.say("AWS has undone it: the stack is as it was before.")
        else:
            undo.forget()  # the stack may still refer to it
            self.view.say(status_fault(name, self.region, outcome.status) or f"The stack {name} is {outcome.status}.")

    @contextmanager
    def _watched(self, what: str, count: int) -> Iterator[Callable[[Event], None]]:
        """Shows what AWS does as it comes; `count` resources have to do with it, 0 where that is not known."""
        finished: set[str] = set()
        with self.view.progress() as tell:

            def hear(event: Event) -> None:
                self.view.event(event)
                if event.status.endswith("_COMPLETE") and not event.own:
                    finished.add(event.logical)
                if self.view.console.is_terminal:
                    tell(doing(event), min(len(finished), count), count)

            tell(what, 0, count)
            try:
                yield hear
            except BrokenOff:
                look = f"aws cloudformation describe-stack-events --stack-name {self.stack.name} --region {self.region}"
                self.view.say(f"AWS goes on without this terminal; how far it is: {look}", "yellow")
                raise
