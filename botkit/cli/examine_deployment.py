"""What a deployment consists of, examined: the stack, the table, the queue, the functions and the schedule."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.session import Session

from botkit.aws.queue_url import queue_fault, split_queue
from botkit.cli.examination import Finding, good, odd, wrong, wrong_as
from botkit.deploy.beforehand import table_faults
from botkit.deploy.bots import files_of
from botkit.deploy.failures import in_plain_words
from botkit.deploy.stack import Deployed
from botkit.errors import DeployError

DEPLOY: Final = "botkit deploy"
_CONFIG: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
_HIDDEN_FOR: Final = 6
"""So many times as long as the worker may take, a message stays hidden (AWS Lambda: Using Lambda with Amazon SQS)."""
_SCHEDULES: Final = {
    "AWS::Scheduler::Schedule": ("scheduler", "get_schedule"),
    "AWS::Events::Rule": ("events", "describe_rule"),
}


@dataclass(slots=True)
class Deployment:
    """What is examined. Lives as long as one examination.

    `folder` holds the bots here. `stack` is None where only a table or a queue is named. `ahead`: by how many
    seconds this machine's clock is ahead of AWS's, as often as AWS said what time it is.
    """

    session: Session
    folder: Path
    stack: Deployed | None
    table: str | None
    queue: str | None
    ahead: list[float] = field(default_factory=list)
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, folder: Path, stack: Deployed | None, settings: Mapping[str, str]) -> "Deployment":
        """That of a stack, or what BOTKIT_STORE and BOTKIT_QUEUE name."""
        store = settings.get("BOTKIT_STORE") or ""
        named = store.partition(":")[2].strip("/") if store.startswith("dynamodb:") else None
        outputs: Mapping[str, str] = stack.outputs if stack else {}
        queue = outputs.get("Queue") or settings.get("BOTKIT_QUEUE") or None
        return cls(session, folder, stack, outputs.get("Table") or named or None, queue)

    def tasks(self) -> dict[str, Callable[[], list[Finding]]]:
        """The examinations, by name; they may go on at once."""
        found: dict[str, Callable[[], Iterable[Finding]]] = {}
        if self.table:
            self._client("dynamodb")
            found["table"] = partial(self.examine_table, self.table)
        if self.queue:
            found["queue"] = partial(self.examine_queue, self.queue)
            self._client("lambda")
        if self.stack:
            for service in ("cloudformation", "sqs", "lambda", "scheduler", "events"):
                self._client(service)
            found["functions"] = self.examine_functions
            found["schedule"] = self.examine_schedule
        return {name: partial(_caught, name, task) for name, task in found.items()}

    # ---------------------------------------------------------------- each of them

    def examine_table(self, table: str) -> Iterator[Finding]:
        """Its keys, the sweep's index, and TTL."""
        found = self._ask("dynamodb", "describe_table", TableName=table)["Table"]
        ttl = self._ask("dynamodb", "describe_time_to_live", TableName=table)["TimeToLiveDescription"]
        for text, cure in table_faults(found, ttl):
            yield wrong("table", f"{table} {text}", cure)
        yield good("table", table, f"table {table}")

    def examine_queue(self, url: str) -> Iterator[Finding]:
        """For how long it hides a message, and what lies in its DLQ."""
        if fault := queue_fault(url):
            yield wrong("queue", f"BOTKIT_QUEUE {fault}", "correct it")
            return
        name, region = split_queue(url)
        asked = self._ask("sqs", "get_queue_attributes", region, QueueUrl=url, AttributeNames=["All"])
        attributes = asked["Attributes"]
        hidden, timeout = int(attributes.get("VisibilityTimeout", 0)), self._worker_timeout()
        if timeout and hidden < _HIDDEN_FOR * timeout:
            text = f"{name} hides a message for {hidden} s, less than six times the worker's {timeout} s"
            yield wrong("queue", text, f"{DEPLOY}; or set its visibility timeout to {_HIDDEN_FOR * timeout} s")
        yield from self._dead_letters(name, region, attributes)
        waiting = int(attributes.get("ApproximateNumberOfMessages", 0))
        yield good("queue", f"{name}, {waiting:,} waiting", f"{waiting:,} waiting in the queue" if waiting else "queue")

    def _dead_letters(self, name: str, region: str | None, attributes: Mapping[str, str]) -> Iterator[Finding]:
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        arn = str(policy.get("deadLetterTargetArn") or "")
        if not arn:
            yield wrong("queue", f"{name} has no DLQ, so a message that cannot be worked off comes for ever", DEPLOY)
            return
        dead = arn.rpartition(":")[2]
        url = self._ask("sqs", "get_queue_url", region, QueueName=dead)["QueueUrl"]
        asked = self._ask("sqs", "get_queue_attributes", region, QueueUrl=url, AttributeNames=["All"])
        count = int(asked["Attributes"].get("ApproximateNumberOfMessages", 0))
        if count:
            text = f"{count:,} wake-ups lie in the DLQ {dead}, because the worker failed five times over each"
            cure = "read the worker's log, mend the cause, then: aws sqs start-message-move-task --source-arn " + arn
            yield odd("queue", text, cure)

    def examine_functions(self) -> Iterator[Finding]:
        """The functions' state, and when they were updated."""
        for role in ("Door", "Worker"):
            name = self._outputs.get(role)
            if not name:
                yield wrong("functions", f"the stack has no output {role}", DEPLOY)
                continue
            found = self._ask("lambda", "get_function_configuration", FunctionName=name)
            state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
            if state not in ("Active", "Inactive") or update == "Failed":
                why = found.get("LastUpdateStatusReason") or found.get("StateReason") or "AWS does not say why"
                yield wrong("functions", f"{name} is {state}, its last update {update}: {why}", DEPLOY)
            else:
                at = f"updated {_minute(found.get('LastModified', ''))}"
                yield good("functions", f"{name} {at}", f"functions {at}" if role == "Worker" else "")
                yield from self._age(role, time_of(found.get("LastModified", "")))

    def _age(self, role: str, updated: datetime | None) -> Iterator[Finding]:
        """Whether the bots here have been worked on since. (Both functions have one package.)"""
        changed = changed_since(self.folder, updated) if updated and role == "Worker" else None
        if changed:
            text = f"{changed} was changed after the last deployment"
            yield odd("package", text, f"see what a deployment would change: botkit plan, then: {DEPLOY}")

    def examine_schedule(self) -> Iterator[Finding]:
        """Whether the sweep comes, and whether the queue's messages reach the worker."""
        name = self.stack.name if self.stack else ""
        resources = self._ask("cloudformation", "describe_stack_resources", StackName=name)["StackResources"]
        schedules = 0
        for one in resources:
            kind, physical = one["ResourceType"], one.get("PhysicalResourceId", "")
            if kind in _SCHEDULES:
                schedules += 1
                yield self._schedule(kind, physical)
            if kind == "AWS::Lambda::EventSourceMapping":
                yield self._mapping(physical)
        if not schedules:
            yield wrong("schedule", "the stack has no schedule, so what was left lying is never found again", DEPLOY)

    def _schedule(self, kind: str, physical: str) -> Finding:
        service, operation = _SCHEDULES[kind]
        # An id may hold the group before a slash or a bar.
        name = physical.replace("|", "/").rpartition("/")[2]
        state = str(self._ask(service, operation, Name=name).get("State", "")).upper()
        if state == "ENABLED":
            return good("schedule", "the sweep is on", "sweep on")
        cure = f"enable {name} in the console of Amazon EventBridge, or: {DEPLOY}"
        return wrong("schedule", f"the sweep is off ({state or 'no state'}), so what was left lying stays", cure)

    def _mapping(self, uuid: str) -> Finding:
        state = str(self._ask("lambda", "get_event_source_mapping", UUID=uuid).get("State", ""))
        if state in ("Enabled", "Enabling", "Updating", "Creating"):
            return good("schedule", "the queue wakes the worker")
        cure = f"aws lambda update-event-source-mapping --uuid {uuid} --enabled"
        return wrong("schedule", f"the queue does not wake the worker: its mapping is {state}", cure)

    # ---------------------------------------------------------------- asking

    @property
    def _outputs(self) -> Mapping[str, str]:
        return self.stack.outputs if self.stack else {}

    def _worker_timeout(self) -> int | None:
        name = self._outputs.get("Worker")
        return int(self._ask("lambda", "get_function_configuration", FunctionName=name)["Timeout"]) if name else None

    def _ask(self, service: str, operation: str, region: str | None = None, **arguments: Any) -> Any:
        """AWS's answer. Raises DeployError."""
        before = time.time()
        with in_plain_words(f"{operation.replace('_', ' ')} ({service})"):
            answer = getattr(self._client(service, region), operation)(**arguments)
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        self._note_time(date, (before + time.time()) / 2)
        return answer

    def _note_time(self, date: str | None, at: float) -> None:
        try:
            self.ahead.append(at - parsedate_to_datetime(date or "").timestamp() - 0.5)
        except ValueError:
            return

    def _client(self, service: str, region: str | None = None) -> Any:
        # Those of the session's own region are made before the threads begin: a session is not safe among them.
        if (service, region) not in self._clients:
            make: Any = self.session.create_client
            with in_plain_words(f"reach {service}"):
                self._clients[service, region] = make(service, region_name=region, config=_CONFIG)
        return self._clients[service, region]


