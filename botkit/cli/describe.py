"""Describe the bots of one folder for `botkit plan`, in a process of its own: `python -m botkit.cli.describe`.

Two versions of a module of the user's own have one name, so only one of them may be imported in a process.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import to_jsonable_python

from botkit.cli.effective import options_of, step_name, without_credentials
from botkit.cli.estimate import Estimate, estimate, sample_persona
from botkit.deploy.description import Description, Takes, write
from botkit.errors import ModelError, Problem, SpecError
from botkit.pipeline import Step
from botkit.spec import document
from botkit.spec.bot import BotSpec
from botkit.spec.files import bot_files
from botkit.spec.inherit import MAX_CHAIN
from botkit.spec.loader import load_folder
from botkit.steps import STEPS
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona
from botkit.steps.prose import SAMPLES

_DEFAULT_KEY = str(Model.model_fields["api_key"].default)

# Options that only a person could have given a literal secret, and what a reference to one looks like.
_SECRET = re.compile(r"\b(?:channel_secret|channel_access_token|api_key)\b")
_REFERENCE = re.compile(r"[\"']?(?:env|ssm|secretsmanager):[^\s,\"'\]}]+[\"']?")


def main(folder: str, output: str, together: str) -> None:
    """Describe the bots of `folder` into the file `output`; `together` ("1"): they must not share an account."""
    bots = Path(folder)
    import_only_from(bots)
    write(describe(bots, os.environ, together=together == "1"), Path(output))


def import_only_from(folder: Path) -> None:
    """Let own steps come from this folder, whatever else bears its name.

    Without an `__init__.py` Python would look for a package in every folder of its path, and put together what
    it finds.
    """
    home = folder.resolve()
    sys.path.insert(0, str(home.parent))
    if not (home / "__init__.py").exists():
        package = ModuleType(home.name)
        package.__path__ = [str(home)]
        sys.modules[home.name] = package


def describe(folder: Path, environ: Mapping[str, str], *, together: bool) -> dict[str, Description]:
    """Every bot of the folder, by name, also those whose files are wrong."""
    loaded = load_folder(folder, together=together)
    found: dict[str, Description] = {}
    for path in bot_files(folder):
        name = path.stem
        if name in loaded.broken:
            found[name] = _unread(path, loaded.broken[name])
            continue
        try:
            found[name] = _described(loaded.bots[name], environ)
        except SpecError as error:
            found[name] = _unread(path, error.problems)
    return found


def _unread(path: Path, problems: tuple[Problem, ...]) -> Description:
    texts = dict(_texts(path))
    # What it names is had already, also by a file that cannot be understood.
    named = dict.fromkeys(one.strip("\"'") for text in texts.values() for one in _REFERENCE.findall(text))
    shown = {name: masked(text) for name, text in texts.items()}
    return Description(file=path.name, texts=shown, problems=problems, secrets=(*named, _DEFAULT_KEY))


def _described(bot: BotSpec, environ: Mapping[str, str]) -> Description:
    persona, history = bot.step(Persona), bot.step(History)
    sample = sample_persona(bot)
    return Description(
        file=bot.file.name,
        texts={name: masked(text) for name, text in _texts(bot.file)},
        options=dict(_options(bot)),
        pipeline=tuple(step_name(step) for step in bot.steps),
        persona=sample,
        in_groups=sample_persona(bot, SAMPLES[1]),
        template=_template(persona, bot.file.parent) if persona else "",
        secrets=bot.secrets,
        channel_secrets=bot.line.channel_secret if bot.line else (),
        keep=history.keep if history else None,
        code=dict(_code(bot)),
        takes=_takes(bot, sample, environ),
        hidden=_hidden(bot),
    )


def _options(bot: BotSpec) -> Iterator[tuple[str, Any]]:
    """What is set, by its path; the persona and the order of the steps are told by themselves."""
    for option in options_of(bot):
        path = option.path
        if option.value is None or option.value == {} or path == ("persona", "text"):
            continue
        if path[0] != "pipeline":
            yield _label(path), option.value
        elif path[2:3] == ("with",) and isinstance(path[1], int):
            # Its number would change with every step that comes or goes before it.
            yield f"{step_name(bot.steps[path[1]])} {_label(path[2:])}", option.value


def _label(path: document.Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _template(persona: Persona, folder: Path) -> str:
    return persona.text if persona.text is not None else (folder / (persona.file or "")).read_text("utf-8-sig")


def _takes(bot: BotSpec, persona: str, environ: Mapping[str, str]) -> Takes | None:
    try:
        found = estimate(bot, persona, environ)
    except ModelError:  # tokens cannot be counted here; `botkit show` says why
        return None
    return _crossing(found) if found else None


def _crossing(found: Estimate) -> Takes:
    return Takes(
        model=found.model,
        window=found.window,
        persona=found.persona,
        history=found.history,
        room=found.room,
        question=found.question,
        answer=found.answer,
        input=found.price and found.price.input,
        output=found.price and found.price.output,
        cost=found.cost,
    )


def _hidden(bot: BotSpec) -> str:
    """A digest of the addresses, of which `options_of` shows no password."""
    facts = [(step_name(step), step) for step in bot.steps]
    return sha256(json.dumps(list(_addresses(to_jsonable_python(facts, fallback=str)))).encode()).hexdigest()


def _addresses(value: Any) -> Iterator[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("base_url"), str):
        yield from (url for url in [value["base_url"]] if without_credentials(url) != url)
    for one in inner:
        yield from _addresses(one)


# ---------------------------------------------------------------- files


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The bot's file and those it extends, as far as they can be had."""
    for _ in range(MAX_CHAIN):
        try:
            content = path.read_bytes()
        except OSError:
            return
        yield path.name, content.decode("utf-8", "replace")
        data = document.read(content, path.name).data
        base = data.get("extends") if isinstance(data, dict) else None
        if not isinstance(base, str) or "/" in base or "\\" in base:
            return
        path = path.with_name(base)


