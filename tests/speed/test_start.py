"""What a start brings into memory, where every module and every TLS context is paid for before the first answer."""

import sys
from pathlib import Path

import pytest

from benchmarks.versus.contestants import Role
from benchmarks.versus.events import person, webhook
from tests.speed.town import Process, Service, Told, Town

FOLDER = Path(__file__).parent
LATE = "  (at the first event)"
ROLES: list[Role] = ["door", "worker"]
ADVICE = """
Each module costs every cold start of the {role}. If this is meant, write it into {path}:
a module a line, sorted, and where it is imported only once an event is there, this behind it: {late!r}.
"""

First = dict[Role, tuple[Process, Told]]


@pytest.fixture(scope="module")
def cold(town: Town) -> Service:
    return town.service()


@pytest.fixture(scope="module")
def first(cold: Service) -> First:
    """Each part's process, and what its first event has set in motion."""
    door, worker = cold.serve(webhook(person(1)).event)
    return {"door": (cold.door, door), "worker": (cold.worker, worker)}


def loaded(told: Told) -> set[str]:
    """botkit's modules, and the packages of others; the standard library's differ between versions of Python."""
    own = {name for name in told.modules if name.partition(".")[0] == "botkit"}
    tops = {name.partition(".")[0] for name in told.modules}
    platform = {name for name in tops if name.startswith("_sysconfigdata")}
    return own | (tops - sys.stdlib_module_names - platform - {"__main__", "handler"})


@pytest.mark.parametrize("role", ROLES)
def test_these_modules_are_imported_and_no_others(first: First, role: Role) -> None:
    process, event = first[role]
    early, path = loaded(process.start), FOLDER / f"{role}.txt"
    found = {name if name in early else name + LATE for name in loaded(event)}
    expected = set(path.read_text("utf-8").splitlines())
    told = [f"new: {name}" for name in sorted(found - expected)] + [
        f"gone: {name}" for name in sorted(expected - found)
    ]
    advice = ADVICE.format(role=role, path=path.relative_to(FOLDER.parents[1]), late=LATE)
    assert not told, "\n".join(["", *told, advice])


@pytest.mark.parametrize("role", ROLES)
def test_the_list_of_modules_is_sorted(role: Role) -> None:
    lines = (FOLDER / f"{role}.txt").read_text("utf-8").splitlines()
    assert lines == sorted(set(lines))


@pytest.mark.parametrize("role", ROLES)
def test_one_tls_context_is_made_for_all_connections(first: First, role: Role) -> None:
    process, event = first[role]
    made = [told.calls.get("ssl.SSLContext.__new__", 0) for told in (process.start, event)]
    assert sum(made) == 1


@pytest.mark.parametrize("role", ROLES)
def test_what_a_start_has_made_is_never_looked_through_for_garbage(first: First, role: Role) -> None:
    start = first[role][0].start
    assert start.collects
    assert start.frozen > 10_000
    assert start.watched < 1_000