def _caught(name: str, task: Callable[[], Iterable[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(task())
    except DeployError as error:
        found.append(wrong_as(name, error))
    return found


# ---------------------------------------------------------------- the stack as a whole


def examine_stack(stack: Deployed, bots: Iterable[str], *, is_all: bool) -> Iterator[Finding]:
    """Its state, and whether it has these bots, which are all that are here, or some of them."""
    yield _status(stack)
    here, there = set(bots), set(stack.bots)
    if missing := sorted(here - there):
        yield wrong("package", f"not deployed yet: {', '.join(missing)}", DEPLOY)
    if is_all and (gone := sorted(there - here)):
        cure = "see what a deployment would change: botkit plan"
        yield odd("package", f"deployed, and not here: {', '.join(gone)}", cure)


def _status(stack: Deployed) -> Finding:
    where = f"{stack.name} in {stack.region}"
    if stack.status.endswith("_IN_PROGRESS"):
        return odd("stack", f"{where} is being changed ({stack.status})", "wait until that is over")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return odd("stack", f"{where} is as before its last deployment, which failed", f"see why: {DEPLOY}")
    if "ROLLBACK" in stack.status or stack.status.endswith("_FAILED"):
        return wrong("stack", f"{where} is {stack.status}", f"see why: {DEPLOY}")
    return good("stack", where, where)


def changed_since(folder: Path, deployed: datetime) -> str | None:
    """A file of the bots folder that is newer than its deployment; the newest one."""
    try:
        files = [path for _, path in files_of(folder)]
    except DeployError:  # `botkit package` says what is wrong there
        return None
    newest = max(files, key=lambda one: one.stat().st_mtime, default=None)
    return str(newest) if newest is not None and newest.stat().st_mtime > deployed.timestamp() else None


def _minute(modified: str) -> str:
    """Lambda's time to the minute, in this machine's zone."""
    at = time_of(modified)
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else "at an unknown time"


def time_of(modified: str) -> datetime | None:
    """Lambda's LastModified (2026-11-22T10:11:12.000+0000); None where it is not that."""
    try:
        return datetime.strptime(modified, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None
