"""LINE's side of a run: people talk and tap, and their webhooks go out, again and again until they are taken."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botkit.messages import Chat
from botkit.ports import Conversation
from botkit.simulator.chats import Account, Person, Utterance
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from tests.simulation.fake_lambda import Fleet
from tests.simulation.scheduler import Scheduler

SECOND, MINUTE = 1000, 60_000
PATIENCE = 2 * SECOND
"""How long LINE waits for an answer to a webhook, in ms."""


@dataclass
class Spoken:
    """What a person has said or done: its event, and where it belongs. `mark` stands in its text.

    `expected`: a text that must be answered.
    """

    mark: str
    event_id: str
    account: Account
    chat: Chat
    person: Person
    message_id: str
    kind: str
    conversation: Conversation
    expected: bool = True
    data: str = ""
    unsent: bool = False
    unsend_accepted: bool = False


@dataclass
class People:
    """Everybody who talks. `accepted` are the ids of the events of which LINE was told that they were taken."""

    scheduler: Scheduler
    platform: Platform
    accounts: dict[str, Account]
    door: Fleet
    redeliveries: int
    spoken: dict[str, Spoken] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    busy: int = 0
    blocked: set[tuple[str, str]] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def act(self, what: Callable[[], None]) -> None:
        """Let somebody act beside the others."""
        self.busy += 1

        def run() -> None:
            try:
                what()
            finally:
                self.busy -= 1

        self.scheduler.spawn(self.scheduler.platform, run)

    def pause(self, least: int, most: int | None = None) -> None:
        """Wait so many ms, in the midst of acting."""
        self.scheduler.sleep(self.scheduler.random.randint(least, most or least))

    # ---------------------------------------------------------------- what they do

    def say(self, bot: str, person: Person, chat: Chat | None = None, **more: Any) -> Spoken:
        """A text with a mark of its own, addressed to the bot; its webhook goes out."""
        account, mark = self.accounts[bot], f"«m{len(self.spoken) + 1}»"
        if chat is not None:
            more.setdefault("mention", account)
        delivery = self.platform.say(account, person, f"{mark} hello", chat=chat, **more)
        return self.sent(mark, delivery, person, chat)

    def sent(
        self,
        mark: str,
        delivery: Delivery,
        person: Person,
        chat: Chat | None = None,
        *,
        expected: bool = True,
        **how: Any,
    ) -> Spoken:
        """Keep in mind what somebody did, and deliver its webhook."""
        account, event = self.accounts_by_id[delivery.destination], delivery.event
        where = chat or Chat("user", person.user_id)
        spoken = Spoken(
            mark,
            event["webhookEventId"],
            account,
            where,
            person,
            event.get("message", {}).get("id", ""),
            event["type"],
            conversation_of(account.name, where, person),
            expected and event["type"] == "message",
            event.get("postback", {}).get("data", ""),
        )
        self.spoken[mark] = spoken
        self.deliver(delivery, **how)
        return spoken

    def unsend(self, spoken: Spoken) -> None:
        """Take a message back."""
        spoken.unsent = True
        chat = spoken.chat if spoken.chat.kind != "user" else None
        delivery = self.platform.unsend(spoken.account, spoken.person, spoken.message_id, chat=chat)

        def post() -> None:
            self._post(delivery)
            spoken.unsend_accepted = delivery.event["webhookEventId"] in self.accepted

        self.act(post)

    def block(self, bot: str, person: Person) -> None:
        """Block the bot: nobody sees what it says to this person from now on."""
        self.blocked.add((bot, person.user_id))
        self.deliver(self.platform.unfollow(self.accounts[bot], person))

    @property
    def accounts_by_id(self) -> dict[str, Account]:
        """The accounts by their user ids."""
        return {account.user_id: account for account in self.accounts.values()}

    # ---------------------------------------------------------------- webhooks

    def deliver(self, delivery: Delivery, *, delay: int = 0, redelivery: bool = False) -> None:
        """Post a webhook as LINE does: again some minutes later where no 2xx came in time, so many `redeliveries` at most."""
        self.act(lambda: self._post(delivery, delay, redelivery))

    def _post(self, delivery: Delivery, delay: int = 0, redelivery: bool = False) -> None:
        self.pause(5 + delay, 250 + delay)
        for attempt in range(self.redeliveries + 1):
            if attempt:
                self.pause(30 * SECOND, 5 * MINUTE)
            if attempt or redelivery:
                delivery = self.platform.redeliver(delivery)
            self._start_the_minute(delivery)
            if self._is_taken(delivery, attempt):
                return

    def _start_the_minute(self, delivery: Delivery) -> None:
        """A reply token is good for a minute after the webhook was received; the simulator counts from the event."""
        for event in delivery.events:
            if "replyToken" in event:
                self.platform.allowances.renew(event["replyToken"], self.scheduler.now)

    def _is_taken(self, delivery: Delivery, attempt: int) -> bool:
        name = self.accounts_by_id[delivery.destination].name
        ids = [event["webhookEventId"] for event in delivery.events]
        what = [f"{event['type']} {event['webhookEventId']}" for event in delivery.events]
        self.scheduler.note(self.scheduler.platform, f"webhook to {name}, try {attempt + 1}", what)
        invocation = self.door.invoke(http_event(f"/line/{name}", delivery))
        in_time = invocation.ended.wait(PATIENCE)
        # Whatever LINE has given up to wait for may still be done.
        invocation.ended.wait()
        if (invocation.result or {}).get("statusCode") != 200:
            return False
        self.accepted.update(ids)
        return in_time

    # ---------------------------------------------------------------- what they see

    def look(self) -> None:
        """Everybody looks at their phone; buttons that are new to them are tapped, mostly, sooner or later."""
        for (account, chat), log in list(self.platform.logs.items()):
            for said in log.utterances:
                if said.is_answer and said.id not in self._seen:
                    self._seen.add(said.id)
                    self.scheduler.note(self.scheduler.platform, f"shown by {said.via}", (chat.kind, said.text))
                    self._consider(self.accounts_by_id[account], chat, button_of(said))

    def _consider(self, account: Account, chat: Chat, data: str | None) -> None:
        asker = next((one for one in self.spoken.values() if data and data.endswith(one.event_id)), None)
        if data is None or asker is None or self.scheduler.random.random() < 0.1:
            return

        def tap() -> None:
            self.pause(2 * SECOND, MINUTE)
            where = chat if chat.kind != "user" else None
            delivery = self.platform.postback(account, asker.person, data, chat=where)
            self.sent(f"tap {len(self.spoken) + 1}", delivery, asker.person, where)

        self.act(tap)


def conversation_of(bot: str, chat: Chat, person: Person) -> Conversation:
    """Where something belongs: in the bot `shared` a group has one conversation, in the others each person in it."""
    own = "" if chat.kind == "user" or bot == "shared" else f":{person.user_id}"
    return Conversation(bot, f"{chat.kind}:{chat.id}{own}")


def http_event(path: str, delivery: Delivery) -> dict[str, Any]:
    """A webhook as the HTTP API hands it to Lambda."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": delivery.headers,
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "body": delivery.body.decode(),
        "isBase64Encoded": False,
    }


def button_of(said: Utterance) -> str | None:
    """What a tap on a message's button sends."""
    actions = said.message.get("template", {}).get("actions", ())
    return next((action["data"] for action in actions if action.get("type") == "postback"), None)
