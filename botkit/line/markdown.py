"""A model's Markdown, made into what LINE can show: plain texts, and Flex messages for tables and code."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from botkit.line.flex import code_bubble, table_contents
from botkit.line.text import MOST_MESSAGES, clean, clean_stretches, is_blank, split
from botkit.messages import Flex, Part, Text

_RULE = "―" * 8
_BULLET = "• "
_NOTHING = "–"

# As deep as CommonMark's reference implementations nest; nobody writes deeper by intent.
_DEEPEST = 20
# With more brackets than that it is no prose, and looking for links in it takes seconds; so do tables of more cells.
_MOST_BRACKETS = 2000
_MOST_CELLS = 20_000
_COLUMNS = re.compile(r"^[> ]*[|:-][|: -]*$", re.MULTILINE)
# A table in which headers are repeated for each row is written without them where it would be longer.
_LONGEST_LABELLED = 10_000

_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]{0,20}", re.ASCII)
# From its colon on. It ends before what may close an emphasis or a sentence.
_REST_OF_ADDRESS = re.compile(r"://[!#$%&'()+,\-./0-9:;=?@A-Z_a-z]*[#%&+\-/0-9=A-Za-z]")
_SCHEME = re.compile(r"(?:^|[^A-Za-z0-9])https?\Z", re.IGNORECASE)
# What people write with underlines and do not mean to be bold: names of Python's, and faces such as ^_^.
_SPECIAL_NAME = re.compile(
    r"(?<!\w)__(?:init|main|name|file|all|doc|call|str|repr|len|eq|hash|iter|next|dict|class)__(?!\w)"
)
_FACE = frozenset("^<>-=~;.'`°・")
_LAST_OF_LABEL = frozenset(':.!?"”’')
_WITHOUT_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)|/$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the plain text. Lines with the same `code` are one stretch that is not to be cut; 0: prose."""

    text: str
    code: int = 0


class LineMarkdown:
    """The port `Markdown`, for CommonMark with tables and strikethrough; lives as long as the process.

    Single line breaks are kept, and HTML is text. Safe to use from several threads. Neither method loses
    a word of what Markdown shows, and neither raises, whatever the text.
    """

    def __init__(self) -> None:
        self._parser = _parser()
        self._careful = _parser().disable(["link", "image", "table"])

    def plain(self, text: str) -> tuple[Part, ...]:
        """As a person would write it on LINE: one text without marks, in which code is kept whole. Blank: none."""
        text = clean(text)
        blocks = self._blocks(text)
        if blocks is None:
            return _as_it_is(text)
        return _texts([_lines_of(block) for block in blocks]) or _as_it_is(text)

    def flex(self, text: str) -> tuple[Part, ...]:
        """The same, with tables and code as Flex messages where LINE takes them, in five messages at most."""
        text = clean(text)
        blocks = self._blocks(text)
        if blocks is None:
            return _as_it_is(text)
        shown = [_lines_of(block) for block in blocks]
        bubbles = _bubbles(blocks, shown)
        parts = _assembled(shown, bubbles)
        while _size(parts) > MOST_MESSAGES and bubbles:
            bubbles.popitem()
            parts = _assembled(shown, bubbles)
        return parts or _as_it_is(text)

    def _blocks(self, text: str) -> list[SyntaxTreeNode] | None:
        """The blocks of the text; None where it is nested too deep to be understood."""
        tokens = (self._careful if _is_excessive(text) else self._parser).parse(text)
        if any(token.level >= _DEEPEST - 1 for token in tokens):
            return None
        return list(SyntaxTreeNode(tokens).children)


# ---------------------------------------------------------------- parsing


def _parser() -> MarkdownIt:
    """CommonMark less what would take words away from what people read, and with its blind spots mended."""
    options = {"html": False, "breaks": True, "maxNesting": _DEEPEST}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    # `[1]: https://…` is how models write a list of sources, and would vanish as a definition.
    parser.disable("reference")
    parser.inline.ruler.before("emphasis", "address", _address)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.normalizeLink = _unchanged  # type: ignore[method-assign]  # people read the address, no browser does
    return parser


