"""The proof that the proof bites: each planted bug is found, by the right invariant, and without it the same runs hold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import pytest

from tests.simulation import plants
from tests.simulation.explore import Case, Ran, minimal, report, run, seeds, singles
from tests.simulation.faults import Fault, Plan
from tests.simulation.plants import Change, made
from tests.simulation.scenarios import STORIES, Scenario
from tests.simulation.world import Mode, Seams

MOST = 24
"""Runs for each bug: so soon it must be found."""
Runs = Callable[[], Iterable[Case]]


def singly(story: str, mode: Mode, point: str, *kinds: Fault) -> Runs:
    """Every single fault of a story at the points of one call, or those of some kinds."""
    wanted = kinds or tuple(Fault)
    return lambda: (
        case
        for case in singles(_story(story), mode)
        if any(name.startswith(point) and fault in wanted for name, fault in (case.plan or {}).items())
    )


def always(story: str, mode: Mode, plan: Plan | None = None) -> Runs:
    """A story with these very faults, or none, and with other times in each run."""
    return lambda: (Case(_story(story), mode, seed, plan or {}) for seed in range(MOST))


def _story(name: str) -> Scenario:
    (story,) = (one for one in STORIES if one.name == name)
    return story


@dataclass(frozen=True)
class Bug:
    """A planted bug. `told`: what the violation must say. `off`: the nets that would catch what it lets fall."""

    name: str
    change: Change
    runs: Runs
    told: str
    off: Change = field(default_factory=Change)


BUGS = [
    Bug(
        "freshness from the worker's clock",
        Change({"store": plants.FreshAtWork}),
        singly("one", "inline", "line.reply"),
        "was never shown",
    ),
    Bug(
        "push on any 400",
        Change(names={"botkit.delivery.send._Delivery._no_reply": plants.push_on_any_400}),
        singly("one", "inline", "line.reply"),
        "was shown 2 times",
    ),
    Bug(
        "push of an apology on any 400",
        Change(names={"botkit.delivery.send._Delivery._no_reply": plants.push_on_any_400}),
        always("one", "inline", {"model.complete#1": Fault.ERROR_BEFORE, "line.reply#1": Fault.ERROR_AFTER}),
        "2 apologies in",
    ),
    Bug(
        "push of a notice on any 400",
        Change(names={"botkit.delivery.send._Delivery._no_reply": plants.push_on_any_400}),
        always("slow button", "inline", {"line.reply#1": Fault.CRASH_AFTER, "line.reply#2": Fault.ERROR_AFTER}),
        "3 notices for",
    ),
    Bug(
        "new retry key per try",
        Change({"line": plants.NewKey}),
        always("slow push", "inline", {"line.push#1": Fault.ERROR_AFTER}),
        "was shown 2 times",
    ),
    Bug(
        "no SENDING mark",
        Change({"store": plants.NoMark}),
        singly("one", "inline", "line.reply"),
        "was shown 2 times",
    ),
    Bug(
        "a push is not paid for",
        Change({"store": plants.Unpaid}),
        always("slow push", "inline"),
        "has pushed 1 messages and paid for 0",
    ),
    Bug(
        "a reply after a notice spent its token",
        Change(names={"botkit.delivery.answering._Answering._give_notice": plants.forget_the_notice}),
        always("slow button", "inline"),
        "was pushed, and a button promises it",
    ),
    Bug(
        "short lease",
        Change({"store": plants.ShortLease}),
        always("two rounds", "inline", {"model.complete#1": Fault.DELAY}),
        "beside one in",
    ),
    Bug("no lease", Change({"store": plants.NoLease}), always("burst", "inline"), "beside one in"),
    Bug(
        "no fence",
        Change(names=plants.NO_FENCE),
        # The second worker dies after its reply, so the first one, whose reply was slower, is refused and pushes.
        always("burst", "inline", {"line.reply#1": Fault.DELAY, "line.reply#2": Fault.CRASH_AFTER}),
        "was shown 2 times",
        # A lease outlives the invocation of its holder, which is then ended: so nobody writes after its lease.
        off=Change({"store": plants.LeaseEndsOnTheWay}),
    ),
    Bug(
        "no inbox_seq",
        Change(names={"botkit.stores.dynamodb_messages.count_arrival": plants.uncounted_arrival}),
        always("burst", "inline"),
        "rests in RECEIVED",
        # The sweep answers what the worker has left behind, a minute late.
        off=Change({"sweeps": False}),
    ),
    Bug(
        "release without check",
        Change({"store": plants.UncheckedRelease}),
        always("burst", "inline"),
        "rests in RECEIVED",
        # The same.
        off=Change({"sweeps": False}),
    ),
    Bug(
        "busy counted as ok",
        Change(names={"botkit.delivery.together._pause": plants.busy_is_done}),
        always("two rounds", "queue", {"model.complete#1": Fault.CRASH_BEFORE}),
        "rests in RECEIVED",
        # The sweep comes a minute later, and the message of the worker that died after the queue's visibility timeout.
        off=Change({"sweeps": False, "returns": False}),
    ),
    Bug(
        "no state condition",
        Change(names=plants.NO_STATE),
        singly("one", "inline", "store.transact", Fault.ERROR_AFTER),
        "is counted 2 times",
    ),
    Bug(
        "no request token",
        Change(names=plants.NO_TOKEN),
        singly("one", "inline", "store.transact", Fault.TWICE),
        "is counted 2 times",
        # What the first try has done is refused to the second by the event's state, and known by its stamp.
        off=Change(names=plants.NO_STATE),
    ),
    Bug("no dedupe", Change(names=plants.NO_DEDUPE), always("twice", "inline"), "«m1» was answered by 2 different"),
    Bug("usage added twice", Change({"store": plants.UsageTwice}), always("one", "inline"), "is counted 2 times"),
    Bug(
        "a burst message not covered",
        Change({"store": plants.Uncovered}),
        always("burst", "queue"),
        "was answered by 2 different answers",
    ),
    Bug(
        "a finish that forgets the pointer",
        Change(names={"botkit.stores.dynamodb_moves.finished": plants.finish_and_leave_the_pointer}),
        always("one", "inline"),
        "not at rest after",
    ),
    Bug(
        "an unsend does not stop the turn under way",
        Change(names={"botkit.stores.dynamodb_moves.at_revision": plants.at_any_revision}),
        always("unsend", "inline"),
        "«m1» was unsent, and is still at",
    ),
    Bug(
        "a kept answer offered to somebody else",
        Change(names={"botkit.delivery.answering._waits_for": plants.kept_for_anybody}),
        always("slow group", "inline"),
        "the answer to «m1» of Hana was brought to Ken",
    ),
    Bug(
        "a tap answered for anybody",
        Change(names={"botkit.delivery.drain.tap": plants.tap_of_anybody}),
        always("another's tap", "inline"),
        "the answer to «m1» of Hana was brought to Ken",
    ),
    Bug(
        "one conversation for all of a group",
        Change(names={"botkit.delivery.door.conversation_of": plants.one_conversation_for_all}),
        always("own group", "inline"),
        "is in the history of",
    ),
]


def runs_until(cases: Iterable[Case], seams: Seams, told: str = "") -> tuple[list[Case], Ran | None]:
    """The runs up to the first with such a violation, and that one."""
    tried = []
    for case in cases:
        tried.append(case)
        ran = run(case, seams)
        if any(told in violation for violation in ran.violations):
            return tried, ran
    return tried, None


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_and_without_it_the_same_runs_hold(bug: Bug) -> None:
    cases = list(islice(bug.runs(), MOST))
    with made(bug.off, bug.change) as seams:
        tried, found = runs_until(cases, seams, bug.told)
    assert found is not None, f"in {len(tried)} runs nothing says {bug.told!r}"
    with made(bug.off) as seams:
        _, wrong = runs_until(tried, seams)
    assert wrong is None, report(wrong)


def test_a_failing_seed_is_told_with_as_few_faults_as_it_takes() -> None:
    with made(Change({"store": plants.NoMark})) as seams:
        _, found = runs_until(seeds(0, MOST), seams)
        assert found is not None
        told = report(smallest := minimal(found.case, seams))
    assert len(smallest.plan) < len(found.plan)
    assert "was shown 2 times" in told
    assert all(point in told for point in smallest.plan)
