"""Performance: one run of one scenario; what the bot does is held against what is expected of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from botkit.errors import SecretError
from botkit.messages import Chat
from botkit.ports import ChatModel, ChatRequest, Secrets
from botkit.scenarios.expecting.expectations import unmet
from botkit.scenarios.file.scenario import Act, Deed, Expect, Scenario, Turn
from botkit.scenarios.model.guest import GuestPlayer
from botkit.scenarios.model.judge import Judge
from botkit.scenarios.model.recordings import Tape
from botkit.scenarios.model.scripted import Mode, Speaker
from botkit.scenarios.results import Failure, Line, Outcome, Recorded, Result, TurnResult
from botkit.scenarios.world.acts import Cast, Impossible
from botkit.scenarios.world.clock import StageClock
from botkit.scenarios.world.lines import said_of, words_of
from botkit.scenarios.world.stage import Refused, Seen, Stage
from botkit.simulator.chats import Utterance
from botkit.simulator.wire import Delivery
from botkit.simulator.world import Change
from botkit.spec.bot import BotSpec
from botkit.spec.document import Place
from botkit.spec.values import written_duration
from botkit.steps.model import Model

BETWEEN_TURNS: Final = 1000
BETWEEN_DEEDS: Final = 300
"""What passes on the clock between two turns, and between two messages sent in a row, in ms."""

PlaceOf = Callable[[tuple[str | int, ...]], Place]


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario to play: of a bot in this folder, with the model's side as `mode` says.

    `recorded` is what was recorded of it before; `judge` the name of the model that judges, by default the bot's own.
    """

    folder: Path
    scenario: Scenario
    mode: Mode = "offline"
    recorded: tuple[Recorded, ...] = ()
    judge: str | None = None


