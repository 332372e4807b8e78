"""What a door asks of a package's bots: answered without reading them, and never by what a file no longer says."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from botkit.simulator.playground.fresh import forget_modules
from botkit.spec.account import Account
from botkit.spec.compiled import ACCOUNTS
from botkit.spec.compiling import compile_into
from botkit.spec.loader import load_folder
from botkit.spec.shelf import Shelf

_FOLDERS = count()
USER_ID = "U" + "0" * 32
INN = """\
extends: _base.yaml
line: {channel_secret: [env:NEW, env:OLD], channel_id: "2001234567", user_id: USER_ID}
history: {scope: group}
""".replace("USER_ID", USER_ID)
FILES = {
    "_base.yaml": "persona: hi\nmodel: gpt-4.1-mini\n",
    "inn.yaml": INN,
    "quiet.yaml": "persona: hi\nmodel: gpt-4.1-mini\n",
    "own.yaml": "persona: hi\nmodel: gpt-4.1-mini\npipeline: [{use: bots.own:Own}, persona, model]\n",
    "own.py": "import botkit\n\n\nclass Own(botkit.Step):\n    def __call__(self, turn, call_next):\n        return call_next(turn)\n",
}
INNS = Account("inn", ("env:NEW", "env:OLD"), USER_ID, shares_groups=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / f"bots{next(_FOLDERS)}"  # steps are imported by it, and stay on Python's path
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("bots.", f"{folder.name}."), "utf-8")
    loaded = load_folder(folder)
    assert loaded.problems == ()
    compile_into(tmp_path / "compiled", loaded.bots.values(), folder)
    yield folder
    forget_modules(folder)


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(folder, folder.parent / "compiled")


@pytest.fixture
def spoil(folder: Path) -> Callable[[str], None]:
    """Makes a bot file one that would be refused if it were read."""
    return lambda name: (folder / name).write_bytes(b"persona: [")


def test_an_account_is_that_of_the_bot(shelf: Shelf, folder: Path) -> None:
    bots = load_folder(folder).bots
    assert shelf.account("inn") == INNS == bots["inn"].account
    assert shelf.account("quiet") == Account("quiet") == bots["quiet"].account
    assert shelf.account_of_user(USER_ID) == INNS
    assert not shelf.is_broken("inn")


@pytest.mark.parametrize("name", ["nobody", "", "_accounts", "_base", "../inn", "inn.yaml"])
def test_a_bot_that_is_not_there_has_no_account_and_is_not_broken(shelf: Shelf, name: str) -> None:
    assert (shelf.account(name), shelf.is_broken(name)) == (None, False)


def test_nobodys_user_id_has_no_account(shelf: Shelf) -> None:
    assert shelf.account_of_user("U" + "1" * 32) is None


def test_a_bot_with_steps_of_its_own_is_read_since_only_that_tells_whether_it_is_good(
    shelf: Shelf, folder: Path
) -> None:
    assert "own" not in json.loads((folder.parent / "compiled" / ACCOUNTS).read_bytes())
    (folder / "own.py").unlink()
    forget_modules(folder)
    assert shelf.is_broken("own")
    assert shelf.account("own") is None
    assert set(shelf.good_names()) == {"inn", "quiet"}


@pytest.mark.parametrize("changed", ["inn.yaml", "_base.yaml"])
def test_of_a_file_that_has_changed_nothing_is_known_without_reading_it(
    shelf: Shelf, folder: Path, spoil: Callable[[str], None], changed: str
) -> None:
    spoil(changed)
    assert shelf.is_broken("inn")
    assert shelf.account("inn") is None
    assert shelf.account_of_user(USER_ID) is None


def test_a_changed_secret_holds(shelf: Shelf, folder: Path) -> None:
    (folder / "inn.yaml").write_text(INN.replace("env:NEW, ", ""), "utf-8")
    account = shelf.account("inn")
    assert account is not None
    assert account.channel_secret == ("env:OLD",)


SPOILT = [b"", b"{", b"[]", b"\xff", b'{"inn": {}}', b'{"inn": 1}', b'{"inn": {"files": 1, "channel_secret": []}}']


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_is_spoilt_is_as_nothing(folder: Path, spoilt: bytes) -> None:
    (folder.parent / "compiled" / ACCOUNTS).write_bytes(spoilt)
    assert Shelf(folder, folder.parent / "compiled").account("inn") == INNS


def test_a_package_whose_bots_need_no_reading_names_them_without(folder: Path) -> None:
    (folder / "own.yaml").unlink()
    shelf = Shelf(folder, folder.parent / "compiled")
    assert set(shelf.good_names()) == {"inn", "quiet"}
    assert (shelf.account("inn"), shelf.account_of_user(USER_ID)) == (INNS, INNS)
    assert shelf.account_of_user("U" + "1" * 32) is None
