"""LINE's platform, played locally with LINE's rules: the one stand-in for tests and for trying a bot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from botkit.line.signature import sign
from botkit.messages import Chat, Content
from botkit.simulator import records
from botkit.simulator.chats import Account, Person, Place, system_line, utterance_of
from botkit.simulator.wire import Delivery, JsonObject, Mentionee, compact, event_of, mention, source_of
from botkit.simulator.world import World, one_to_one

Mentioned = Account | Person | Literal["all"]

_PLACES: Mapping[str, str] = {"group": "group", "room": "chat"}


class Platform(World):
    """LINE's platform. What a person does returns the webhook that LINE would send; the caller delivers it.

    `botkit.simulator.api` is its Messaging API, `botkit.simulator.app` the same over HTTP.
    """

    # ---------------------------------------------------------------- what people do

    def say(
        self,
        account: Account,
        person: Person,
        text: str,
        *,
        chat: Chat | None = None,
        mention: Mentioned | Sequence[Mentioned] = (),
        quote: str | None = None,
    ) -> Delivery:
        """A text, 1:1 or in `chat`. "@name" of those mentioned is marked in it, or put before it.

        `quote` is the id of a message of the same chat.
        """
        fields: JsonObject = {"text": text}
        mentioned = [mention] if isinstance(mention, Account | Person | str) else list(mention)
        if mentioned:
            fields["text"], fields["mention"] = _mention(text, mentioned, account)
        if quote is not None:
            fields["quotedMessageId"] = quote
        return self._send(account, person, "text", fields, chat)

    def send_sticker(
        self,
        account: Account,
        person: Person,
        *,
        chat: Chat | None = None,
        keywords: Sequence[str] = (),
        text: str | None = None,
    ) -> Delivery:
        """A sticker, with what LINE thinks it shows; a message sticker where the person has written `text` on it.

        Of more than 15 keywords LINE picks 15 at random; here they are the first.
        """
        fields: JsonObject = {"packageId": "446", "stickerId": "1988", "stickerResourceType": "STATIC"}
        if text is not None:
            fields |= {"stickerResourceType": "MESSAGE", "text": text}
        if keywords:
            fields["keywords"] = list(keywords)[:15]
        return self._send(account, person, "sticker", fields, chat)

    def send_location(
        self, account: Account, person: Person, title: str, address: str, *, chat: Chat | None = None
    ) -> Delivery:
        """A place on the map."""
        fields = {"title": title, "address": address, "latitude": 35.0116, "longitude": 135.7681}
        return self._send(account, person, "location", fields, chat)

    def send_media(
        self,
        account: Account,
        person: Person,
        kind: Literal["image", "video", "audio", "file"],
        content: Content | None,
        *,
        chat: Chat | None = None,
        duration: int = 60_000,
        name: str = "file.pdf",
        external: str | None = None,
        photo_set: JsonObject | None = None,
    ) -> Delivery:
        """A photo, video, voice message or file; None while LINE is still preparing it (see `prepare`).

        `external` is the address of media that LINE does not hold, as apps send by LIFF: there is no content to
        be got then. `photo_set` is LINE's `imageSet` of a photo: an `id`, and for most apps `index` and `total`.
        """
        fields: JsonObject = {"contentProvider": {"type": "line"}}
        if external is not None:
            preview = {} if kind == "audio" else {"previewImageUrl": external}
            fields = {"contentProvider": {"type": "external", "originalContentUrl": external, **preview}}
        if kind in ("video", "audio"):
            fields = {"duration": duration, **fields}
        if kind == "file":
            fields = {"fileName": name, "fileSize": len(content.data) if content else 0}
        if photo_set is not None:
            fields["imageSet"] = photo_set
        with self.lock:  # so that whoever sees the message finds what it holds
            delivery = self._send(account, person, kind, fields, chat)
            if external is None:
                self._hold(account, delivery.message_id, content)
            return delivery

    def send_photos(
        self,
        account: Account,
        person: Person,
        *contents: Content,
        chat: Chat | None = None,
        numbered: bool = True,
    ) -> list[Delivery]:
        """Photos picked together: a webhook each, of one set; some apps do not number them."""
        name = self.ids.hexadecimal(32).upper()
        numbers = [
            {"index": index, "total": len(contents)} if numbered else {} for index in range(1, len(contents) + 1)
        ]
        return [
            self.send_media(account, person, "image", content, chat=chat, photo_set={"id": name, **number})
            for content, number in zip(contents, numbers, strict=True)
        ]

    def prepare(self, account: Account, message_id: str, content: Content) -> None:
        """LINE has finished preparing what a message holds."""
        with self.lock:
            if self.is_unsent(account, message_id):
                return
            self._hold(account, message_id, content)
            if found := self._find(account, lambda said: said.id == message_id):
                chat, place = found
                self._said(account, chat, self.log(account, chat).utterances[place])

    def edit(self, account: Account, person: Person, message_id: str, text: str, *, chat: Chat) -> Delivery:
        """Change a text already said; LINE has this in groups only."""
        with self.lock:
            self._check_present(account, chat, person)
            edited = self.log(account, chat).edit(message_id, text)
            message = {"type": "text", "id": message_id, "quoteToken": self.quotable(account, chat), "text": text}
            delivery = self._happen(account, "messageEdited", {"message": message}, chat, person)
            self._said(account, chat, edited)
            return delivery

    def unsend(self, account: Account, person: Person, message_id: str, *, chat: Chat | None = None) -> Delivery:
        """Take back a message, and whatever it held."""
        with self.lock:
            where = chat or one_to_one(person)
            self._check_present(account, where, person)
            unsent = self.log(account, where).unsend(message_id)
            self._take_back(account, message_id)
            fields = {"unsend": {"messageId": message_id}}
            delivery = self._happen(account, "unsend", fields, where, person, replies=False)
            self._said(account, where, unsent)
            return delivery

    def postback(
        self,
        account: Account,
        person: Person,
        data: str,
        *,
        params: Mapping[str, str] | None = None,
        chat: Chat | None = None,
        text: str | None = None,
    ) -> Delivery:
        """Tap a button that carries `data`.

        `text` is the action's `displayText`: it is shown as the person's message, and told to nobody.
        (LINE reference: Postback action.)
        """
        postback = {"data": data} if params is None else {"data": data, "params": dict(params)}
        with self.lock:
            where = chat or one_to_one(person)
            delivery = self._happen(account, "postback", {"postback": postback}, where, person)
            if text is None:
                return self._tell_of(account, where, delivery, f"{person.name} tapped a button")
            message = {"type": "text", "id": self.ids.message(), "text": text}
            self._show(account, where, person, message, delivery)
            return delivery

    def follow(self, account: Account, person: Person) -> Delivery:
        """Add the account as a friend, or unblock it."""
        with self.lock:
            chat = one_to_one(person)
            was_blocked = self._is_blocked(account, chat)
            self._befriend(account, person, acquainted=True, blocked=False)
            delivery = self._happen(account, "follow", {"follow": {"isUnblocked": was_blocked}}, chat, person)
            did = f"unblocked {account.name}" if was_blocked else f"added {account.name} as a friend"
            return self._tell_of(account, chat, delivery, f"{person.name} {did}")

    def unfollow(self, account: Account, person: Person) -> Delivery:
        """Block the account."""
        with self.lock:
            self._befriend(account, person, acquainted=self.is_acquainted(account, person), blocked=True)
            chat = one_to_one(person)
            delivery = self._happen(account, "unfollow", {}, chat, person, replies=False)
            return self._tell_of(account, chat, delivery, f"{person.name} blocked {account.name}")

    def join(self, account: Account, chat: Chat) -> Delivery:
        """Invite the account into a group or room. Raises ValueError where another one is in it: LINE allows one."""
        with self.lock:
            place = self.places[chat]
            if place.account not in (None, account):
                raise ValueError("another official account is in this chat")
            place.account = account
            delivery = self._happen(account, "join", {}, chat, None)
            return self._moved(account, place, delivery, f"{account.name} joined")

    def leave(self, account: Account, chat: Chat) -> Delivery:
        """Remove the account from a group or room."""
        with self.lock:
            delivery = self._happen(account, "leave", {}, chat, None, replies=False)
            place = self.places[chat]
            place.account = None
            return self._moved(account, place, delivery, f"{account.name} left")

    def come(self, account: Account, chat: Chat, *people: Person) -> Delivery:
        """People join a group or room: `memberJoined`."""
        with self.lock:
            delivery = self._happen(account, "memberJoined", {"joined": _members(people)}, chat, None)
            place = self.places[chat]
            place.members |= {person.user_id: person for person in people}
            return self._moved(account, place, delivery, f"{_names(people)} joined")

    def go(self, account: Account, chat: Chat, *people: Person) -> Delivery:
        """People leave a group or room: `memberLeft`."""
        with self.lock:
            for person in people:
                self._check_present(account, chat, person)
            delivery = self._happen(account, "memberLeft", {"left": _members(people)}, chat, None, replies=False)
            place = self.places[chat]
            for person in people:
                del place.members[person.user_id]
            return self._moved(account, place, delivery, f"{_names(people)} left")

    # ---------------------------------------------------------------- webhooks

    def webhook(self, account: Account, *events: Mapping[str, Any]) -> Delivery:
        """A signed webhook of any events; of none it is what the console's Verify button sends."""
        body = compact({"destination": account.user_id, "events": list(events)})
        return Delivery(body, sign(account.channel_secret, body))

    def bundle(self, *deliveries: Delivery) -> Delivery:
        """Several webhooks of one account as one: LINE may send events of different people together."""
        (destination,) = {delivery.destination for delivery in deliveries}
        return self.webhook(self.accounts[destination], *(event for one in deliveries for event in one.events))

    def redeliver(self, delivery: Delivery) -> Delivery:
        """The same webhook once more, as LINE redelivers it; renews its unused reply tokens."""
        events = delivery.events
        with self.lock:
            for event in events:
                event["deliveryContext"]["isRedelivery"] = True
                if "replyToken" in event:
                    self.allowances.renew(event["replyToken"], self.clock.now())
        return self.webhook(self.accounts[delivery.destination], *events)

    # ---------------------------------------------------------------- inside

    def _send(
        self, account: Account, person: Person, kind: str, fields: Mapping[str, Any], chat: Chat | None
    ) -> Delivery:
        """A person sends a message of any kind."""
        with self.lock:
            where = chat or one_to_one(person)
            head: JsonObject = {"type": kind, "id": self.ids.message()}
            if kind in ("text", "sticker", "image", "video"):
                head["quoteToken"] = self.quotable(account, where)
            message = {**head, "markAsReadToken": self.ids.opaque(214), **fields}
            delivery = self._happen(account, "message", {"message": message}, where, person)
            if where.kind == "user":
                self._befriend(account, person, acquainted=True, blocked=self._is_blocked(account, where))
            self._show(account, where, person, message, delivery)
            return delivery

    def _take_back(self, account: Account, message_id: str) -> None:
        self.gone.add((account.user_id, message_id))
        self._keep(records.unsent_record(account.user_id, message_id))
        self._drop(account, message_id)

    def _show(self, account: Account, chat: Chat, person: Person, message: JsonObject, delivery: Delivery) -> None:
        """Put a person's message into a chat."""
        event_id, now, who = delivery.event["webhookEventId"], self.clock.now(), person.user_id
        said = utterance_of(message, message["id"], now, person.name, "person", user_id=who, event_id=event_id)
        self._add(account, chat, said)

    def _tell_of(self, account: Account, chat: Chat, delivery: Delivery, text: str) -> Delivery:
        """Put a line about what has happened into a chat."""
        event = delivery.event
        self._add(account, chat, system_line(text, event["timestamp"], event["webhookEventId"]))
        return delivery

    def _moved(self, account: Account, place: Place, delivery: Delivery, text: str) -> Delivery:
        """Somebody has joined or left."""
        self._set_place(place)
        return self._tell_of(account, place.chat, delivery, f"{text} the {_PLACES[place.chat.kind]}")

    def _happen(
        self,
        account: Account,
        kind: str,
        fields: Mapping[str, Any],
        chat: Chat,
        person: Person | None,
        *,
        replies: bool = True,
    ) -> Delivery:
        """An event in a chat; where it can be replied to, its token is good for a minute from now."""
        self._check_present(account, chat, person)
        now = self.clock.now()
        token = self.ids.hexadecimal(32) if replies else None
        source = source_of(chat, person.user_id if person and chat.kind != "user" else None)
        event = event_of(self.ids, kind, fields, at=now, source=source, reply_token=token)
        if token is not None:
            self.allowances.issue(token, account.user_id, chat, now, event["webhookEventId"])
        return self.webhook(account, event)

    def _check_present(self, account: Account, chat: Chat, person: Person | None) -> None:
        """LINE tells an account only of chats it is in; asking for more is a mistake of the caller's."""
        if chat.kind == "user":
            return
        place = self.place(account, chat)
        if place is None:
            raise ValueError(f"{account.name} is not in this {chat.kind}; let it `join` first")
        if person is not None and person.user_id not in place.members:
            raise ValueError(f"{person.name} is not in this {chat.kind}")


def _names(people: Sequence[Person]) -> str:
    names = [person.name for person in people]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _members(people: Iterable[Person]) -> JsonObject:
    return {"members": [source_of(one_to_one(person), None) for person in people]}


def _mention(text: str, mentioned: Sequence[Mentioned], account: Account) -> tuple[str, JsonObject]:
    return mention(text, [_mentionee(one, account) for one in mentioned])


def _mentionee(one: Mentioned, account: Account) -> Mentionee:
    if isinstance(one, str):
        return Mentionee("All", {"type": "all"})
    return Mentionee(one.name, {"userId": one.user_id, "type": "user", "isSelf": one == account})
