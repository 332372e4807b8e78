"""Plan: what a deployment changes, bot by bot; `summary` says it in a few lines."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal

from botkit.deploy.consequences import consequences, renamed_from
from botkit.deploy.description import Description, Takes
from botkit.errors import Problem

CONTEXT = 2
"""Lines of a text that are shown around each change of it."""

State = Literal["new", "removed", "changed", "unchanged", "wrong"]
What = Literal["persona", "persona in groups", "template", "pipeline", "file"]
STATES: tuple[State, ...] = ("new", "changed", "removed", "unchanged", "wrong")


@dataclass(frozen=True, slots=True)
class OptionChange:
    """An option, what it was and what it will be; None is not set. Secrets are references."""

    option: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text that changes, as the lines of a unified diff without its heading; `what` says which."""

    what: What
    lines: tuple[str, ...]

    @property
    def added(self) -> int:
        """How many lines come."""
        return sum(line.startswith("+") for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines go."""
        return sum(line.startswith("-") for line in self.lines)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the bots folder that holds steps of the user's own."""

    file: str
    state: Literal["new", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class BotPlan:
    """One bot: what changes, what follows from that, and what an answer took and will take.

    `problems` are those of the local file (`state` is "wrong" then), `unreadable` those of what it is compared
    with. `hidden`: a password in an address, which is not shown, changes.
    """

    name: str
    state: State
    texts: tuple[TextChange, ...] = ()
    options: tuple[OptionChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    hidden: bool = False
    consequences: tuple[str, ...] = ()
    old: Takes | None = None
    new: Takes | None = None
    problems: tuple[Problem, ...] = ()
    unreadable: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All bots that were asked for. `against` names what the local bots are compared with.

    `needed` are references to secrets that no bot had before, `freed` those that no bot needs any more; the latter
    are told only where all bots were asked for.
    `core` counts the modules of botkit itself that differ, None where that is not known.
    """

    against: str
    bots: tuple[BotPlan, ...]
    needed: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    core: int | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with local files, each once."""
        return tuple(dict.fromkeys(problem for bot in self.bots for problem in bot.problems))


def compare(
    against: str,
    old: Mapping[str, Description],
    new: Mapping[str, Description],
    only: Collection[str] = (),
    core: int | None = None,
) -> Plan:
    """The plan by which `new` bots take the place of `old` ones; of all, or of those named in `only`."""
    names = sorted(name for name in {*old, *new} if not only or name in only)
    before, after = _secrets(old), _secrets({name: bot for name, bot in new.items() if name in names})
    whole = not only and not any(bot.problems for bot in new.values())
    return Plan(
        against,
        tuple(_bot(name, old, new) for name in names),
        needed=tuple(one for one in after if one not in before),
        freed=tuple(one for one in before if one not in after) if whole else (),
        core=core,
    )


def _secrets(bots: Mapping[str, Description]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(secret for _, bot in sorted(bots.items()) for secret in bot.secrets))


def _bot(name: str, old: Mapping[str, Description], new: Mapping[str, Description]) -> BotPlan:
    was, will = old.get(name), new.get(name)
    if will is not None and will.problems:
        return BotPlan(name, "wrong", old=was and was.takes, problems=will.problems)
    said = consequences(name, was, will, renamed_from(name, old, new))
    if was is None or will is None:
        return BotPlan(
            name,
            "removed" if will is None else "new",
            consequences=said,
            old=was and was.takes,
            new=will and will.takes,
        )
    if was.problems:
        texts = tuple(_files(was.texts, will.texts))
        return BotPlan(name, "changed", texts, consequences=said, new=will.takes, unreadable=was.problems)
    return _changes(name, was, will, said)


def _changes(name: str, was: Description, will: Description, said: tuple[str, ...]) -> BotPlan:
    texts, options = tuple(_texts(was, will)), tuple(_options(was.options, will.options))
    files = tuple(_code(was.code, will.code))
    hidden = was.hidden != will.hidden
    state: State = "changed" if texts or options or files or hidden else "unchanged"
    return BotPlan(name, state, texts, options, files, hidden, said, was.takes, will.takes)


def _texts(was: Description, will: Description) -> list[TextChange]:
    """How the prompt changes: what people read of it 1:1, else in groups, else at least its template."""
    prompts: tuple[tuple[What, str, str], ...] = (
        ("persona", was.persona, will.persona),
        ("persona in groups", was.in_groups, will.in_groups),
        ("template", was.template, will.template),
    )
    found = [TextChange(what, _diff(before, after)) for what, before, after in prompts if before != after][:1]
    if was.pipeline != will.pipeline:
        found.append(TextChange("pipeline", _diff("\n".join(was.pipeline), "\n".join(will.pipeline))))
    return found


def _files(was: Mapping[str, str], will: Mapping[str, str]) -> list[TextChange]:
    """Bot files as texts, for what this version cannot read otherwise."""
    before = "\n".join(f"# {name}\n{text}" for name, text in was.items())
    after = "\n".join(f"# {name}\n{text}" for name, text in will.items())
    return [TextChange("file", _diff(before, after))] if before != after else []


def _diff(before: str, after: str) -> tuple[str, ...]:
    # Not splitlines(), which takes for ends of lines what editors and models do not.
    old, new = (text.split("\n") if text else [] for text in (before, after))
    return tuple(unified_diff(old, new, n=CONTEXT, lineterm=""))[2:]


def _options(was: Mapping[str, Any], will: Mapping[str, Any]) -> list[OptionChange]:
    names = dict.fromkeys([*will, *was])
    return [
        OptionChange(name, was.get(name), will.get(name)) for name in names if _differ(was.get(name), will.get(name))
    ]


def _differ(one: Any, other: Any) -> bool:
    return one != other or type(one) is not type(other)  # 1 and true are equal in Python, and not in a file


def _code(was: Mapping[str, str], will: Mapping[str, str]) -> list[FileChange]:
    found = []
    for file in sorted({*was, *will}):
        if file not in was:
            found.append(FileChange(file, "new"))
        elif file not in will:
            found.append(FileChange(file, "removed"))
        elif was[file] != will[file]:
            found.append(FileChange(file, "changed"))
    return found


# ---------------------------------------------------------------- in a few lines


def headline(plan: Plan) -> str:
    """All in one line: `1 new, 2 changed, 5 unchanged`."""
    counts = {state: sum(bot.state == state for bot in plan.bots) for state in STATES}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no bots"


def summary(plan: Plan) -> list[str]:
    """A line for each bot that changes, then `headline`; plain text, for before a confirmation."""
    lines = [f"{bot.name}: {'; '.join(_facts(bot))}" for bot in plan.bots if bot.state != "unchanged"]
    return [*lines, f"{headline(plan)} (compared with {plan.against})"]


def _facts(bot: BotPlan) -> list[str]:
    facts: list[str] = [bot.state]
    facts += [f"{text.what} +{text.added} −{text.removed} lines" for text in bot.texts]
    if bot.options:
        facts.append(", ".join(change.option for change in bot.options[:3]) + _more(len(bot.options) - 3, "option"))
    if bot.files:
        facts.append(_counted(len(bot.files), "file of own steps", "files of own steps"))
    if bot.new and bot.state != "removed":
        facts.append(f"{moved(bot.old and bot.old.tokens, bot.new.tokens)} tokens a turn")
        change = cost_change(bot.old, bot.new)
        facts.append(f"1,000 messages {cost_moved(bot.old, bot.new)}{change and f' ({change})'}")
    return facts


def _more(count: int, what: str) -> str:
    return f" and {_counted(count, f'more {what}', f'more {what}s')}" if count > 0 else ""


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def moved(old: int | None, new: int) -> str:
    """`old → new`, or the one that there is."""
    return f"{new:,}" if old in (None, new) else f"{old:,} → {new:,}"


def cost_moved(old: Takes | None, new: Takes) -> str:
    """What 1,000 messages cost before, and will."""
    after = "unknown" if new.cost is None else f"{new.cost:,.2f} USD"
    if old is None or old.cost == new.cost:
        return after
    if old.cost is None or new.cost is None:
        before = "unknown" if old.cost is None else f"{old.cost:,.2f} USD"
        return f"{before} → {after}"
    return after if f"{old.cost:.2f}" == f"{new.cost:.2f}" else f"{old.cost:,.2f} → {after}"


def cost_change(old: Takes | None, new: Takes) -> str:
    """The difference in percent; empty where there is none, or nobody knows it."""
    if old is None or not old.cost or new.cost is None or old.cost == new.cost:
        return ""
    return percent(old.cost, new.cost)


def percent(old: float, new: float) -> str:
    """The difference in percent of `old`, which is not 0: `+15%`, `−0.4%`."""
    change = 100 * (new - old) / old
    size = f"{abs(change):,.0f}" if abs(change) >= 10 else f"{abs(change):.1f}"
    sign = "+" if change > 0 else "−"
    return f"{sign}<0.1%" if size == "0.0" else f"{sign}{size}%"
