"""What follows from a change of a bot: for its people, its webhook, its conversations, and for secrets."""

from collections.abc import Iterator, Mapping

from botkit.deploy.description import Description, Takes
from botkit.spec.values import written_duration


def consequences(
    name: str, was: Description | None, will: Description | None, renamed: str | None = None
) -> tuple[str, ...]:
    """In plain words, one sentence each. `renamed` is what a new bot was called before, or a removed one will be."""
    if will is None:
        return tuple(_removed(name, was, renamed)) if was else ()
    if was is None:
        return tuple(_new(name, will, renamed))
    if was.problems:
        return ()
    return (
        *_account(name, was, will),
        *_conversations(was, will),
        *_keep(was, will),
        *_model(was.takes, will.takes),
    )


def renamed_from(name: str, old: Mapping[str, Description], new: Mapping[str, Description]) -> str | None:
    """The other name of a bot that is on only one side, and speaks through the same LINE account on the other."""
    ours, others = (new, old) if name in new else (old, new)
    if name in others or not ours[name].channel_secrets:
        return None
    account = set(ours[name].channel_secrets)
    alone = (other for other in others if other not in ours)
    return next((other for other in alone if account & set(others[other].channel_secrets)), None)


def secret_wanted(reference: str) -> str:
    """What is to be done for a reference that no deployed bot has had."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        return f"{name} must be given a value where you deploy: in the environment or in .env"
    store = "the Parameter Store" if kind == "ssm" else "Secrets Manager"
    return f"{name.partition('#')[0]} must exist in {store} before a message comes"


def _new(name: str, will: Description, renamed: str | None) -> Iterator[str]:
    if renamed:
        yield f"it has the LINE account of {renamed}: with another name its conversations begin anew"
    if not _has_account(will):
        yield "it has no `line`, so no webhook reaches it: LINE is answered 401"
    else:
        yield f"its webhook …/line/{name} must be set in LINE: `botkit webhook set {name}` once it is deployed"


def _removed(name: str, was: Description | None, renamed: str | None) -> Iterator[str]:
    if was is None or was.problems or _has_account(was):
        follow = f"set that of {renamed}" if renamed else "switch its webhook off in LINE"
        yield f"webhooks to …/line/{name} will be answered 401, and what people write is lost; {follow}"
    kept = f" ({written_duration(was.keep)})" if was and was.keep else ""
    yield f"its conversations stay in the table until they expire{kept}, where `botkit forget` no longer reaches them"


def _has_account(bot: Description) -> bool:
    return bool(bot.channel_secrets)


def _account(name: str, was: Description, will: Description) -> Iterator[str]:
    if _has_account(was) and not _has_account(will):
        yield f"without `line` webhooks to …/line/{name} will be answered 401, and what people write is lost"
        return
    if _has_account(will) and not _has_account(was):
        yield f"it comes to LINE: set its webhook …/line/{name} with `botkit webhook set {name}` once it is deployed"
        return
    if gone := [one for one in was.channel_secrets if one not in will.channel_secrets]:
        yield (
            f"webhooks signed with {', '.join(gone)} will be answered 401; "
            "while a secret is being changed keep both in the list"
        )
    if _differ(was, will, "line.user_id") or _differ(was, will, "line.channel_id"):
        yield (
            f"another LINE account: set its webhook …/line/{name}; for another provider's account LINE gives people "
            "other ids, and conversations begin anew"
        )
    elif "line.user_id" in will.options and "line.user_id" not in was.options:
        yield "webhooks for another `destination` than line.user_id will be answered 400"


def _differ(was: Description, will: Description, option: str) -> bool:
    before, after = was.options.get(option), will.options.get(option)
    return before is not None and after is not None and before != after


def _conversations(was: Description, will: Description) -> Iterator[str]:
    before, after = was.options.get("history.scope"), will.options.get("history.scope")
    if before is not None and after is None:
        yield "without `history` it knows nothing of what was said before"
    elif before is not None and before != after:
        what = "everyone in a group shares one" if after == "group" else "in a group each person has one"
        yield f"in groups conversations begin anew: {what} now, and what was said before is not found under it"


def _keep(was: Description, will: Description) -> Iterator[str]:
    if was.keep and will.keep and will.keep < was.keep:
        yield (
            f"what is said from now on is kept {written_duration(will.keep)}; "
            f"what is stored already stays until its {written_duration(was.keep)} are over"
        )


def _model(was: Takes | None, will: Takes | None) -> Iterator[str]:
    if was is None or will is None:
        return
    if was.window != will.window:
        yield f"the context window is {was.window:,} → {will.window:,} tokens"
    if (was.input, was.output) != (will.input, will.output):
        yield f"a million tokens in and out cost {_price(was)} → {_price(will)}"
    if will.room == will.history and was.room > was.history:
        yield f"the history no longer fits: only {will.room:,} tokens are left for it"


def _price(takes: Takes) -> str:
    if takes.input is None or takes.output is None:
        return "unknown"
    return f"{takes.input:.2f} and {takes.output:.2f} USD"
