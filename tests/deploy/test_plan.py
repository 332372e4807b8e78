"""`botkit plan`: what a deployment changes of each bot, from folders, packages and a stack."""

import json
import os
import py_compile
import stat
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from hashlib import sha256
from importlib.util import cache_from_source
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import botkit
from botkit.cli import plan_sides
from botkit.cli.describe import describe, masked
from botkit.cli.main import main
from botkit.deploy.plan import compare, summary
from botkit.deploy.session import caller, client, open_session
from botkit.deploy.storage import bucket_of, key_of
from tests.support.aws import CREDENTIALS

INN = """\
extends: _base.yaml
line: {channel_secret: env:INN_SECRET, channel_access_token: env:INN_TOKEN}
persona: |
  You are {{ bot.name }}.
  Check-in is at {{ checkin }}.
  Be kind.
history: {window: 4, keep: 30d}
reply: {error: "Sorry, something went wrong here, so please write to us again a little later."}
"""
BASE = """\
persona: {vars: {checkin: "15:00"}}
model: gpt-4.1-mini
"""
DESK = """\
line: {channel_secret: env:DESK_SECRET, channel_access_token: env:DESK_TOKEN}
persona: You are at the desk.
model: {name: house-model, base_url: http://127.0.0.1:9/v1}
"""
SAME = "persona: Hi\nmodel: gpt-4.1\n"
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
OWN = """\
persona: You are open.
model: gpt-4.1-mini
pipeline:
  - use: bots.steps.hours:Hours
  - persona
  - model
"""
HOURS = """\
from botkit import Handler, Reply, Step, Turn
from bots.steps.words import CLOSED

print("a step may print")


class Hours(Step):
    opens: int = 9

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        return Reply.of(CLOSED)
"""

Files = dict[str, str]
Json = Callable[..., Any]


