"""Write the file of a new bot, with an example of everything that it may say, and a first test of it.

example:
  botkit new night-desk
  botkit new night-desk --persona "You are the night desk of a small inn. Answer briefly."
  botkit new tutor --model gpt-4o-mini
"""

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from shutil import which
from tempfile import TemporaryDirectory

import yaml
from rich.console import Console
from rich.text import Text

from botkit.cli.folder import bots_folder
from botkit.errors import BotkitError
from botkit.scenarios.file.loader import SUFFIX
from botkit.spec.files import bot_files, name_fault
from botkit.spec.loader import load_file
from botkit.steps import STEPS

SCHEMA = "../docs/bot-file.schema.json"
TESTS_SCHEMA = "../docs/test-file.schema.json"

PERSONA = """\
You are {{ bot.name }}, a friendly assistant in a chat app.
Answer briefly, in the language of the question.
"""

# A line of prose begins with `# `, an example with `#` alone: take that away, and it counts.
TEMPLATE = """\
# A bot on LINE. Everything but persona and model may be left out. To use an example, take away its #.
# All options are explained by: botkit schema --markdown

# Who the bot is. {{ user.name }}, {{ chat.name }}, {{ today }} and more are filled in for each message.
%(persona)s
# Which model speaks for it.
model:
  %(model)s
  # From 0 (sober) to 2 (wild).
  #temperature: 0.7
  # The longest answer, in tokens.
  #max_output_tokens: 400
  # Models to ask in turn when this one fails.
  #fallback: [gpt-4.1-nano, gpt-4o-mini]
  # A server of your own, if it speaks as OpenAI's does.
  #base_url: http://127.0.0.1:11434/v1

# Shown in listings.
#description: Answers at night

# For {{ now }} and {{ today }}.
#timezone: Asia/Tokyo

# The LINE account, as LINE's console shows it under Basic settings: the channel's ID is written here, its secret is put
# into this environment variable, never in here. No access token is needed: LINE issues one whenever the bot speaks.
#line:
#  channel_id: "2001234567"
#  channel_secret: env:%(variable)s_CHANNEL_SECRET

# How many of the newest messages go to the model, and how long they are stored. In a group chat each person has a
# conversation of their own (scope: user), or all share one (scope: group).
#history:
#  window: 20
#  scope: user
#  keep: 24h

# In group chats it answers when it is mentioned, quoted, or called by one of these names. Where all share one
# conversation (scope: group) it can overhear what is said to others, to know what the talk is about.
#groups:
#  names: [%(called)s]
#  overhear: 0

# What is said when somebody adds the bot as a friend, invites it into a group, or taps a button with this data;
# templates like the persona. `ask: model` lets the model find the words.
#events:
#  follow: Welcome{%% if user.name %%}, {{ user.name }}{%% endif %%}!
#  join: {ask: model}
#  postback: {"menu=*": Here is the menu.}

# Messages that are orders; the whole message must be one of these words.
#commands:
#  reset: [/reset, start again]
#  help: [/help]

# How much one person, one group and all together may ask, and what is said then, once.
#limits:
#  user: {messages: 20/min, tokens: 100k/day}
#  bot: {cost: 30 USD/month}
#  notice: That is all for today; see you tomorrow.

# Photos are seen, voice messages written down, by default.
#media:
#  image: see
#  audio: transcribe
#  video: refuse

# Checks what is said and answered, by OpenAI's moderation.
#moderation:
#  input: refuse
#  notice: I cannot talk about that.

# What is under each answer to be tapped, who it is from, what happens when it takes longer than LINE's free minute,
# how many messages a month may be pushed (LINE charges for them), and what is said when there is no answer.
#reply:
#  quick_replies: [What can you do?, Thank you]
#  sender: {name: %(sender)s}
#  markdown: flex
#  slow: button
#  push: 200
#  error: Sorry, something went wrong. Please try again.

# The steps from a message to its answer, to leave one out or to add your own.
#pipeline: [%(pipeline)s]
"""

TESTS = """\
# Conversations that must go on working. Run them with: botkit test %(name)s
# All that may stand here is explained by: botkit schema --tests --markdown

- name: answers, and remembers what was said
  turns:
    - hana: Hello! I am Hana.
      model: Nice to meet you!  # what the model is made to say: that costs nothing, and needs no key
      expect: {contains: nice to meet you, via: reply, messages: 1}
    - hana: What is my name?
      model: You are Hana.
      expect: {prompt_has: I am Hana}
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="the bot's name: up to 32 of a-z, 0-9 and -")
    parser.add_argument("--persona", metavar="TEXT", default=PERSONA, help="who the bot is; a template")
    parser.add_argument("--model", metavar="NAME", default="gpt-4.1-mini", help="which model speaks for it")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Write the file and say what to do next. Raises BotkitError where it cannot be, or would not be a good bot."""
    folder = bots_folder(environ)
    _check_name(options.name, folder)
    path = folder / f"{options.name}.yaml"
    content = _with_schema(folder, SCHEMA, bot_file(options.name, options.persona, options.model))
    _try(path, content)
    _write(path, content)
    _write_tests(path, _with_schema(folder, TESTS_SCHEMA, TESTS % {"name": options.name}))
    _say_next(Console(highlight=False, emoji=False), path)
    return 0


