"""Secrets by reference: from the environment, and from AWS through a cache."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import Any, Final, Protocol

from botkit.aws.references import reference_fault, split_reference
from botkit.errors import SecretError
from botkit.ports import Clock

log = logging.getLogger(__name__)

FRESH_MS: Final = 5 * 60_000
"""How long a value serves before AWS is asked again: a rotated secret takes effect within it."""

STALE_MS: Final = 60 * 60_000
"""How much longer a value serves while AWS is out of order: an outage there must not mute the bots."""

STALE_RETRY_MS: Final = 60_000
"""How often AWS is asked meanwhile: each time makes somebody wait for the client's timeouts."""

FAILED_MS: Final = 10_000
"""How long a failure stands before AWS is asked again: short for who repairs it, long for AWS."""


class EnvSecrets:
    """Resolves `env:NAME` in a given environment. Lives as long as the process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, reference: str) -> str:
        """The value, without the white space that copying leaves around it. Raises SecretError where it is unset."""
        kind, _, name = reference.partition(":")
        value = self._environ.get(name, "").strip() if kind == "env" else ""
        if not value:
            raise SecretError(f"{reference} is not set; put the secret into the environment variable {name}")
        return value


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source gave nothing, in words that go after the reference. `retryable`: it may pass by itself.

    A value and not an exception, because it is kept, and may be raised by many threads.
    """

    text: str
    retryable: bool = False
    cause: Exception | None = field(default=None, repr=False)


class Remote(Protocol):
    """Where `ssm:` and `secretsmanager:` lead; `botkit.aws.remote_secrets.RemoteSecrets` is one."""

    def fetch(self, sources: Sequence[str]) -> Mapping[str, str | Failure]:
        """The text of each source (`ssm:/path/name`, `secretsmanager:id`), or why there is none."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a source. Times in ms: when to ask again, and until when the text may serve after that."""

    answer: str | Failure = field(repr=False)
    ask_at: int
    stale_until: int


class ReferenceSecrets:
    """Resolves `env:NAME`, `ssm:/path/name` and `secretsmanager:id#key`.

    Lives as long as the process, and may be shared by threads. What AWS gave is kept in memory, by
    source: the keys of one secret cost one call, and are always of one version of it.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock, remote: Remote) -> None:
        self._env = EnvSecrets(environ)
        self._clock = clock
        self._remote = remote
        self._entries: dict[str, _Entry] = {}
        self._asking: dict[str, Event] = {}
        self._lock = Lock()

    def get(self, reference: str) -> str:
        """The secret, without white space around it. Raises SecretError, which names the reference."""
        if fault := reference_fault(reference):
            raise SecretError(f"a secret reference (not shown) {fault}")
        if reference.startswith("env:"):
            return self._env.get(reference)
        source, key = split_reference(reference)
        self._refresh([source])
        found = self._find(source, key)
        if isinstance(found, Failure):
            raise SecretError(f"{reference} {found.text}", retryable=found.retryable) from found.cause
        return found

    def warm(self, references: Collection[str]) -> None:
        """Ask AWS, in as few calls as it takes, for all that is not at hand. What fails is raised by `get`."""
        remote = [one for one in references if reference_fault(one) is None and not one.startswith("env:")]
        self._refresh([*dict.fromkeys(split_reference(one)[0] for one in remote)])

    def _refresh(self, sources: Sequence[str]) -> None:
        """Ask for the sources that are due, save those that another thread is asking for: wait for these."""
        mine, theirs = self._claim(sources)
        try:
            if mine:
                self._keep(self._remote.fetch(mine))
        finally:
            self._unclaim(mine)
        for asked in theirs:
            asked.wait()

    def _claim(self, sources: Sequence[str]) -> tuple[list[str], list[Event]]:
        with self._lock:
            now = self._clock.now()
            due = [one for one in sources if one not in self._entries or self._entries[one].ask_at <= now]
            mine = [one for one in due if one not in self._asking]
            # Who has an old text goes on with it: one thread in the wait for an outage is enough.
            theirs = [self._asking[one] for one in due if one in self._asking and self._old(one, now) is None]
            self._asking.update(dict.fromkeys(mine, Event()))
            return mine, theirs

    def _unclaim(self, sources: Sequence[str]) -> None:
        with self._lock:
            for event in {self._asking.pop(one) for one in sources}:
                event.set()

    def _keep(self, answers: Mapping[str, str | Failure]) -> None:
        with self._lock:
            now = self._clock.now()
            self._entries.update({source: self._entry(source, answer, now) for source, answer in answers.items()})

    def _entry(self, source: str, answer: str | Failure, now: int) -> _Entry:
        if isinstance(answer, str):
            return _Entry(answer, now + FRESH_MS, now + FRESH_MS + STALE_MS)
        old = self._old(source, now)
        # A clear no (deleted, forbidden) holds at once; only an outage is bridged.
        if old is None or not answer.retryable:
            return _Entry(answer, now + FAILED_MS, now)
        left = (old.stale_until - now) // 60_000
        log.warning("%s %s; its last value serves on, for %d minutes at most", source, answer.text, left)
        return replace(old, ask_at=min(now + STALE_RETRY_MS, old.stale_until))

    def _old(self, source: str, now: int) -> _Entry | None:
        """The entry that may serve without an answer from AWS."""
        entry = self._entries.get(source)
        return entry if entry and isinstance(entry.answer, str) and now < entry.stale_until else None

    def _find(self, source: str, key: str) -> str | Failure:
        with self._lock:
            entry = self._entries.get(source)
            if entry is None:  # the other thread met a bug, and tells of it
                return Failure("could not be asked for", retryable=True)
            if isinstance(entry.answer, Failure):
                return entry.answer
            found = pick(entry.answer, key)
            if isinstance(found, Failure):  # the owner may be about to add the key
                ask_at = min(entry.ask_at, self._clock.now() + FAILED_MS)
                self._entries[source] = replace(entry, ask_at=ask_at)
            return found


def pick(text: str, key: str) -> str | Failure:
    """The text of a secret, or what its JSON has under `key` where one is given."""
    if not key:
        return text
    fields = _json(text)
    if not isinstance(fields, dict):
        return Failure(f'is asked of a secret that is not a JSON object; make it {{"{key}": "…"}}, or leave #{key} out')
    if key not in fields:
        return Failure(f"is asked of a secret without the key {key}; add the key, or correct the reference")
    if not isinstance(fields[key], str):
        return Failure("is not a JSON string; put the value into quotation marks")
    return fields[key].strip() or Failure("is empty; put the value into the secret")


def _json(text: str) -> Any:
    # Nothing is raised from here: the parser's errors carry the text, which is the secret.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