def write(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def package(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "here"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("BOTKIT_BOTS", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


@pytest.fixture
def planned(there: Path, capsys: pytest.CaptureFixture[str]) -> Json:
    """The plan as data, by which the bots `new` take the place of `old`."""

    def plan(old: Files, new: Files, *arguments: str) -> Any:
        write(there / "bots", old)
        write(Path("bots"), new)
        assert main(["plan", "--against", str(there), "--json", *arguments]) == 0
        facts = json.loads(capsys.readouterr().out)
        return {**facts, "bots": {bot["name"]: bot for bot in facts["bots"]}}

    return plan


def lines(bot: Mapping[str, Any], what: str) -> list[str]:
    return next((text["lines"] for text in bot["texts"] if text["what"] == what), [])


def options(bot: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {change["option"]: (change["old"], change["new"]) for change in bot["options"]}


CHANGED = """\
compared with ../there/bots

inn  changed
  persona, as Hana reads it in a 1:1 chat
      You are inn.
    - Check-in is at 15:00.
    + Check-in is at 16:00.
      Be kind.
    + Be brief.
  history.scope         user → group
  history.keep          30d → 1d
  persona.vars.checkin  '15:00' → '16:00'
  model.name            gpt-4.1-mini → gpt-4.1
  reply.error
    - Sorry, something went wrong here, so please write to us again a little later.
    + Sorry, something went wrong there, so please write to us again a little later.
  ! in groups conversations begin anew: everyone in a group shares one now, and what was said before is not found under it
  ! what is said from now on is kept 1d; what is stored already stays until its 30d are over
  ! a million tokens in and out cost 0.40 and 1.60 USD → 2.00 and 8.00 USD
  tokens of a turn  796 → 799  persona 16 → 19, full history 520, question 60, answer 200
  left for history  1,046,700 → 1,046,697  of a window of 1,047,576
  1,000 messages    0.56 → 2.80 USD  +401%

desk  unchanged

1 changed, 1 unchanged
"""


def test_what_changes_is_told_in_the_words_of_the_file(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(there / "bots", {"inn.yaml": INN, "_base.yaml": BASE, "desk.yaml": DESK})
    inn = INN.replace("keep: 30d", "keep: 24h, scope: group").replace("kind.\n", "kind.\n  Be brief.\n")
    inn = inn.replace("wrong here", "wrong there")
    base = BASE.replace("15:00", "16:00").replace("4.1-mini", "4.1")
    write(Path("bots"), {"inn.yaml": inn, "_base.yaml": base, "desk.yaml": f"# said otherwise\n{DESK}"})
    assert main(["plan", "--against", "../there"]) == 0
    assert capsys.readouterr().out.splitlines() == CHANGED.splitlines()


GROUPS = "persona: Hello{{ '' if chat.kind == 'user' else ' all' }}.\nmodel: gpt-4.1\n"
TYPES = "persona: {text: Hi, vars: {n: 1}}\nmodel: gpt-4.1\n"
EARLIER = {
    "desk.yaml": DESK,
    "old.yaml": DESK.replace("DESK", "OLD"),
    "groups.yaml": GROUPS,
    "template.yaml": "persona: {file: template.j2}\nmodel: gpt-4.1\n",
    "template.j2": "Be {{ 'kind' }}.",
    "types.yaml": TYPES,
    "price.yaml": DESK.replace("DESK", "PRICE"),
    "password.yaml": DESK.replace("DESK", "WORD").replace("127.0.0.1", "me:word-a@127.0.0.1"),
}
LATER = {
    "front.yaml": DESK,
    "inn.yaml": INN,
    "_base.yaml": BASE,
    "groups.yaml": GROUPS.replace("all", "everyone"),
    "template.yaml": EARLIER["template.yaml"],
    "template.j2": "Be kind.",
    "types.yaml": TYPES.replace("1}", "true}"),
    "price.yaml": EARLIER["price.yaml"].replace("/v1}", "/v1, prices: {house-model: {input: 1, output: 2}}}"),
    "password.yaml": EARLIER["password.yaml"].replace("word-a", "word-b"),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The plan of many changes at once, as data."""
    home, there, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("there"), StringIO()
    write(home / "bots", LATER)
    write(there / "bots", EARLIER)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.chdir(home)
        patch.delenv("OPENAI_BASE_URL", raising=False)
        assert main(["plan", "--json", "--against", str(there)]) == 0
    facts = json.loads(out.getvalue())
    return {**facts, "bots": {bot["name"]: bot for bot in facts["bots"]}}


def test_bots_that_come_and_go_are_told_with_what_that_means(many: Any) -> None:
    bots = many["bots"]
    assert {name for name, bot in bots.items() if bot["state"] == "new"} == {"front", "inn"}
    assert {name for name, bot in bots.items() if bot["state"] == "removed"} == {"desk", "old"}
    assert many["summary"] == "2 new, 5 changed, 2 removed"
    assert bots["front"]["consequences"][0].startswith("it has the LINE account of desk: with another name")
    assert bots["inn"]["consequences"] == [
        "its webhook …/line/inn must be set in LINE: `botkit webhook set inn` once it is deployed"
    ]
    assert bots["old"]["consequences"] == [
        "webhooks to …/line/old will be answered 401, and what people write is lost; switch its webhook off in LINE",
        "its conversations stay in the table until they expire (30d), where `botkit forget` no longer reaches them",
    ]
    assert many["needed"] == ["env:INN_SECRET", "env:INN_TOKEN"]
    assert many["freed"] == ["env:OLD_SECRET", "env:OLD_TOKEN"]
    assert (bots["inn"]["old"], bots["inn"]["new"]["tokens"]) == (None, 796)


def test_a_change_that_only_groups_read_is_shown(many: Any) -> None:
    bot = many["bots"]["groups"]
    assert lines(bot, "persona in groups")[1:] == ["-Hello all.", "+Hello everyone."]
    assert options(bot) == {}


def test_a_template_that_says_the_same_is_told_apart(many: Any) -> None:
    bot = many["bots"]["template"]
    assert bot["state"] == "changed"
    assert lines(bot, "template")[1:] == ["-Be {{ 'kind' }}.", "+Be kind."]


def test_a_number_that_becomes_a_word_is_a_change(many: Any) -> None:
    ((old, new),) = options(many["bots"]["types"]).values()
    assert (old, new) == (1, True)
    assert new is True


def test_an_unknown_price_is_none(many: Any) -> None:
    bot = many["bots"]["price"]
    assert (bot["old"]["cost"], bot["new"]["cost"]) == (None, pytest.approx(3.066))


def test_an_address_is_compared_with_its_password_and_shown_without(many: Any) -> None:
    bot = many["bots"]["password"]
    assert (bot["state"], bot["hidden"], bot["options"]) == ("changed", True, [])
    assert "word-" not in json.dumps(many)


def test_a_bot_asked_for_by_name_is_told_alone(planned: Json) -> None:
    new = {"inn.yaml": INN, "_base.yaml": BASE, "wrong.yaml": "model: 1"}
    plan = planned({"desk.yaml": DESK}, new, "desk")
    assert [*plan["bots"]] == ["desk"]
    assert plan["freed"] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            DESK,
            DESK.replace("env:DESK_SECRET", "[env:NEXT, env:DESK_SECRET]"),
            [],
        ),
        (
            DESK,
            DESK.replace("env:DESK_SECRET", "ssm:/desk"),
            [
                "webhooks signed with env:DESK_SECRET will be answered 401; while a secret is being changed keep both "
                "in the list"
            ],
        ),
        (
            DESK.replace("line: {", f"line: {{user_id: U{'0' * 32}, "),
            DESK.replace("line: {", f"line: {{user_id: U{'1' * 32}, "),
            [
                "another LINE account: set its webhook …/line/desk; for another provider's account LINE gives people "
                "other ids, and conversations begin anew"
            ],
        ),
        (
            DESK,
            DESK.partition("\n")[2],
            ["without `line` webhooks to …/line/desk will be answered 401, and what people write is lost"],
        ),
        (
            DESK,
            DESK + "pipeline: [reply, groups, persona, model]\n",
            ["without `history` it knows nothing of what was said before"],
        ),
        (
            DESK,
            DESK.replace("9/v1", "9/v1, context_tokens: 4000"),
            ["the context window is 8,192 → 4,000 tokens"],
        ),
    ],
)
def test_what_follows_from_a_change_is_said(there: Path, old: str, new: str, said: list[str]) -> None:
    before = describe(write(there / "old", {"desk.yaml": old}), {}, together=False)
    after = describe(write(there / "new", {"desk.yaml": new}), {}, together=True)
    (bot,) = compare("another", before, after).bots
    assert bot.state == "changed"
    assert list(bot.consequences) == said


# ---------------------------------------------------------------- steps of one's own


@pytest.fixture
def _here_is_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where a project is installed for editing."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))


@pytest.mark.usefixtures("_here_is_on_the_path")
def test_two_versions_of_a_step_are_never_mixed(planned: Json) -> None:
    old = {"__init__.py": "", "own.yaml": OWN, "steps/hours.py": HOURS, "steps/words.py": "CLOSED = 'closed'\n"}
    hours = HOURS.replace("opens: int = 9", "opens: int = 8\n    closes: int = 18")
    new = {"own.yaml": OWN, "steps/hours.py": hours.replace("words", "texts"), "steps/texts.py": "CLOSED = 'shut'\n"}
    new["__init__.py"] = ""
    bot = planned(old, new)["bots"]["own"]
    assert options(bot) == {
        "bots.steps.hours:Hours with.opens": (9, 8),
        "bots.steps.hours:Hours with.closes": (None, 18),
    }
    assert {file["file"]: file["state"] for file in bot["files"]} == {
        "steps/hours.py": "changed",
        "steps/texts.py": "new",
        "steps/words.py": "removed",
    }
    assert "bots.steps.hours" not in sys.modules
    assert not list(Path("bots").rglob("__pycache__"))


@pytest.mark.usefixtures("_here_is_on_the_path")
def test_a_module_that_only_the_other_side_has_is_not_borrowed(planned: Json) -> None:
    new = {"own.yaml": OWN, "steps/hours.py": HOURS, "steps/words.py": "CLOSED = 'closed'\n"}
    old = {name: text for name, text in new.items() if name != "steps/words.py"}
    (problem,) = planned(old, new)["bots"]["own"]["unreadable"]
    assert problem["text"].startswith("pipeline[0].use: `bots.steps.hours` cannot be imported: ModuleNotFoundError")
    assert problem["file"] == "bots/own.yaml"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("import time\ntime.sleep(600)", "was not read within 2 seconds"),
        (
            "import os\nprint('my last words', flush=True)\nos._exit(3)",
            "the process that reads it ended with 3 (my last words)",
        ),
    ],
)
def test_a_step_that_hangs_or_ends_the_process_is_named(
    step: str, told: str, there: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_sides, "PATIENCE", 2 if "sleep" in step else 60)
    write(there / "bots", {"own.yaml": OWN, "steps/hours.py": step})
    write(Path("bots"), {"desk.yaml": DESK})
    assert main(["plan", "--against", str(there)]) == 1
    assert told in " ".join(capsys.readouterr().err.split())


# ---------------------------------------------------------------- what is wrong


def test_a_wrong_file_here_is_reported_as_check_does(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(there / "bots", {"desk.yaml": DESK, "inn.yaml": INN, "_base.yaml": BASE})
    write(Path("bots"), {"desk.yaml": DESK.replace("model:", "modle:"), "inn.yaml": INN, "_base.yaml": BASE})
    assert main(["check", "desk"]) == 1
    checked = capsys.readouterr().out.partition("\n\n")[0]
    assert main(["plan", "--against", str(there)]) == 1
    shown = capsys.readouterr()
    assert checked in shown.err
    assert "desk  wrong, so it cannot be deployed" in shown.out
    assert shown.out.endswith("1 unchanged, 1 wrong\n")


def test_two_bots_with_one_account_here_are_wrong(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(there / "bots", {"desk.yaml": DESK})
    write(Path("bots"), {"desk.yaml": DESK, "front.yaml": DESK})
    assert main(["plan", "--against", str(there)]) == 1
    assert "is the same as in front.yaml" in capsys.readouterr().err


def test_what_this_version_cannot_read_is_compared_as_text(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = DESK.replace("env:DESK_SECRET", "a-literal-secret").replace("desk.", "desk. \\e[2J") + "gone_option: 1\n"
    write(there / "bots", {"desk.yaml": old})
    write(Path("bots"), {"desk.yaml": DESK})
    assert main(["plan", "--against", str(there)]) == 0
    out = capsys.readouterr().out
    assert "the earlier file cannot be read by this version, so the two are compared as texts\n" in out
    assert "    bots/desk.yaml:4:1: gone_option: unknown option" in out
    assert "    - gone_option: 1\n" in out
    assert "DESK_SECRET must be given a value" in out
    assert "DESK_TOKEN must be given" not in out
    assert "a-literal-secret" not in out


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("api_key: abc", "api_key: (not shown)"),
        ("api_key: env:KEY # mine", "api_key: env:KEY # mine"),
        (
            "line:\n  channel_secret:\n  - abc\n  - def\n  user_id: U1",
            "line:\n  channel_secret: (not shown)\n  user_id: U1",
        ),
        ('line: {"channel_secret": "abc", user_id: U1}', 'line: {"channel_secret: (not shown)'),
        ("channel_secret: [env:A, 'env:B']", "channel_secret: [env:A, 'env:B']"),
        ("base_url: https://me:word@host/v1?key=abc", "base_url: https://…@host/v1?…"),
    ],
)
def test_a_literal_secret_is_masked(text: str, left: str) -> None:
    assert masked(text) == left


def test_what_would_steer_a_terminal_is_spelled_out(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(there / "bots", {"a.yaml": 'persona: "Hi \\e]0;x"\nmodel: gpt-4.1\ndescription: "\\u202e"\n'})
    write(Path("bots"), {"a.yaml": "persona: Hi\nmodel: gpt-4.1\n"})
    assert main(["plan", "--against", str(there)]) == 0
    out = capsys.readouterr().out
    assert "    - Hi \\x1b]0;x\n" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_name_that_nobody_bears_is_misuse(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(there / "bots", {"desk.yaml": DESK})
    write(Path("bots"), {"inn.yaml": INN, "_base.yaml": BASE})
    assert main(["plan", "desk", "inm", "--against", str(there)]) == 2
    assert "there is no such bot; did you mean `inn`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("against", "told"), [("../nowhere", "../nowhere holds no bots"), ("note", "note holds no bots")]
)
def test_nothing_to_compare_with_is_told(against: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bots"), {"desk.yaml": DESK})
    Path("note").mkdir()
    assert main(["plan", "--against", against]) == 1
    assert told in capsys.readouterr().err


def test_without_bots_here_nothing_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 1
    assert "there is no folder bots" in capsys.readouterr().err


# ---------------------------------------------------------------- packages


def test_a_package_is_compared_like_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors = Path(botkit.__file__).with_name("errors.py").read_text()
    files = {
        "handler.py": "",
        "bots/own.yaml": OWN,
        "bots/steps/hours.py": HOURS,
        "bots/steps/words.py": "CLOSED = 'closed'\n",
        "botkit/errors.py": errors,
        "botkit/messages.py": "# of another version\n",
    }
    # Bytecode that need not be of the source beside it, as packages hold it (PEP 552, unchecked).
    write(tmp_path, {"other.py": HOURS.replace("opens: int = 9", "opens: int = 7")})
    compiled = tmp_path / "other.pyc"
    py_compile.compile(str(tmp_path / "other.py"), str(compiled), invalidation_mode=UNCHECKED)
    zipped = package(tmp_path / "botkit.zip", files)
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.write(compiled, cache_from_source("bots/steps/hours.py"))
    write(Path("bots"), {"own.yaml": OWN, "steps/hours.py": HOURS, "steps/words.py": "CLOSED = 'shut'\n"})
    assert main(["plan", "--json", "--against", str(zipped)]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert options(plan["bots"][0]) == {}
    assert plan["bots"][0]["files"] == [{"file": "steps/words.py", "state": "changed"}]
    assert plan["core"] == 1


def link(archive: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("bots/persona.j2")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(member, "/etc/passwd")


HOSTILE: dict[str, tuple[Callable[[zipfile.ZipFile], None], str]] = {
    "climbs": (lambda archive: archive.writestr("bots/../../out.yaml", "x"), "may lead out of it"),
    "backslash": (lambda archive: archive.writestr("bots/..\\..\\out.yaml", "x"), "may lead out of it"),
    "link": (link, "may lead out of it"),
    "many": (lambda archive: [archive.writestr(f"bots/{n}.yaml", "") for n in range(4)][:0], "more than 3 files"),
    "large": (lambda archive: archive.writestr("bots/a.yaml", " " * 2000), "more than 1,000 bytes"),
    "clash": (lambda archive: [archive.writestr(f"bots/{n}", "") for n in ("a", "a/b")][:0], "cannot be unpacked"),
    "no bots": (lambda archive: archive.writestr("a.yaml", "x"), "holds no folder bots/"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_zip_that_is_no_package_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botkit.deploy.unpack.MAX_FILES", 3)
    monkeypatch.setattr("botkit.deploy.unpack.MAX_BYTES", 1000)
    fill, told = HOSTILE[kind]
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    write(Path("bots"), {"desk.yaml": DESK})
    before = set(tmp_path.rglob("*"))
    assert main(["plan", "--against", str(tmp_path / "p.zip")]) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert set(tmp_path.rglob("*")) == before


def test_a_zip_that_is_broken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bots"), {"desk.yaml": DESK})
    whole = package(tmp_path / "p.zip", {"bots/desk.yaml": DESK}).read_bytes()
    for broken in (b"", whole[:-30], whole.replace(b"at the desk", b"at the dusk", 1)):
        (tmp_path / "p.zip").write_bytes(broken)
        assert main(["plan", "--against", str(tmp_path / "p.zip")]) == 1
        assert "cannot be unpacked" in " ".join(capsys.readouterr().err.split())


# ---------------------------------------------------------------- a stack


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": aws_endpoint}.items():
        monkeypatch.setenv(name, value)


def stack_of(name: str, zip_file: Path, base_url: str = "") -> Callable[[], None]:
    """A stack that runs on this package, as `botkit deploy` leaves one; what is returned takes the package away."""
    session = open_session(os.environ)
    bucket = bucket_of(session, caller(session))
    if not bucket.exists():
        bucket.make()
    key = key_of(name, sha256(zip_file.read_bytes()).hexdigest())
    bucket.put(key, zip_file, bool)
    code = {"S3Bucket": bucket.name, "S3Key": key}
    template = {
        "Metadata": {"botkit": {"bots": ["desk"]}},
        "Parameters": {"OpenaiBaseUrl": {"Type": "String", "Default": base_url}},
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Door": {"Type": "AWS::Lambda::Function", "Condition": "Never", "Properties": {"Code": code}},
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
    }
    cloud = client(session, "cloudformation")
    cloud.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloud.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return lambda: bucket.drop(key)


@pytest.mark.usefixtures("aws")
def test_what_a_stack_runs_is_taken_from_its_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = "persona: {}.\nmodel: gpt-4.1\n"
    files = {"bots/own.yaml": OWN, "bots/steps/hours.py": HOURS, "bots/steps/words.py": "CLOSED = 'closed'\n"}
    deployed = package(tmp_path / "p.zip", {**files, "bots/a.yaml": model.format("Be kind"), "bots/gone.yaml": DESK})
    drop = stack_of("inn", deployed, "http://127.0.0.1:9/v1")
    Path(".env").write_text("OPENAI_BASE_URL=https://api.openai.com/v1\n")
    write(Path("bots"), {name.removeprefix("bots/"): text for name, text in files.items()})
    write(Path("bots"), {"a.yaml": model.format("Be brief")})
    assert main(["plan", "--stack", "inn"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("compared with the stack inn in us-east-1\n")
    assert "    - Be kind.\n    + Be brief.\n" in out
    assert "1,000 messages    unknown → 6.93 USD\n" in out
    assert out.endswith("1 changed, 1 removed, 1 unchanged\n")
    Path(".env").unlink()
    assert main(["plan", "--stack", "inn", "--json"]) == 0
    (costs,) = [(bot["old"]["cost"], bot["new"]["cost"]) for bot in json.loads(capsys.readouterr().out)["bots"][:1]]
    assert costs == (None, None)
    drop()
    assert main(["plan", "--stack", "inn"]) == 1
    assert "the package of the stack inn is gone" in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("aws")
def test_without_a_stack_every_bot_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bots"), {"desk.yaml": DESK})
    assert main(["plan", "--stack", "never"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("compared with nothing: there is no such stack yet\n")
    assert "! DESK_SECRET must be given a value where you deploy: in the environment or in .env\n" in out
    assert out.endswith("1 new\n")


@pytest.mark.usefixtures("aws")
def test_no_secret_is_asked_for_that_is_at_hand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("bots"), {"desk.yaml": DESK})
    monkeypatch.setenv("DESK_SECRET", "s")
    Path(".env").write_text("DESK_TOKEN=t\n")
    assert main(["plan", "--stack", "never"]) == 0
    out = capsys.readouterr().out
    assert "OPENAI_API_KEY must be given a value" in out
    assert "DESK_" not in out


# ---------------------------------------------------------------- in a few lines


def test_the_summary_has_a_line_for_each_bot_that_changes(there: Path) -> None:
    inn = INN.replace("kind.", "brief.").replace("{window: 4, keep: 30d}", "{window: 6, max_tokens: 9, keep: 1h}")
    inn += "description: An inn\n"
    old = write(there / "old", {"inn.yaml": INN, "_base.yaml": BASE, "gone.yaml": DESK, "same.yaml": SAME})
    new = write(there / "new", {"inn.yaml": inn, "_base.yaml": BASE, "desk.yaml": DESK, "same.yaml": SAME})
    before, after = describe(old, dict(os.environ), together=False), describe(new, dict(os.environ), together=True)
    assert summary(compare("the stack botkit", before, after)) == [
        "desk: new; 2,866 tokens a turn; 1,000 messages unknown",
        "gone: removed",
        "inn: changed; persona +1 −1 lines; description, history.window, history.max_tokens and 1 more option; "
        "796 → 285 tokens a turn; 1,000 messages 0.56 → 0.35 USD (−37%)",
        "1 new, 1 changed, 1 removed, 1 unchanged (compared with the stack botkit)",
    ]