class Performance:
    """One run of one scenario; `real` and `secrets` are used where a real model is asked."""

    def __init__(self, case: Case, bot: BotSpec, real: ChatModel | None, secrets: Secrets) -> None:
        self.scenario, self.bot = case.scenario, bot
        begins = case.scenario.header.at
        begins = begins if begins.tzinfo else begins.replace(tzinfo=bot.timezone)
        self.clock = StageClock(int(begins.timestamp() * 1000))
        self.tape = Tape(case.recorded)
        self.speaker = Speaker(case.mode, self.tape, self.clock, real)
        asks = _template(bot, case.judge, secrets if real else None)
        self.judge = Judge(case.mode, self.tape, asks, real)
        self.guest = self._guest(case, bot, real, secrets)
        self.stage = Stage(bot, self.speaker, self.clock, secrets if real else None)
        self.cast = Cast(self.stage, case.scenario, case.folder)
        self.told: list[tuple[Chat, Utterance]] = []
        self.stage.platform.listen(self._changed)
        self.is_live = case.mode == "live"
        self.turns: list[TurnResult] = []
        self.last: list[Delivery] = []
        self.where: tuple[Chat, str | None] | None = None

    def result(self) -> Result:
        """Play it all."""
        for act in self.scenario.acts:
            self._turn(act.place, act, lambda path, act=act: _place(act.places, act.place, path))  # type: ignore[misc]
        if self.guest is not None:
            self._converse(self.guest)
        failures, unjudged = self._whole()
        scenario = self.scenario
        return Result(
            *(scenario.bot, scenario.name, scenario.place),
            turns=tuple(self.turns),
            failures=failures,
            unjudged=unjudged,
            recorded=self.tape.kept,
        )

    def _guest(self, case: Case, bot: BotSpec, real: ChatModel | None, secrets: Secrets) -> GuestPlayer | None:
        guest = case.scenario.header.user
        if guest is None:
            return None
        place = self.scenario.places.get(("user",), self.scenario.place)
        return GuestPlayer(guest, case.mode, self.tape, _template(bot, None, secrets if real else None), real, place)

    # ---------------------------------------------------------------- one turn

    def _turn(self, place: Place, act: Act, place_of: PlaceOf) -> None:
        self.clock.sleep(BETWEEN_TURNS)
        self.told.clear()
        self.stage.begin()
        number = len(self.turns) + 1
        self.speaker.begin(number, act)
        lines, broken = self._happen(act)
        came = [*self.stage.seen.faults, self.stage.left_undone(), self.stage.refused()]
        failures = [*broken, *self.speaker.end(), *(self._broken(one, place) for one in came if one)]
        self.tape.spares = self.tape.spares or bool(failures)
        lines += [self._line(chat, one) for chat, one in self.told]
        outcome = self._outcome()
        self.turns.append(TurnResult(number, place, tuple(lines), outcome, tuple(failures)))
        # Without the model's answer nothing can be as it is expected, for that one reason.
        unanswered = any(one.fault in ("unrecorded", "stale") for one in failures)
        if act.turn.expect is not None and not unanswered:
            self._judge_turn(act.turn.expect, outcome, place_of)
        if self.is_live and act.turn.model:
            self.turns[-1] = replace(self.turns[-1], failures=tuple(map(_unscripted, self.turns[-1].failures)))

    def _judge_turn(self, expect: Expect, outcome: Outcome, place_of: PlaceOf) -> None:
        turn = self.turns[-1]
        found, unjudged = self._judged(expect, turn.number, place_of)
        failures = (*turn.failures, *unmet(expect, outcome, place_of), *found)
        self.turns[-1] = replace(turn, failures=failures, unjudged=unjudged)

    def _happen(self, act: Act) -> tuple[list[Line], list[Failure]]:
        """Do what a turn says, and let the bot answer."""
        lines: list[Line] = []
        try:
            self._do(act, lines)
            self.stage.work()
        except Impossible as error:
            return lines, [self._broken(str(error), act.place, "what a person can do on LINE")]
        except Refused as error:
            return lines, [self._broken(str(error), act.place)]
        except Exception as error:  # whatever the bot's own steps do: it is this turn's fault, not the run's
            return lines, [self._broken(f"{type(error).__name__}: {error}", act.place)]
        return lines, []

    def _do(self, act: Act, lines: list[Line]) -> None:
        turn = act.turn
        if act.speaker is None:
            self._occur(turn, lines)
            return
        deliveries = []
        privately = turn.chat == "user"
        self.where = self.cast.chat(act.speaker, privately=privately), act.speaker
        for deed in act.deeds:
            self.clock.sleep(BETWEEN_DEEDS)
            lines.append(self._spoken(act.speaker, deed))
            deliveries.append(self.cast.do(act.speaker, deed, privately=privately))
            self.stage.deliver(deliveries[-1])
        self.last = deliveries

    def _occur(self, turn: Turn, lines: list[Line]) -> None:
        """Something that is nobody's word."""
        if turn.pause is not None:
            lines.append(Line("system", "", f"{written_duration(turn.pause)} later"))
            self.clock.sleep(turn.pause * 1000)
            self.stage.sweep()
        elif turn.redelivery:
            lines.append(Line("system", "", "LINE sends it once more"))
            for delivery in self.last:
                self.stage.deliver(self.stage.platform.redeliver(delivery))
        else:
            delivery, self.where = self.cast.happen(turn)
            lines.append(Line("system", "", self._told_of(delivery)))
            self.stage.deliver(delivery)
            self.last = [delivery]

    # ---------------------------------------------------------------- a guest, and the whole

    def _converse(self, guest: GuestPlayer) -> None:
        """Let a model play the person."""
        header, place = self.scenario.header, self.scenario.places.get(("user",), self.scenario.place)
        name = header.user.name if header.user else ""
        for number in count(len(self.turns) + 1):
            lines = [line for turn in self.turns for line in turn.lines]
            said = guest.next(lines, number)
            if said is None:
                return
            act = Act(Turn(), place, {}, name, (Deed(text=said),))
            self._turn(place, act, lambda _: place)

    def _whole(self) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
        """What is expected of the whole conversation, and not met or not judged."""
        failures = self.guest.failures if self.guest else ()
        expect = self.scenario.header.expect
        if expect is None:
            return failures, ()
        outcomes = [turn.outcome for turn in self.turns]
        whole = Outcome(
            said=tuple(one for outcome in outcomes for one in outcome.said),
            prompts=tuple(one for outcome in outcomes for one in outcome.prompts),
            usages=tuple(one for outcome in outcomes for one in outcome.usages),
            history=outcomes[-1].history if outcomes else (),
            notes=tuple(one for outcome in outcomes for one in outcome.notes),
        )

        def place_of(path: tuple[str | int, ...]) -> Place:
            return _place(self.scenario.places, self.scenario.place, path)

        found, unjudged = self._judged(expect, 0, place_of)
        return (*failures, *unmet(expect, whole, place_of), *found), unjudged

    def _judged(self, expect: Expect, turn: int, place_of: PlaceOf) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
        """What a model finds untrue, and what it could not be asked."""
        failures, unjudged = [], []
        lines = [line for one in self.turns for line in one.lines]
        for number, criterion in enumerate(expect.judge or ()):
            verdict = self.judge.judge(criterion, lines, turn)
            if verdict is None:
                unjudged.append(criterion)
            elif not verdict.passed:
                place, wanted = place_of(("judge", number)), f"that a judge finds: {criterion}"
                failures.append(Failure(verdict.fault, place, wanted, verdict.reason, "judge"))
        return tuple(failures), tuple(unjudged)

    # ---------------------------------------------------------------- what is seen

    def _changed(self, change: Change) -> None:
        said = change.utterance
        if change.kind == "said" and said is not None and said.is_answer and change.chat is not None:
            self.told.append((change.chat, said))

    def _outcome(self) -> Outcome:
        seen: Seen = self.stage.seen
        chat, speaker = self.where or (None, None)
        user_id = self.cast.people[speaker].user_id if speaker else None
        return Outcome(
            said=tuple(said_of(one) for where, one in self.told if where == chat),
            prompts=self.speaker.prompts,
            usages=tuple(seen.usages),
            history=self.stage.history(chat, user_id) if chat else (),
            notes=tuple(seen.notes),
        )

    def _line(self, chat: Chat, one: Utterance) -> Line:
        said, here = said_of(one), self.where is not None and chat == self.where[0]
        who = one.sender or self.bot.name
        if not here:
            person = self.stage.platform.person(chat.id)
            who = f"{who}, to {person.name if person else chat.kind}"
        return Line("bot", who, said.text, said.via, (*said.quick_replies, *said.buttons))

    def _spoken(self, speaker: str, deed: Deed) -> Line:
        return Line("person", self.cast.people[speaker].name, words_of(deed))

    def _told_of(self, delivery: Delivery) -> str:
        """LINE's own line about what has happened."""
        event_id = delivery.event["webhookEventId"]
        chat = self.where[0] if self.where else None
        log = self.stage.platform.log(self.stage.account, chat).utterances if chat else ()
        return next((one.text for one in reversed(log) if one.event_id == event_id), delivery.event["type"])

    def _broken(self, came: str, place: Place, wanted: str = "a turn without a failure") -> Failure:
        return Failure("broken", place, wanted, came)


def _unscripted(failure: Failure) -> Failure:
    """A failure of a turn whose script a real model has taken the place of."""
    why = "live, a real model answers instead of this turn's `model:`"
    return replace(failure, detail=f"{failure.detail}\n{why}".strip())


def _template(bot: BotSpec, name: str | None, secrets: Secrets | None) -> ChatRequest:
    """How the bot's model is asked, to be asked something else: for judging and for playing people."""
    model = bot.step(Model)
    if model is None:
        return ChatRequest(name or "gpt-4.1-mini", (), 60.0)
    try:
        key = secrets.get(model.api_key) if secrets else ""
    except SecretError:  # a server of one's own may need none
        key = ""
    return ChatRequest(name or model.name, (), float(model.timeout), base_url=model.base_url, api_key=key)


def _place(places: Mapping[tuple[str | int, ...], Place], own: Place, path: Iterable[str | int]) -> Place:
    """Where an expectation stands, or the nearest that holds it."""
    whole = ("expect", *path)
    found = (places.get(whole[:length]) for length in range(len(whole), 0, -1))
    return next((place for place in found if place is not None), own)
