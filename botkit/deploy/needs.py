"""What bots need of their surroundings: variables of the environment, and secrets that AWS keeps."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from botkit.aws.references import split_reference
from botkit.errors import DeployError
from botkit.spec.bot import BotSpec

# Lambda API reference: Environment, Variables.
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
# Lambda sets those, refuses most of them, and the SDK and we go by the rest (Lambda developer guide: Defined runtime
# environment variables).
_TAKEN: Final = re.compile(r"AWS_.*|LAMBDA_.*|BOTKIT_.*|OPENAI_BASE_URL|PATH|LD_LIBRARY_PATH|PYTHONPATH|LANG|TZ")


@dataclass(frozen=True, slots=True)
class Needs:
    """What is named by secret references, each sorted; never a secret.

    `variables` are names of environment variables (`env:`), `parameters` paths in Parameter Store
    (`ssm:`), `secrets` names or ARNs in Secrets Manager (`secretsmanager:`).
    """

    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    secrets: tuple[str, ...]


def needs_of(bots: Mapping[str, BotSpec]) -> Needs:
    """All that the bots need."""
    return _needs(reference for bot in bots.values() for reference in bot.secrets)


def door_needs_of(bots: Mapping[str, BotSpec]) -> Needs:
    """What the door needs: of the environment, what checks signatures; of AWS all, since it asks for all at once."""
    checks = (reference for bot in bots.values() for reference in _channel_secrets(bot))
    everything = needs_of(bots)
    return Needs(_needs(checks).variables, everything.parameters, everything.secrets)


def worker_needs_of(bots: Mapping[str, BotSpec]) -> Needs:
    """What the worker needs: a channel's secret only where LINE issues the token for it."""
    return _needs(reference for bot in bots.values() for reference in _answers_with(bot))


def asks_in_batches(bots: Mapping[str, BotSpec]) -> bool:
    """Whether a bot has several secrets in Secrets Manager, which the door fetches in one call."""
    return any(len(_needs(bot.secrets).secrets) > 1 for bot in bots.values())


def check_variables(bots: Mapping[str, BotSpec]) -> None:
    """Raises DeployError where a reference names an environment variable that a Lambda function cannot have."""
    for bot in bots.values():
        for variable in _needs(bot.secrets).variables:
            if not _VARIABLE.fullmatch(variable):
                why = "Lambda's variables begin with a letter and have two characters at least"
            elif _TAKEN.fullmatch(variable):
                why = "that variable has another meaning there"
            else:
                continue
            name = bot.name.upper().replace("-", "_")
            raise DeployError(
                f"bot {bot.name}: env:{variable} cannot be set on Lambda: {why}; "
                f"write another name, such as env:{name if name[0].isalpha() else f'BOT_{name}'}_SECRET"
            )


def _answers_with(bot: BotSpec) -> Iterator[str]:
    token = bot.line.channel_access_token if bot.line else None
    yield from _channel_secrets(bot) if token is None else (token,)
    yield from (reference for step in bot.steps for reference in step.secrets)


def _channel_secrets(bot: BotSpec) -> tuple[str, ...]:
    return bot.line.channel_secret if bot.line else ()


def _needs(references: Iterable[str]) -> Needs:
    names: dict[str, set[str]] = {"env": set(), "ssm": set(), "secretsmanager": set()}
    for reference in references:
        kind, _, name = split_reference(reference)[0].partition(":")
        names[kind].add(name)
    return Needs(*(tuple(sorted(names[kind])) for kind in ("env", "ssm", "secretsmanager")))
