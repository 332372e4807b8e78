"""Answers that are kept: for how long, how many, and by whom they may be asked for at once."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from botkit.line.cache import LIFE, LIFE_OF_NOTHING, MOST, Cache


def keep(cache: Cache[int, str], key: int, value: str = "name") -> bool:
    """Whether it had to be asked for."""
    asked: list[int] = []

    def ask() -> str:
        asked.append(key)
        return value

    assert cache.get(key, ask) == value
    return bool(asked)


def test_the_oldest_goes_first() -> None:
    cache: Cache[int, str] = Cache(lambda: 0.0)
    assert all(keep(cache, key) for key in range(MOST + 1))
    assert not keep(cache, MOST)
    assert not keep(cache, 1)
    assert keep(cache, 0)


def test_what_is_asked_for_anew_drives_out_nothing_else() -> None:
    now = 0.0
    cache: Cache[int, str] = Cache(lambda: now)
    for key in range(MOST - 1):
        keep(cache, key)
    assert cache.get(MOST, lambda: None) is None
    now = LIFE_OF_NOTHING
    assert keep(cache, MOST)
    assert not keep(cache, 0)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2 * LIFE))))
def test_nothing_is_kept_beyond_its_life(steps: list[tuple[int, float]]) -> None:
    now, learned = 0.0, dict[int, float]()
    cache: Cache[int, str] = Cache(lambda: now)
    for key, passes in steps:
        now += passes
        is_known = key in learned and now < learned[key] + LIFE
        assert keep(cache, key) is not is_known
        if not is_known:
            learned[key] = now


def test_threads_share_it() -> None:
    cache: Cache[int, str] = Cache(lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda key: keep(cache, key % (2 * MOST)), range(8 * MOST)))) == 8 * MOST
    assert sum(not keep(cache, key) for key in range(2 * MOST)) <= MOST
