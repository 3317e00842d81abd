"""Just enough C++ reading for the house rules: comments and strings blanked, blocks and functions.

No compiler is asked, so that the rules run in a second and on a tree that does not compile. What the
reader cannot tell (macros that open a block, say) it does not report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      //[^\n]*
    | /\*.*?\*/
    | R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"
    | "(?:\\.|[^"\\\n])*"
    | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'
    """,
    re.VERBOSE | re.DOTALL,
)


def blank(text: str) -> str:
    """Returns `text` with comments and the insides of literals as spaces; newlines stay in place."""

    def replace(match: re.Match[str]) -> str:
        token = match.group(0)
        if token.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    return _TOKEN.sub(replace, text)


@dataclass(frozen=True)
class Function:
    name: str
    line: int  # 1-based, of the line that opens the body
    length: int  # lines from the start of the signature to the closing brace


@dataclass(frozen=True)
class Statement:
    text: str
    line: int
    scope: str  # "namespace", "type" or "function"


_NAMESPACE = re.compile(r"^\s*(?:inline\s+)?(?:namespace|extern)\b")
_TYPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:class|struct|union|enum)\b", re.DOTALL)
_NAME = re.compile(r"(~?[A-Za-z_][\w]*|operator\s*[^\s(]+(?:\(\))?)\s*\(")


class Reader:
    """One pass over blanked text, collecting functions and the statements of each scope."""

    def __init__(self, text: str):
        self._code = _without_preprocessor(blank(text))
        self.functions: list[Function] = []
        self.statements: list[Statement] = []
        self._scope(0, "namespace")

    def _line(self, position: int) -> int:
        return self._code.count("\n", 0, position) + 1

    def _scope(self, position: int, scope: str) -> int:
        """Reads until the brace that closes the scope; returns the position after it."""
        code, start = self._code, position
        while position < len(code):
            character = code[position]
            if character in ";}":
                self._statement(start, position, scope)
                if character == "}":
                    return position + 1
                start = position + 1
            elif character == "(":
                position = self._skip(position)
                continue
            elif character == "{":
                position, start = self._block(start, position, scope)
                continue
            elif character == ":" and re.search(
                r"\b(?:public|private|protected|default|case\s+[\w:]+)\s*$", code[start:position]
            ):
                start = position + 1
            position += 1
        return position

    def _block(self, start: int, position: int, scope: str) -> tuple[int, int]:
        """Handles the `{` at `position` of the statement begun at `start`."""
        header = self._code[start:position]
        if scope == "function":
            after = self._scope(position + 1, scope)
            initialiser = re.search(r"[\w>\]=]\s*$", header) and not re.search(
                r"\b(?:else|do)\s*$", header
            )
            return after, start if initialiser else after
        if _NAMESPACE.match(header):
            after = self._scope(position + 1, "namespace")
            return after, after
        if _TYPE.match(header) and "(" not in header:
            after = self._scope(position + 1, "type")
            return after, start  # `struct {...} name;` is a statement still
        if not _is_function(header):
            return self._skip(position), start  # a braced initialiser: the statement goes on
        after = self._scope(position + 1, "function")
        self._function(start, header, after)
        return after, after

    def _function(self, start: int, header: str, after: int) -> None:
        first = self._line(start + len(header) - len(header.lstrip()))
        name = _NAME.search(header)
        label = name.group(1) if name else "(unnamed)"
        if re.fullmatch(r"[A-Z][A-Z_]{3,}", label):  # TEST(Suite, Name)
            label = " ".join(header.split())
        self.functions.append(Function(label, first, self._line(after - 1) - first + 1))

    def _statement(self, start: int, end: int, scope: str) -> None:
        text = self._code[start:end]
        if text.strip():
            first = start + len(text) - len(text.lstrip())
            self.statements.append(Statement(" ".join(text.split()), self._line(first), scope))

    def _skip(self, position: int) -> int:
        """Returns the position after the bracket that matches the one at `position`."""
        depth = 0
        while position < len(self._code):
            if self._code[position] in "({[":
                depth += 1
            elif self._code[position] in ")}]":
                depth -= 1
                if depth == 0:
                    return position + 1
            position += 1
        return position


def _is_function(header: str) -> bool:
    """True if a `{` after `header`, outside of functions, opens a function's body."""
    if "(" not in header:
        return False
    signature, initialisers = _split_initialisers(header)
    if initialisers:
        return bool(re.search(r"[)}]\s*$", header))
    outside = re.sub(r"operator\s*[^\s\w(]+", "", _without_brackets(signature, "()"))
    return "=" not in re.sub(r"[<>!=]=", "", _without_brackets(outside, "<>"))


def _without_brackets(text: str, brackets: str) -> str:
    kept, depth = [], 0
    for character in text:
        depth += character == brackets[0]
        if depth <= 0:
            kept.append(character)
        depth -= character == brackets[1]
    return "".join(kept)


def _split_initialisers(header: str) -> tuple[str, str]:
    """Splits `Name(arguments) : a_(1), b_{2}` at its colon."""
    match = re.search(r"\)\s*(?:noexcept\s*)?(?<!:):(?!:)", header)
    return (header[: match.end() - 1], header[match.end() :]) if match else (header, "")


def _without_preprocessor(code: str) -> str:
    """Blanks directives with their continuation lines."""
    return re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda match: re.sub(r"[^\n]", " ", match.group(0)),
        code,
        flags=re.MULTILINE,
    )
