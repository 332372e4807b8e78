"""What people do in a run: a dozen small stories, and as many long ones as there are seeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from botkit.delivery.answering import ANSWER_DATA
from botkit.messages import Chat, Content
from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.simulation.bots import BODIES
from tests.simulation.faults import Fault, Plan
from tests.simulation.people import SECOND, Spoken
from tests.simulation.world import World

Act = Callable[[World], None]


@dataclass(frozen=True)
class Scenario:
    """A story. `always` are faults that belong to it, such as a slow model.

    `often`: its single faults are tried at each run of the tests, and its pairs by `make simulate`; those of
    the others, by `make simulate` and `make simulate --all-pairs`.
    """

    name: str
    act: Act
    always: Plan = field(default_factory=dict)
    often: Literal["", "singles", "pairs"] = ""


def _hana(world: World) -> Person:
    return world.platform.add_person("Hana", language="ja")


def _group(world: World, bot: str, *people: Person) -> Chat:
    group = world.platform.add_group(*people, name="Friends")
    world.platform.join(world.people.accounts[bot], group)
    return group


def _one(world: World) -> None:
    world.people.say("plain", _hana(world))


def _burst(world: World) -> None:
    people, hana = world.people, _hana(world)
    for pause in (300, 2500, 1):
        people.say("plain", hana)
        people.pause(pause)


def _two_rounds(world: World) -> None:
    people, hana = world.people, _hana(world)
    people.say("plain", hana)
    people.pause(9 * SECOND)
    people.say("plain", hana)


def _shared_group(world: World) -> None:
    people, hana, ken = world.people, _hana(world), world.platform.add_person("Ken")
    group = _group(world, "shared", hana, ken)
    people.say("shared", hana, group)
    people.pause(400)
    people.say("shared", ken, group)
    people.pause(700)
    people.say("shared", hana, group)


def _own_group(world: World) -> None:
    people, hana, ken = world.people, _hana(world), world.platform.add_person("Ken")
    group = _group(world, "plain", hana, ken)
    people.say("plain", hana, group)
    people.say("plain", ken, group)
    people.say("plain", hana)


def _unsend(world: World) -> None:
    people, hana = world.people, _hana(world)
    first = people.say("plain", hana)
    people.pause(1500)
    people.say("plain", hana)
    people.unsend(first)


def _edit(world: World) -> None:
    people, hana = world.people, _hana(world)
    group = _group(world, "shared", hana)
    said = people.say("shared", hana, group)
    people.pause(600)
    edit(world, said)


def edit(world: World, said: Spoken) -> None:
    """Somebody changes what they have said in a group."""
    text = f"@bot {said.mark} hello again"
    delivery = world.platform.edit(said.account, said.person, said.message_id, text, chat=said.chat)
    world.people.sent(f"edit {len(world.people.spoken) + 1}", delivery, said.person, said.chat, expected=False)


def _twice(world: World) -> None:
    """A webhook comes twice at once, and again much later."""
    people, hana = world.people, _hana(world)
    delivery = world.platform.say(people.accounts["plain"], hana, "«m1» hello")
    people.sent("«m1»", delivery, hana)
    people.deliver(delivery)
    people.deliver(delivery, delay=20 * SECOND)
    people.deliver(delivery, delay=40 * SECOND, redelivery=True)


def standby(world: World, bot: str, person: Person) -> Delivery:
    """Something said while another channel holds the chat: no token, and nothing to be answered."""
    delivery = world.platform.say(world.people.accounts[bot], person, "hello")
    event = {name: value for name, value in delivery.event.items() if name != "replyToken"}
    return world.platform.webhook(world.people.accounts[bot], {**event, "mode": "standby"})


def _others(world: World) -> None:
    """Events that get no answer, in one webhook with one that does."""
    people, hana, ken = world.people, _hana(world), world.platform.add_person("Ken")
    account = people.accounts["plain"]
    follow = world.platform.follow(account, ken)
    said = world.platform.say(account, hana, "«m1» hello")
    people.sent("«m1»", said, hana, delay=100)
    people.sent("follow 2", world.platform.bundle(follow), ken)
    people.deliver(world.platform.bundle(follow, said, standby(world, "plain", ken)))


def photos(world: World, bot: str, person: Person) -> None:
    """Two photos sent together: webhooks of their own, in any order."""
    for index in (1, 2):
        account, picture = world.people.accounts[bot], Content(b"png", "image/png")
        delivery = world.platform.send_media(account, person, "image", picture)
        event: dict[str, Any] = delivery.event
        event["message"]["imageSet"] = {"id": "set", "index": index, "total": 2}
        mark = f"photo {len(world.people.spoken) + 1}"
        world.people.sent(mark, world.platform.webhook(account, event), person, expected=False, delay=300 * (2 - index))


def _photos(world: World) -> None:
    hana = _hana(world)
    photos(world, "plain", hana)
    world.people.say("plain", hana)


def _block(world: World) -> None:
    people, hana = world.people, _hana(world)
    people.say("plain", hana)
    people.pause(1000)
    people.block("plain", hana)


def _slow(bot: str) -> Act:
    def act(world: World) -> None:
        people, hana = world.people, _hana(world)
        people.say(bot, hana)
        people.pause(90 * SECOND)
        people.say(bot, hana)

    return act


def _slow_group(world: World) -> None:
    people, hana, ken = world.people, _hana(world), world.platform.add_person("Ken")
    group = _group(world, "shared", hana, ken)
    people.say("shared", hana, group)
    people.pause(30 * SECOND)
    people.say("shared", ken, group)


def _anothers_tap(world: World) -> None:
    """Somebody else in the group taps the button that promises an answer."""
    people, hana, ken = world.people, _hana(world), world.platform.add_person("Ken")
    group = _group(world, "shared", hana, ken)
    asked = people.say("shared", hana, group)
    for _ in range(4):
        people.pause(30 * SECOND)
        data = f"{ANSWER_DATA}{asked.event_id}"
        tapped = world.platform.postback(people.accounts["shared"], ken, data, chat=group)
        people.sent(f"tap {len(people.spoken) + 1}", tapped, ken, group)


SLOW: Mapping[str, Fault] = {"model.complete#1": Fault.DELAY}
STORIES = [
    Scenario("one", _one, often="pairs"),
    Scenario("burst", _burst),
    Scenario("two rounds", _two_rounds, often="singles"),
    Scenario("shared group", _shared_group, often="singles"),
    Scenario("own group", _own_group),
    Scenario("unsend", _unsend, often="singles"),
    Scenario("edit", _edit),
    Scenario("twice", _twice, often="pairs"),
    Scenario("others", _others),
    Scenario("photos", _photos),
    Scenario("block", _block),
    Scenario("slow button", _slow("plain"), SLOW, often="pairs"),
    Scenario("slow push", _slow("keeps"), SLOW),
    Scenario("slow silence", _slow("quiet"), SLOW),
    Scenario("slow poor", _slow("poor"), {**SLOW, "model.complete#2": Fault.DELAY}),
    Scenario("slow group", _slow_group, SLOW),
    Scenario("another's tap", _anothers_tap, SLOW),
]


def random_scenario(seed: int) -> Scenario:
    """Four to nine acts of up to three people with one bot or two."""

    def act(world: World) -> None:
        random = Random(f"people {seed}")
        crowd = [world.platform.add_person(name) for name in ("Hana", "Ken", "Yui")[: random.randint(1, 3)]]
        bots = random.sample(sorted(BODIES), random.choice((1, 1, 2)))
        groups = {bot: _group(world, bot, *crowd) for bot in bots if random.random() < 0.5}
        for _ in range(random.randint(4, 9)):
            _act_once(world, random, random.choice(bots), random.choice(crowd), groups)
            world.people.pause(random.choice((1, 50, 400, 2000, 8000, 30_000)))

    return Scenario(f"seed {seed}", act)


def _act_once(world: World, random: Random, bot: str, person: Person, groups: Mapping[str, Chat]) -> None:
    people, chat = world.people, groups.get(bot) if random.random() < 0.6 else None
    mine = [one for one in people.spoken.values() if one.person is person and one.kind == "message" and one.expected]
    mine = [one for one in mine if not one.unsent]
    kind = random.random()
    if mine and kind < 0.08:
        people.unsend(random.choice(mine))
    elif mine and kind < 0.14 and mine[-1].chat.kind == "group":
        edit(world, mine[-1])
    elif kind < 0.18:
        people.deliver(standby(world, bot, person))
    elif kind < 0.24 and chat is None:
        photos(world, bot, person)
    elif kind < 0.27:
        people.block(bot, person)
        people.pause(5 * SECOND)
        people.deliver(world.platform.follow(people.accounts[bot], person))
    else:
        for _ in range(random.choice((1, 1, 1, 2, 4)) if random.random() < 0.97 else 40):
            people.say(bot, person, chat)
            people.pause(random.choice((1, 100, 900)))


def with_always(scenario: Scenario, plan: Plan) -> Plan:
    """The plan of a run: the faults of the story itself, and those given."""
    return {**scenario.always, **plan}
