"""How the CloudFormation stack becomes something else: a change set, its execution, and the wait for its end."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import uuid4

from botocore.exceptions import ClientError
from botocore.session import Session

from botkit.deploy.failures import code_of, in_plain_words, shown
from botkit.deploy.session import client
from botkit.deploy.stack import UNBORN, described
from botkit.errors import DeployError

FINAL: Final = frozenset(
    {
        *("CREATE_COMPLETE", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"),
        *("UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
        *("DELETE_COMPLETE", "DELETE_FAILED"),
    }
)
"""States in which AWS has done with a stack (the same guide)."""

NOTHING: Final = ("didn't contain changes", "No updates are to be performed")
"""What AWS says of a change set that changes nothing."""

PAUSE: Final = 2.0
PATIENCE: Final = 10
"""How many questions in a row may fail while AWS is at work."""

_GONE: Final = ("ChangeSetNotFound", "ChangeSetNotFoundException")


class OutOfSight(DeployError):
    """AWS may be at work on the stack, and cannot be asked how far it is."""


class BrokenOff(KeyboardInterrupt):
    """A person broke off when AWS may have been at work on the stack already."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change set that waits to be executed. `kind` is CREATE where there is no stack yet."""

    id: str
    stack_id: str
    kind: Literal["CREATE", "UPDATE"]
    changes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a resource of the stack, or to the stack itself (`own`)."""

    id: str
    logical: str
    kind: str
    status: str
    reason: str
    own: bool

    @property
    def failed(self) -> bool:
        """Whether this is where it went wrong, and not a resource that was stopped because another failed."""
        return self.status.endswith("_FAILED") and not self.own and "cancelled" not in self.reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation on the stack ended; `cause` is the first failure, if any was told."""

    status: str
    cause: Event | None

    @property
    def good(self) -> bool:
        """Whether all is as it was asked for."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")


class Stack:
    """The stack of a name, and what can be done with it. Lives as long as a command.

    `pause` are the seconds between two looks at what AWS is doing. Every method raises DeployError.
    """

    def __init__(self, session: Session, name: str, pause: float = PAUSE) -> None:
        self.name = name
        self._cloud = client(session, "cloudformation")
        self._pause = pause

    def status(self) -> str | None:
        """The stack's status; None where there is none."""
        with in_plain_words(f"look for the stack {self.name}"):
            found = described(self._cloud, self.name)
        return found["StackStatus"] if found else None

    def propose(
        self, template: Mapping[str, str], values: Sequence[Mapping[str, Any]], hidden: Collection[str] = ()
    ) -> Proposal | None:
        """A change set that leads to a template with these values; None where nothing changes.

        `template` is `{"TemplateBody": …}` or `{"TemplateURL": …}`; `hidden` are values that no error may show. What
        is refused leaves nothing behind.
        """
        kind: Literal["CREATE", "UPDATE"] = "CREATE" if self.status() in (None, UNBORN) else "UPDATE"
        name = f"botkit-{uuid4().hex}"
        with self._meanwhile(), in_plain_words(f"propose a change of the stack {self.name}", hidden):
            made = self._cloud.create_change_set(
                StackName=self.name,
                ChangeSetName=name,
                ChangeSetType=kind,
                Parameters=list(values),
                Capabilities=["CAPABILITY_IAM"],
                ClientToken=name,  # a repeated call makes no second one
                **template,
            )
        proposal = Proposal(made["Id"], made["StackId"], kind, ())
        try:
            status, reason, changes = self._settled(proposal)
        except BaseException:
            self.withdraw(proposal)
            raise
        if status == "CREATE_COMPLETE":
            return replace(proposal, changes=changes)
        self.withdraw(proposal)
        if any(words in reason for words in NOTHING):
            return None
        raise DeployError(f"AWS refuses the change of the stack {self.name}: {shown(reason, hidden)}")

    def _settled(self, proposal: Proposal) -> tuple[str, str, tuple[Mapping[str, Any], ...]]:
        """Status, reason and changes of a change set, once AWS has worked them out."""
        while True:
            changes: list[Mapping[str, Any]] = []
            asked: dict[str, str] = {}
            with in_plain_words("read what would change"):
                while True:
                    answer = self._cloud.describe_change_set(ChangeSetName=proposal.id, **asked)
                    changes += answer.get("Changes", ())
                    if "NextToken" not in answer:
                        break
                    asked = {"NextToken": answer["NextToken"]}
            if answer["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return answer["Status"], answer.get("StatusReason", ""), tuple(changes)
            time.sleep(self._pause)

    def withdraw(self, proposal: Proposal) -> None:
        """Delete a change set, and the stack that is nothing but this proposal."""
        with in_plain_words(f"take back the proposal for the stack {self.name}"):
            try:
                with suppress(KeyError):  # an answer that has nothing in it, not even its empty result
                    self._cloud.delete_change_set(ChangeSetName=proposal.id)
            except ClientError as error:
                if code_of(error) not in _GONE:
                    raise
            found = described(self._cloud, self.name)
            if not found or found["StackStatus"] != UNBORN or found["StackId"] != proposal.stack_id:
                return
            if any(one["ChangeSetId"] != proposal.id for one in self._proposals()):
                return  # somebody else is about to make it
            # By its id: another stack may get the name at any time.
            self._cloud.delete_stack(StackName=proposal.stack_id)

    def _proposals(self) -> Sequence[Mapping[str, Any]]:
        summaries: Sequence[Mapping[str, Any]] = self._cloud.list_change_sets(StackName=self.name)["Summaries"]
        return [one for one in summaries if not one.get("Status", "").startswith("DELETE")]

    def execute(self, proposal: Proposal, tell: Callable[[Event], None]) -> Outcome:
        """Have a change set done, and wait for the end; `tell` gets what happens, as it comes.

        What a failed operation had made is deleted, a table too: nothing is in it yet. Raises OutOfSight where AWS
        may be at work, and BrokenOff; after any other DeployError or KeyboardInterrupt nothing was done.
        """
        with self._meanwhile():
            seen = self._seen(proposal.stack_id)
        with _from_here_on():
            self._begin(proposal)
            return self._watch(proposal.stack_id, seen, tell)

    def _begin(self, proposal: Proposal) -> None:
        try:
            with self._meanwhile(), in_plain_words(f"change the stack {self.name}"):
                self._cloud.execute_change_set(
                    ChangeSetName=proposal.id, ClientRequestToken=uuid4().hex, RetainExceptOnCreate=True
                )
        except DeployError:
            if not self._has_begun(proposal):
                raise

    def _has_begun(self, proposal: Proposal) -> bool:
        """Whether a change set is being executed, though AWS's answer to that was lost."""
        try:
            with in_plain_words(f"ask whether the stack {self.name} is being changed"):
                try:
                    answer = self._cloud.describe_change_set(ChangeSetName=proposal.id)
                except ClientError as error:
                    if code_of(error) in _GONE:
                        return False
                    raise
        except DeployError as error:
            raise OutOfSight(f"{error}; whether AWS has begun to change the stack is not known") from None
        return str(answer["ExecutionStatus"]).startswith("EXECUTE_")

    def delete(self, tell: Callable[[Event], None]) -> Outcome:
        """Delete the stack, and wait for the end. What its template retains stays. Raises BrokenOff, too."""
        with in_plain_words(f"delete the stack {self.name}"):
            found = described(self._cloud, self.name)
            if found is None:
                return Outcome("DELETE_COMPLETE", None)
            seen = self._seen(found["StackId"])
        with _from_here_on():
            with in_plain_words(f"delete the stack {self.name}"):
                self._cloud.delete_stack(StackName=found["StackId"])
            return self._watch(found["StackId"], seen, tell)

    def remains(self) -> tuple[str, ...]:
        """The names of tables that would stay where the stack is deleted."""
        with in_plain_words(f"look into the stack {self.name}"):
            resources = self._cloud.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        return tuple(
            one["PhysicalResourceId"]
            for one in resources
            if one["ResourceType"] == "AWS::DynamoDB::Table"
            and one["ResourceStatus"] != "DELETE_COMPLETE"
            and one.get("PhysicalResourceId")
        )

    def _watch(self, stack_id: str, seen: set[str], tell: Callable[[Event], None]) -> Outcome:
        """Wait for the end of what AWS does with the stack. `seen` are events of before."""
        cause, troubles = None, 0
        while True:
            try:
                events, troubles = self._news(stack_id, seen), 0
            except DeployError as error:
                # AWS goes on, whatever becomes of the questions about it.
                events, troubles = [], troubles + 1
                if troubles == PATIENCE:
                    raise OutOfSight(f"{error}; AWS goes on with the stack all the same") from None
            for event in events:
                tell(event)
                cause = cause or (event if event.failed else None)
            for event in events:
                if event.own and event.status in FINAL:
                    return Outcome(event.status, cause)
            time.sleep(self._pause)

    def _seen(self, stack_id: str) -> set[str]:
        seen: set[str] = set()
        self._news(stack_id, seen)
        return seen

    def _news(self, stack_id: str, seen: set[str]) -> list[Event]:
        """The events that are not in `seen`, the oldest first; they are added to it."""
        news: list[Event] = []
        asked: dict[str, str] = {}
        with in_plain_words(f"ask how the stack {self.name} is doing"):
            while True:
                page = self._cloud.describe_stack_events(StackName=stack_id, **asked)
                found = [_event(one) for one in page["StackEvents"]]
                fresh = [event for event in found if event.id not in seen]
                news += fresh
                if len(fresh) < len(found) or "NextToken" not in page:  # the newest come first
                    break
                asked = {"NextToken": page["NextToken"]}
        seen.update(event.id for event in news)
        return news[::-1]

    @contextmanager
    def _meanwhile(self) -> Iterator[None]:
        """Says of refusals that mean so that somebody else is deploying."""
        try:
            yield
        except DeployError as error:
            if re.search(
                r"_IN_PROGRESS|InvalidChangeSetStatus|(ChangeSet|Stack) \[\S+\] (is in|does not exist|cannot be)",
                str(error),
            ):
                raise DeployError(
                    f"another deployment of the stack {self.name} came first, or is under way: "
                    "wait until it is over, and run botkit deploy again"
                ) from None
            raise


@contextmanager
def _from_here_on() -> Iterator[None]:
    """Where AWS is told to begin: who breaks off after that does not stop it."""
    try:
        yield
    except KeyboardInterrupt:
        raise BrokenOff from None


def _event(told: Mapping[str, Any]) -> Event:
    own = told.get("PhysicalResourceId") == told["StackId"]
    return Event(
        id=told["EventId"],
        logical=told.get("LogicalResourceId", ""),
        kind=told.get("ResourceType", ""),
        status=told.get("ResourceStatus", ""),
        reason=told.get("ResourceStatusReason", ""),
        own=own,
    )