def _is_excessive(text: str) -> bool:
    columns = max((line[0].count("|") for line in _COLUMNS.finditer(text)), default=0)
    return text.count("[") > _MOST_BRACKETS or columns * text.count("\n") > _MOST_CELLS


def _unchanged(url: str) -> str:
    return url


def _address(state: StateInline, silent: bool) -> bool:
    """A bare web address is text as it stands: `_` and `&` in it mean nothing."""
    if state.src[state.pos] != ":" or not _SCHEME.search(state.src[max(0, state.pos - 6) : state.pos]):
        return False
    rest = _REST_OF_ADDRESS.match(state.src, state.pos, state.posMax)
    if rest is None:
        return False
    if not silent:
        state.append_pending(rest[0])
    state.pos = rest.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's rule for `*` and `_`, with more sense of where stars open and close."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    if name := _SPECIAL_NAME.match(state.src, state.pos, state.posMax):
        state.append_pending(name[0])
        state.pos = name.end()
        return True
    scanned = state.scanDelims(state.pos, marker == "*")
    can_open, can_close = scanned.can_open, scanned.can_close
    before = state.src[state.pos - 1] if state.pos else " "
    end = state.pos + scanned.length
    after = state.src[end] if end < state.posMax else " "
    if marker == "*":
        can_open, can_close = _star(before, after, scanned.length, can_open, can_close)
    elif before in _FACE and after in _FACE:
        can_open = can_close = False
    for _ in range(scanned.length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(Delimiter(ord(marker), scanned.length, len(state.tokens) - 1, -1, can_open, can_close))
    state.pos += scanned.length
    return True


def _star(before: str, after: str, length: int, can_open: bool, can_close: bool) -> tuple[bool, bool]:
    """Whether a run of stars between these characters opens, and whether it closes, an emphasis."""
    if _is_factor(before, ")") and _is_factor(after, "("):
        # 2*3*4, x*(a+b)*y and x**2 + y**2 are products and powers; in **B**ring the second run closes.
        return False, can_close and length > 1
    # CommonMark asks for a space or punctuation outside where there is punctuation inside. Scripts without
    # spaces have none there (**「強調」**です), and models leave it out after a label (**Note:**yes).
    can_open = can_open or (_runs_on(before) and not after.isspace())
    can_close = can_close or (_runs_on(after) and not before.isspace())
    return can_open, can_close or (length == 2 and before in _LAST_OF_LABEL and not after.isspace())


def _is_factor(char: str, bracket: str) -> bool:
    return char == bracket or (char.isascii() and char.isalnum())


def _runs_on(char: str) -> bool:
    """Whether it belongs to a script such as Thai, Chinese, Japanese or Korean, or to its punctuation."""
    return char >= "\u0e00" and not char.isspace()


# ---------------------------------------------------------------- assembling


def _as_it_is(text: str) -> tuple[Part, ...]:
    """The text unchanged: better a mark too many than silence."""
    return () if is_blank(text) else (Text(text),)


def _texts(blocks: Sequence[list[_Line]]) -> tuple[Text, ...]:
    """One text of these blocks, a blank line between them; none where there is nothing to be seen."""
    lines = _joined([block for block in blocks if block], apart=True)
    text, stretches, at = "\n".join(line.text for line in lines), [], 0
    for code, run in groupby(lines, key=lambda line: line.code):
        length = sum(len(line.text) + 1 for line in run)
        if code:
            stretches.append((at, at + length - 1))
        at += length
    # Entities such as &#x202e; are characters only now.
    text, whole = clean_stretches(text, stretches)
    return () if is_blank(text) else (Text(text, whole=whole),)


def _bubbles(blocks: Sequence[SyntaxTreeNode], shown: Sequence[list[_Line]]) -> dict[int, Flex]:
    """By their places, the blocks that are best shown as Flex: as many as there may be messages, the best first.

    Tables come before code, which a bubble makes only prettier, and earlier ones before later ones.
    """
    bubbles: dict[int, Flex] = {}
    for place in sorted(range(len(blocks)), key=lambda place: blocks[place].type != "table"):
        # Of thousands no more are built than can be sent.
        if len(bubbles) == MOST_MESSAGES:
            break
        contents = _contents_of(blocks[place])
        words = _texts([shown[place]]) if contents is not None else ()
        if contents is not None and words:
            bubbles[place] = Flex(words[0].text, contents)
    return bubbles


def _assembled(shown: Sequence[list[_Line]], bubbles: Mapping[int, Flex]) -> tuple[Part, ...]:
    """The parts for blocks as lines, those with a bubble as a message of their own."""
    parts: list[Part] = []
    prose: list[list[_Line]] = []
    for place, lines in enumerate(shown):
        if place in bubbles:
            parts += [*_texts(prose), bubbles[place]]
            prose = []
        else:
            prose.append(lines)
    return (*parts, *_texts(prose))


def _size(parts: Iterable[Part]) -> int:
    """How many messages they are."""
    return sum(
        len(split(part.text, most=MOST_MESSAGES + 1, whole=part.whole)) if isinstance(part, Text) else 1
        for part in parts
    )


def _contents_of(block: SyntaxTreeNode) -> dict[str, object] | None:
    """The Flex contents for a table or code; None for prose, and for what would be too large."""
    if block.type == "table":
        header, *rows = _cells_of(block)
        return table_contents(header, rows)
    if block.type in ("fence", "code_block") and _LANGUAGE.fullmatch(block.info.strip()):
        return code_bubble(clean(block.content.rstrip("\n")))
    return None


# ---------------------------------------------------------------- blocks


def _joined(blocks: Sequence[list[_Line]], *, apart: bool) -> list[_Line]:
    """All lines, with a blank one between the blocks if they are to stand apart."""
    lines: list[_Line] = []
    for block in blocks:
        lines += [_Line("")] * (apart and bool(lines)) + block
    return lines


def _lines_of(block: SyntaxTreeNode) -> list[_Line]:
    """The plain lines of a block; none where nothing of it is shown."""
    return _WRITERS[block.type](block)


def _inline(block: SyntaxTreeNode) -> list[_Line]:
    """A paragraph or heading."""
    text = "".join(_shown(_tokens_of(child)) for child in block.children).strip()
    return [_Line(line) for line in text.split("\n")] if text else []


def _code(block: SyntaxTreeNode) -> list[_Line]:
    """Code as it stands, without its fences; a language's name is no part of it, but other words there are."""
    number = (block.map or (0, 0))[0] + 1
    info = [] if _LANGUAGE.fullmatch(block.info.strip()) else [_Line(block.info.strip())]
    code = block.content.rstrip("\n")
    return info + ([_Line(line, number) for line in code.split("\n")] if code.strip() else [])


def _quote(block: SyntaxTreeNode) -> list[_Line]:
    lines = _joined([_lines_of(child) for child in block.children], apart=True)
    return [_Line(f"> {line.text}".rstrip(), line.code) for line in lines]


def _rule(_block: SyntaxTreeNode) -> list[_Line]:
    return [_Line(_RULE)]


def _bullets(block: SyntaxTreeNode) -> list[_Line]:
    return _list(block, [_BULLET] * len(block.children))


def _numbers(block: SyntaxTreeNode) -> list[_Line]:
    """Numbered as written; where all have the same number, which Markdown allows, they are counted."""
    written = [item.info for item in block.children]
    first = int(written[0] or 1)
    counted = [str(number) for number in range(first, first + len(written))]
    return _list(
        block,
        [
            f"{number}{item.markup} "
            for number, item in zip(counted if len(set(written)) == 1 else written, block.children, strict=True)
        ],
    )


def _list(block: SyntaxTreeNode, marks: Sequence[str]) -> list[_Line]:
    loose = any(child.type == "paragraph" and not child.hidden for item in block.children for child in item.children)
    items = [_item(item, mark) for item, mark in zip(block.children, marks, strict=True)]
    return _joined(items, apart=loose)


def _item(item: SyntaxTreeNode, mark: str) -> list[_Line]:
    """The lines of one entry: the mark before the first, the others below it."""
    lines: list[_Line] = []
    for child in item.children:
        # What belongs to an entry stands close to it, but for further paragraphs.
        apart = lines and child.type == "paragraph" and not child.hidden
        lines += [_Line("")] * bool(apart) + _lines_of(child)
    if not lines:
        # Nothing but a mark is more likely meant as such.
        return [_Line(item.markup if mark == _BULLET else mark.rstrip())]
    indent = " " * len(mark)
    return [
        _Line(((indent if number else mark) + line.text).rstrip() if line.text else "", line.code)
        for number, line in enumerate(lines)
    ]


# ---------------------------------------------------------------- tables


def _cells_of(table: SyntaxTreeNode) -> list[list[str]]:
    """The rows of a table, the header first, each cell on one line."""
    rows = [row for section in table.children for row in section.children]
    return [[clean(" ".join(line.text for line in _inline(cell))) for cell in row.children] for row in rows]


def _table(block: SyntaxTreeNode) -> list[_Line]:
    header, *rows = _cells_of(block)
    labelled = sum(map(len, header)) * len(rows)
    if not rows or len(header) == 1 or labelled > _LONGEST_LABELLED:
        return _filled(" / ".join(filter(None, row)) for row in (header, *rows))
    if len(header) == 2:
        return _filled(": ".join(filter(None, row)) for row in (header, *rows))
    # What stands above the names of the rows, and over columns in which nothing stands.
    idle = [name for place, name in enumerate(header) if name and not (place and any(row[place] for row in rows))]
    return _joined([_filled([" / ".join(idle)]), *(_row(header, row) for row in rows)], apart=True)


def _row(header: Sequence[str], row: Sequence[str]) -> list[_Line]:
    """A row of many columns: its first cell, then the others, each after the name of its column."""
    named = (": ".join(filter(None, pair)) for pair in zip(header[1:], row[1:], strict=True) if pair[1])
    return _filled([row[0] or _NOTHING, *named]) if any(row) else []


def _filled(lines: Iterable[str]) -> list[_Line]:
    return [_Line(line) for line in lines if line]


_WRITERS: dict[str, Callable[[SyntaxTreeNode], list[_Line]]] = {
    "paragraph": _inline,
    "heading": _inline,
    "fence": _code,
    "code_block": _code,
    "blockquote": _quote,
    "hr": _rule,
    "bullet_list": _bullets,
    "ordered_list": _numbers,
    "table": _table,
}


# ---------------------------------------------------------------- within a line


def _tokens_of(inline: SyntaxTreeNode) -> Sequence[Token]:
    return (inline.token.children or ()) if inline.token else ()


def _shown(tokens: Sequence[Token]) -> str:
    """What is read of a paragraph: its words without marks, links with their addresses."""
    written = _Written()
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            written.add("\n")
        elif token.type == "text":
            written.add(_LINE_BREAK_TAG.sub("\n", token.content))
        elif token.type == "link_open":
            written.open(str(token.attrs.get("href", "")))
        elif token.type == "link_close":
            written.close()
        elif token.type == "image":
            written.open(str(token.attrs.get("src", "")))
            written.add(_shown(token.children or ()))
            written.close()
        else:
            written.add(token.content)
    return written.text


class _Written:
    """A line in the making; links are open while their label is written."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._open: list[tuple[int, str]] = []
        self._after_address = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def add(self, piece: str) -> None:
        """Go on with this; an address before it stays apart from letters that would be taken for a part of it."""
        if not piece:
            return
        if self._after_address and (piece[0].isalnum() or piece[0] > "\x7f") and not piece[0].isspace():
            self._pieces.append(" ")
        self._after_address = False
        self._pieces.append(piece)

    def open(self, url: str) -> None:
        self._open.append((len(self._pieces), url))

    def close(self) -> None:
        """Write the address after the label; alone where the label says the same."""
        start, url = self._open.pop()
        label = "".join(self._pieces[start:]).strip()
        if not url:
            return
        del self._pieces[start:]
        if not label or _bare(label) == _bare(url):
            before = self._pieces[-1][-1:] if self._pieces else ""
            self.add(f" {url}" if before and before.isalnum() else url)
        else:
            self.add(f"{label}: {url}")
        self._after_address = True


def _bare(address: str) -> str:
    return _WITHOUT_SCHEME.sub("", address)
