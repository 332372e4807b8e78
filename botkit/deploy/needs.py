"""What bots need of their surroundings: variables of the environment, and secrets that AWS keeps."""

import re
from collections.abc import Iterable, Mapping, Sequence
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
    return needs_of_all(bot.secrets for bot in bots.values())


def references_of(bots: Mapping[str, BotSpec]) -> dict[str, list[tuple[str, ...]]]:
    """What each function asks for, bot by bot: the door only that with which it checks signatures."""
    return {
        "Door": [bot.checking_secrets for bot in bots.values()],
        "Worker": [bot.answering_secrets for bot in bots.values()],
    }


def needs_of_all(references: Iterable[Sequence[str]]) -> Needs:
    """All that these references name."""
    return _needs(reference for of_one in references for reference in of_one)


def asks_in_batches(references: Iterable[Sequence[str]]) -> bool:
    """Whether one bot's references name several secrets in Secrets Manager: they are fetched in one call."""
    return any(len(_needs(of_one).secrets) > 1 for of_one in references)


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


def _needs(references: Iterable[str]) -> Needs:
    names: dict[str, set[str]] = {"env": set(), "ssm": set(), "secretsmanager": set()}
    for reference in references:
        kind, _, name = split_reference(reference)[0].partition(":")
        names[kind].add(name)
    return Needs(*(tuple(sorted(names[kind])) for kind in ("env", "ssm", "secretsmanager")))