def bot_file(name: str, persona: str, model: str) -> str:
    """The text of a new bot's file."""
    variable = name.upper().replace("-", "_")
    # Other ends of lines than \n, and spaces before them, would force the text into quotes and escapes.
    lines = [line.rstrip() for line in persona.strip().splitlines()]
    return TEMPLATE % {
        "persona": _entry("persona", "".join(f"{line}\n" for line in lines)),
        "model": _entry("name", model.strip()).rstrip(),
        # An environment variable's name cannot begin with a digit.
        "variable": f"BOT_{variable}" if variable[0].isdigit() else variable,
        "called": _scalar(name),
        "sender": _scalar(name[:20]),  # LINE: the sender's name has 20 characters at most
        "pipeline": ", ".join(STEPS),
    }


def _with_schema(folder: Path, schema: str, content: str) -> str:
    """The text of a file, with what tells editors of its schema, where that is."""
    is_there = (folder.absolute().parent / schema.removeprefix("../")).is_file()
    return f"# yaml-language-server: $schema={schema}\n{content}" if is_there else content


def _entry(key: str, text: str) -> str:
    """`key: text` as YAML, a text that ends its line as a block if it can be one."""
    style = "|" if text.endswith("\n") else None
    value = yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)
    mapping = yaml.MappingNode("tag:yaml.org,2002:map", [(yaml.ScalarNode("tag:yaml.org,2002:str", key), value)])
    return yaml.serialize(mapping, allow_unicode=True, width=10**6)


def _scalar(text: str) -> str:
    """`text` as it may stand in a flow list: a name such as `007` or `null` needs quotes."""
    return _entry("_", text).removeprefix("_: ").rstrip()


def _check_name(name: str, folder: Path) -> None:
    if fault := name_fault(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")
        raise BotkitError(f"{fault}, such as {near or 'night-desk'}")
    if taken := next((path for path in bot_files(folder) if path.stem == name), None):
        raise BotkitError(f"{taken} is there already; choose another name, or talk to it: {_program()} chat {name}")


def _try(path: Path, content: str) -> None:
    """Load the file in another place first, so that a persona that is wrong leaves nothing behind."""
    with TemporaryDirectory() as elsewhere:
        draft = Path(elsewhere, path.name)
        draft.write_text(content, "utf-8")
        _, problems = load_file(draft)
    if problems:
        raise BotkitError(f"{path} is not written: {'; '.join(problem.text for problem in problems)}")


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except OSError as error:
        raise BotkitError(f"{path} cannot be written: {error.strerror}; check the folder") from error


def _write_tests(path: Path, content: str) -> None:
    """The bot's test file, unless there is one from before; without it, the bot is not left behind either."""
    tests = path.with_name(f"{path.stem}{SUFFIX}")
    if tests.exists():
        return
    try:
        _write(tests, content)
    except BotkitError:
        path.unlink()
        raise


def _say_next(console: Console, path: Path) -> None:
    name, program = path.stem, _program()
    console.print(Text.assemble((f"{path}", "bold green"), " is written. Edit it, and talk to it:\n"), soft_wrap=True)
    for command, meaning in (
        (f"{program} dev", "on a page like LINE, without an account or a key; where that is open, it is there now"),
        (f"{program} chat {name}", "in the terminal"),
        (f"{program} check {name}", "is the file right?"),
        (f"{program} test {name}", f"does it do what {name}{SUFFIX} expects?"),
    ):
        console.print(Text.assemble("  ", (f"{command:<28}", "bold"), (f"  {meaning}", "dim")), soft_wrap=True)


def _program() -> str:
    """How this command was called, to be typed again: `botkit` where the shell finds it."""
    called = Path(sys.argv[0]).absolute()
    if called.parts[-2:] == ("botkit", "__main__.py"):
        return f"{_typed(Path(sys.executable))} -m botkit"
    found = which(called.name)
    if called.stem != "botkit" or (found and Path(found).absolute() == called):
        return "botkit"
    return _typed(called)


def _typed(program: Path) -> str:
    here = Path.cwd()
    return quote(str(program.relative_to(here) if program.is_relative_to(here) else program))