def masked(text: str) -> str:
    """The text of a bot file; where an option for secrets holds more than references, its lines are left out."""
    lines: list[str] = []
    hidden: int | None = None  # the indentation of the option whose value is being left out
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        inside = hidden is not None and (indent > hidden or (indent == hidden and line.lstrip().startswith("- ")))
        if inside or (hidden is not None and not line.strip()):
            continue
        hidden = None
        if match := _SECRET.search(line):
            hidden = None if _is_reference(line[match.end() :]) else indent
            lines.append(line if hidden is None else f"{line[: match.end()]}: (not shown)")
        else:
            lines.append(without_credentials(line) if "://" in line else line)
    return "\n".join(lines)


def _is_reference(value: str) -> bool:
    """Whether what follows a secret's name is nothing but references, and further options for secrets."""
    rest = _SECRET.sub("", _REFERENCE.sub("", value.partition(" #")[0]))
    return _REFERENCE.search(value) is not None and not re.search(r"[^\s:,\[\]{}\"']", rest)


def _code(bot: BotSpec) -> Iterator[tuple[str, str]]:
    """The files of the bot's own steps, and those of the bots folder that they import, each with its SHA-256."""
    folder = bot.file.parent.resolve()
    waiting = [module for step in bot.steps if (module := _own_module(step))]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        path = _path_of(module, folder)
        if module in seen or path is None:
            continue
        seen.add(module)
        content = path.read_bytes()
        yield path.relative_to(folder).as_posix(), sha256(content).hexdigest()
        waiting += _imports(content, module, is_package=path.name == "__init__.py")


def _own_module(step: Step) -> str | None:
    return None if type(step) in STEPS.values() else type(step).__module__


def _path_of(module: str, folder: Path) -> Path | None:
    top, *parts = module.split(".")
    if top != folder.name:
        return None
    stem = folder.joinpath(*parts)
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if parts and path.is_file()), None)


def _imports(content: bytes, module: str, *, is_package: bool) -> Iterator[str]:
    """The modules that a module may import, by their full names."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            around = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            name = ".".join([*around, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


if __name__ == "__main__":
    main(*sys.argv[1:])
