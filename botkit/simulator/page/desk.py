"""Where the page's requests are carried out: who is meant, where, and whether LINE's app would let them."""

from collections import OrderedDict
from threading import Lock

from botkit.errors import RequestError
from botkit.messages import Chat
from botkit.simulator.chats import Account, Person, Place, Utterance
from botkit.simulator.page import bodies
from botkit.simulator.playground.playground import Playground
from botkit.simulator.wire import Delivery, JsonObject

MOST_REMEMBERED = 500
"""Webhooks that can be delivered again."""


class Desk:
    """The world as the actions find it. Lives as long as the page; safe to use from several threads.

    What is asked for and is not there, or may not be done, is a RequestError whose text tells the cure.
    """

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self.platform = playground.platform
        self._sent: OrderedDict[tuple[str, str], Delivery] = OrderedDict()
        self._lock = Lock()

    def post(self, delivery: Delivery) -> JsonObject:
        """Have LINE call the bot's webhook; it can be asked for once more by the message's id."""
        event = delivery.event
        if event["type"] == "message":
            with self._lock:
                self._sent[delivery.destination, delivery.message_id] = delivery
                while len(self._sent) > MOST_REMEMBERED:
                    self._sent.popitem(last=False)
        self.playground.deliver(delivery)
        return {"event": event["webhookEventId"]}

    def sent(self, account: Account, message_id: str) -> Delivery | None:
        """The webhook of a person's message, as far back as they are remembered."""
        with self._lock:
            return self._sent.get((account.user_id, message_id))

    # ---------------------------------------------------------------- who and where

    def account(self, bot: str) -> Account:
        """The account of a bot that can answer, or could once."""
        account = self.playground.accounts.get(bot)
        if account is not None:
            return account
        problems = self.playground.shelf.problems_of(bot) if bot in self.playground.shelf.names else ()
        if problems:
            raise RequestError(400, f"{bot} cannot answer before its file is right: {problems[0]}")
        names = ", ".join(sorted(self.playground.accounts)) or "none that works"
        raise RequestError(404, f"There is no bot {bot!r}; there is {names}.")

    def person(self, user_id: str) -> Person:
        """Somebody."""
        person = self.platform.person(user_id)
        if person is None:
            raise RequestError(404, f"There is nobody with the id {user_id!r}; load the page anew.")
        return person

    def place(self, where: Chat, account: Account | None) -> Place:
        """A group or room; with an account, one that it is in."""
        place = self.platform.places.get(where)
        if place is None:
            raise RequestError(404, "There is no such group; load the page anew.")
        if account is not None and place.account != account:
            raise RequestError(400, f"{account.name} is not in this group and hears nothing; invite it first.")
        return place

    def chat(self, body: bodies.ByPerson) -> tuple[Account, Person, Chat]:
        """The bot, the person and the chat, where the person can do something there."""
        account, person, where = self.account(body.bot), self.person(body.actor), body.where.chat
        if where.kind != "user":
            if person.user_id not in self.place(where, account).members:
                raise RequestError(
                    400, f"Not in this group: {person.name}. Only members write here; add {person.name} first."
                )
        elif where.id != person.user_id:
            raise RequestError(400, f"This is another person's chat; {person.name} cannot see it.")
        elif (account.user_id, person.user_id) in self.platform.blocked:
            raise RequestError(400, f"{account.name} is blocked by {person.name}; unblock it first.")
        return account, person, where

    def said(self, account: Account, where: Chat, message_id: str) -> Utterance:
        """A message of a chat."""
        with self.platform.lock:
            log = self.platform.logs.get((account.user_id, where))
            found = next((one for one in log.utterances if one.id == message_id), None) if log else None
        if found is None or found.via == "system":
            raise RequestError(404, "There is no such message in this chat; load the page anew.")
        return found

    def own(self, body: bodies.OfMessage) -> tuple[Account, Person, Chat, Utterance]:
        """A message that the person has sent, and may do something with."""
        account, person, where = self.chat(body)
        said = self.said(account, where, body.message)
        if said.user_id != person.user_id:
            raise RequestError(400, f"Somebody else said that; {person.name} can change only messages of their own.")
        if said.unsent:
            raise RequestError(400, "This message was unsent already.")
        return account, person, where, said
