"""What a person can do on the page: a function for each verb, with what LINE's app would not let them do refused.

Each gets the playground and a checked body, does it to LINE's world, and gives LINE's webhooks to the bot. The answers
come by the stream. What cannot be done is a RequestError whose text tells the cure.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from botkit.errors import RequestError
from botkit.messages import Chat, Content
from botkit.simulator.chats import Account
from botkit.simulator.page import bodies
from botkit.simulator.page.desk import Desk
from botkit.simulator.page.media import fits, plain_type
from botkit.simulator.platform import Mentioned
from botkit.simulator.wire import JsonObject

UNSENDABLE_FOR = 7 * 24 * 60 * 60_000
"""In ms. LINE's app lets most people unsend for an hour, and members of LYP Premium for seven days (LY Corporation's
press release of 7 November 2025), so a bot has to reckon with the latter."""


def act(desk: Desk, verb: str, body: bytes) -> JsonObject:
    """Carry out one request; returns what the page is told. Raises RequestError."""
    known = VERBS.get(verb)
    if known is None:
        raise RequestError(404, f"There is no action {verb!r}; there are {', '.join(VERBS)}.")
    try:
        return {"ok": True, **(known.run(desk, known.body.model_validate_json(body)) or {})}
    except ValidationError as error:
        raise RequestError(400, _sentence(error)) from None
    except ValueError as error:  # the platform, the clock and the troubles refuse with a sentence
        raise RequestError(400, str(error)) from None


# ---------------------------------------------------------------- what is said


def say(desk: Desk, body: bodies.Say) -> JsonObject:
    """A text, with "@name" of those mentioned marked in it."""
    account, person, where = desk.chat(body)
    mentioned = [_mentioned(desk, account, where, one) for one in dict.fromkeys(body.mentions)]
    if body.quote is not None and desk.said(account, where, body.quote).unsent:
        raise RequestError(400, "That message was unsent, so it cannot be quoted.")
    return desk.post(
        desk.platform.say(account, person, body.text, chat=_group(where), mention=mentioned, quote=body.quote)
    )


def sticker(desk: Desk, body: bodies.Sticker) -> JsonObject:
    """A sticker."""
    account, person, where = desk.chat(body)
    return desk.post(
        desk.platform.send_sticker(account, person, chat=_group(where), keywords=body.keywords, text=body.text)
    )


def location(desk: Desk, body: bodies.Location) -> JsonObject:
    """A place on the map."""
    account, person, where = desk.chat(body)
    return desk.post(desk.platform.send_location(account, person, body.title, body.address, chat=_group(where)))


def media(desk: Desk, body: bodies.Media) -> JsonObject:
    """A photo, voice message, video or file."""
    account, person, where = desk.chat(body)
    if not fits(body.kind, body.type):
        raise RequestError(400, f"LINE's app sends no {plain_type(body.type)} as {body.kind}; send it as a file.")
    return desk.post(
        desk.platform.send_media(
            account,
            person,
            body.kind,
            Content(body.data, plain_type(body.type)),
            chat=_group(where),
            duration=body.duration or 0,
            name=body.name or "file",
        )
    )


def unsend(desk: Desk, body: bodies.OfMessage) -> JsonObject:
    """Take a message back."""
    account, person, where, said = desk.own(body)
    if desk.playground.clock.now() - said.at > UNSENDABLE_FOR:
        raise RequestError(400, "LINE lets nobody unsend a message that is older than seven days.")
    return desk.post(desk.platform.unsend(account, person, said.id, chat=_group(where)))


def edit(desk: Desk, body: bodies.Edit) -> JsonObject:
    """Give a message another text."""
    account, person, where, said = desk.own(body)
    if where.kind != "group":
        raise RequestError(400, "LINE lets people edit in groups only; unsend the message and write it anew.")
    if said.message.get("type") != "text":
        raise RequestError(400, "Only a text can be edited; unsend this message instead.")
    return desk.post(desk.platform.edit(account, person, said.id, body.text, chat=where))


def postback(desk: Desk, body: bodies.Postback) -> JsonObject:
    """Tap a button."""
    account, person, where = desk.chat(body)
    return desk.post(
        desk.platform.postback(account, person, body.data, params=body.params, chat=_group(where), text=body.text)
    )


def redeliver(desk: Desk, body: bodies.Again) -> JsonObject:
    """LINE sends the webhook of a message once more."""
    account = desk.account(body.bot)
    delivery = desk.sent(account, desk.said(account, body.where.chat, body.message).id)
    if delivery is None:
        raise RequestError(400, "LINE no longer has the webhook of this message; send a new one and redeliver that.")
    return desk.post(desk.platform.redeliver(delivery))


# ---------------------------------------------------------------- who is there


def follow(desk: Desk, body: bodies.Friendship) -> JsonObject:
    """Add a bot as a friend, or unblock it."""
    return desk.post(desk.platform.follow(desk.account(body.bot), desk.person(body.actor)))


def block(desk: Desk, body: bodies.Friendship) -> JsonObject:
    """Block a bot."""
    account, who = desk.account(body.bot), desk.person(body.actor)
    if (account.user_id, who.user_id) in desk.platform.blocked:
        raise RequestError(400, f"{account.name} is blocked by {who.name} already.")
    return desk.post(desk.platform.unfollow(account, who))


def person(desk: Desk, body: bodies.NewPerson) -> JsonObject:
    """Somebody new."""
    if any(one.name == body.name for one in tuple(desk.platform.people.values())):
        raise RequestError(400, f"There is a {body.name} already; take another name, so that mentions are clear.")
    return {"id": desk.platform.add_person(body.name, language=body.language).user_id}


def group(desk: Desk, body: bodies.NewGroup) -> JsonObject:
    """A new group, into which a bot is invited."""
    account, members = desk.account(body.bot), [desk.person(one) for one in dict.fromkeys(body.members)]
    chat = desk.platform.add_group(*members, name=body.name)
    desk.post(desk.platform.join(account, chat))
    return {"kind": chat.kind, "id": chat.id}


def come(desk: Desk, body: bodies.People) -> JsonObject:
    """People join a group."""
    account, people = desk.account(body.bot), [desk.person(one) for one in dict.fromkeys(body.people)]
    place = desk.place(body.where.chat, account)
    if there := [one.name for one in people if one.user_id in place.members]:
        raise RequestError(400, f"In this group already: {', '.join(there)}.")
    return desk.post(desk.platform.come(account, place.chat, *people))


def go(desk: Desk, body: bodies.People) -> JsonObject:
    """People leave a group."""
    account, people = desk.account(body.bot), [desk.person(one) for one in dict.fromkeys(body.people)]
    place = desk.place(body.where.chat, account)
    if away := [one.name for one in people if one.user_id not in place.members]:
        raise RequestError(400, f"Not in this group: {', '.join(away)}.")
    return desk.post(desk.platform.go(account, place.chat, *people))


def join(desk: Desk, body: bodies.InChat) -> JsonObject:
    """Invite a bot into a group."""
    account, place = desk.account(body.bot), desk.place(body.where.chat, None)
    if place.account is not None:
        other = "It" if place.account == account else place.account.name
        raise RequestError(400, f"{other} is in this group already, and LINE allows one official account.")
    return desk.post(desk.platform.join(account, place.chat))


def leave(desk: Desk, body: bodies.InChat) -> JsonObject:
    """Remove a bot from a group."""
    account = desk.account(body.bot)
    return desk.post(desk.platform.leave(account, desk.place(body.where.chat, account).chat))


# ---------------------------------------------------------------- what the playground does


def reset(desk: Desk, body: bodies.InChat) -> None:
    """Forget a chat, as the bot remembers it and as it is shown."""
    desk.account(body.bot)
    desk.playground.reset(body.bot, body.where.chat)


def trouble(desk: Desk, body: bodies.Trouble) -> None:
    """Make something go wrong, or right again."""
    desk.playground.mischief.set(body.name, body.mode, body.value)


def jump(desk: Desk, body: bodies.Jump) -> None:
    """Let time pass."""
    desk.playground.jump(body.ms)


def sweep(desk: Desk, _body: bodies.Nothing) -> None:
    """Run the schedule now."""
    desk.playground.sweep()


class Verb(NamedTuple):
    """What a verb takes and does."""

    body: type[bodies.Body]
    run: Callable[[Desk, Any], JsonObject | None]


VERBS: Mapping[str, Verb] = {
    "say": Verb(bodies.Say, say),
    "sticker": Verb(bodies.Sticker, sticker),
    "location": Verb(bodies.Location, location),
    "media": Verb(bodies.Media, media),
    "unsend": Verb(bodies.OfMessage, unsend),
    "edit": Verb(bodies.Edit, edit),
    "postback": Verb(bodies.Postback, postback),
    "redeliver": Verb(bodies.Again, redeliver),
    "follow": Verb(bodies.Friendship, follow),
    "block": Verb(bodies.Friendship, block),
    "person": Verb(bodies.NewPerson, person),
    "group": Verb(bodies.NewGroup, group),
    "come": Verb(bodies.People, come),
    "go": Verb(bodies.People, go),
    "join": Verb(bodies.InChat, join),
    "leave": Verb(bodies.InChat, leave),
    "reset": Verb(bodies.InChat, reset),
    "trouble": Verb(bodies.Trouble, trouble),
    "jump": Verb(bodies.Jump, jump),
    "sweep": Verb(bodies.Nothing, sweep),
}


def _group(where: Chat) -> Chat | None:
    """A chat as the platform's methods name it: None is the person's own."""
    return None if where.kind == "user" else where


def _mentioned(desk: Desk, account: Account, where: Chat, whom: str) -> Mentioned:
    if where.kind == "user":
        raise RequestError(400, "Mentions are for groups; in a chat of two the bot hears everything.")
    if whom == "bot":
        return account
    if whom == "all":
        return "all"
    members = desk.place(where, account).members
    if whom not in members:
        raise RequestError(400, f"Not in this group: {desk.person(whom).name}. Only members can be mentioned.")
    return members[whom]


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a body."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    text = first["msg"][:1].lower() + first["msg"][1:]
    return f"{place}: {text}" if place else text
