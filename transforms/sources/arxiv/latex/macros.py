"""Definitions of a paper, collected and expanded in place, with arguments and optional ones.

    \\newcommand \\renewcommand \\providecommand \\DeclareRobustCommand \\NewDocumentCommand (m, o, O)
    \\def \\gdef \\edef \\xdef (undelimited parameters)  \\let  \\DeclareMathOperator  \\newenvironment  \\newtheorem

One pass from left to right, as TeX: a definition holds from where it is made. A definition that programs (\\if...,
\\csname, internal commands) is not expanded; its uses are read as unknown commands. Commands that `convert` reads are
never redefined. Expansion is bounded in depth, number and size: what is beyond goes, and is counted. RedPajama expanded
definitions without arguments alone, and only those that end at a line's end without a brace.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from transforms.sources.arxiv.latex.arguments import group_end, optional, required, skip_blanks
from transforms.sources.arxiv.latex.symbols import KNOWN

MAX_EXPANSIONS: Final = 100_000
MAX_DEPTH: Final = 200  # of replacements within replacements
MAX_GROWTH: Final = 1 << 20  # characters that replacements may add, and eight times the text's own
MAX_BODY: Final = 1 << 16
MAX_MODES: Final = 4096  # characters of a body in which \\ifmmode is looked for

_TOKEN: Final = re.compile(r"\\(?:([A-Za-z@]+)(\*?)|.)|\$\$?", re.DOTALL)
_NAME: Final = re.compile(r"\s*(?:\{\s*\\([A-Za-z@]+|.)\s*\}|\\([A-Za-z@]+|.))", re.DOTALL)
_PARAMETERS: Final = re.compile(r"((?:#\d)*)\s*(?=\{)")
_PROGRAM: Final = re.compile(
    r"\\(?:csname|expandafter|if(?!mmode)[A-Za-z@]*|loop|futurelet|catcode|afterassignment|begingroup|write|read|the|romannumeral|"
    r"number|global|advance|newif|setbox|hbox|vbox|vtop|halign|def|edef|gdef|let|makeatletter|[A-Za-z]*@[A-Za-z@]*)(?![A-Za-z@])"
)
_PARAMETER: Final = re.compile(r"#(#|[1-9])")
_MODE: Final = re.compile(r"\\ifmmode(?![A-Za-z])\s*(.*?)(?:\\else(?![A-Za-z])\s*(.*?))?\\fi(?![A-Za-z])", re.DOTALL)
_ENSURED: Final = re.compile(r"\\ensuremath(?![A-Za-z])\s*")
_ENDS_IN_WORD: Final = re.compile(r"\\[A-Za-z@]+\Z")
_NO_SPACE_BEFORE: Final = re.compile(r"[\s.,;:!?')\]{}/~-]|\\[ /]|\\footnote")

_NEW: Final = frozenset(
    ("newcommand", "renewcommand", "providecommand", "DeclareRobustCommand", "newrobustcmd", "renewrobustcmd")
)
_DOCUMENT: Final = frozenset(
    ("NewDocumentCommand", "RenewDocumentCommand", "ProvideDocumentCommand", "DeclareDocumentCommand")
)
_DEF: Final = frozenset(("def", "gdef", "edef", "xdef"))
_MATH_ENVIRONMENTS: Final = frozenset(
    (
        "math",
        "displaymath",
        "equation",
        "eqnarray",
        "align",
        "alignat",
        "flalign",
        "gather",
        "multline",
        "dmath",
        "subequations",
    )
)


@dataclass(frozen=True, slots=True)
class Macro:
    """A definition. `optionals` are the defaults of the first parameters, which stand in brackets; None: '' then."""

    n_arguments: int
    body: str
    optionals: tuple[str, ...] = ()
    is_alias: bool = False  # of a command that is no macro: its body is not looked at again


@dataclass(slots=True)
class _Frame:
    text: str
    at: int = 0


class Expander:
    """Expands the definitions of one paper. `theorems` are the names of the environments that \\newtheorem declares."""

    def __init__(self) -> None:
        self.macros: dict[str, Macro] = {}
        self.environments: dict[str, tuple[Macro, str]] = {}
        self.theorems: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._frames: list[_Frame] = []
        self._out: list[str] = []
        self._in_math = ""
        self._added = self._limit = 0

    def expand(self, text: str) -> str:
        """Return a text in which each definition is taken out and each use of one is replaced."""
        self._frames, self._out, self._in_math = [_Frame(text)], [], ""
        self._added, self._limit = 0, MAX_GROWTH + 8 * len(text)
        while self._frames:
            frame = self._frames[-1]
            token = _TOKEN.search(frame.text, frame.at)
            if token is None:
                self._out.append(frame.text[frame.at :])
                self._frames.pop()
                continue
            self._out.append(frame.text[frame.at : token.start()])
            frame.at = token.end()
            self._take(token, frame)
        return "".join(self._out)

    def _take(self, token: re.Match[str], frame: _Frame) -> None:
        name = token[1]
        if name is None:
            self._toggle(token[0])
            self._out.append(token[0])
            single = self.macros.get(token[0][1:]) if token[0][0] == "\\" else None
            if single is not None:
                self._out.pop()
                self._replace(single, frame)
            return
        if self._defines(name, frame, starred=bool(token[2])):
            return
        if name in ("begin", "end") and self._environment(name, frame):
            return
        if name == "ensuremath":
            found = required(frame.text, frame.at)
            if found is not None:
                frame.at = found[1]
                self._push(found[0] if self._in_math else f"${found[0]}$")
                return
        if name == "xspace":
            self._space()
            return
        macro = self.macros.get(name)
        if macro is None:
            self._out.append(token[0])
            return
        if token[2]:
            frame.at -= 1  # a star behind a macro of the paper's own is text
        self._replace(macro, frame)

    def _defines(self, name: str, frame: _Frame, *, starred: bool) -> bool:
        """Take a definition out, if `name` begins one."""
        if name in _NEW:
            return self._define(frame)
        if name in _DOCUMENT:
            return self._define_document(frame)
        if name in _DEF:
            return self._define_plain(frame)
        if name == "let":
            return self._define_alias(frame)
        if name in ("newenvironment", "renewenvironment"):
            return self._define_environment(frame)
        if name == "DeclareMathOperator":
            return self._define_operator(frame, starred=starred)
        return name == "newtheorem" and self._define_theorem(frame)

    def _space(self) -> None:
        """Add the blank that \\xspace adds before what is no mark: it takes the blanks behind its own name alone."""
        self._frames[-1].at = skip_blanks(self._frames[-1].text, self._frames[-1].at)
        for frame in reversed(self._frames):
            if frame.at < len(frame.text):
                if not _NO_SPACE_BEFORE.match(frame.text, frame.at):
                    self._out.append(" ")
                return

    def _toggle(self, sign: str) -> None:
        if sign in ("$", "$$"):
            self._in_math = "" if self._in_math == sign else self._in_math or sign
            if sign == "$$" and self._in_math == "$":
                self._in_math = "$"  # an empty formula within one
        elif sign in ("\\(", "\\["):
            self._in_math = self._in_math or sign
        elif sign in ("\\)", "\\]"):
            self._in_math = ""

    def _replace(self, macro: Macro, frame: _Frame) -> None:
        if macro.is_alias:
            self._out.append(macro.body)
            return
        too_deep = len(self._frames) > MAX_DEPTH
        if too_deep or self.counts["macros_expanded"] >= MAX_EXPANSIONS or self._added > self._limit:
            self.counts["expansion_stopped"] += 1
            return
        arguments = self._arguments(macro, frame)
        if arguments is None:
            self.counts["macros_without_arguments"] += 1
            return
        frame = self._frames[-1]
        if (
            sum(macro.body.count(f"#{n + 1}") * len(given) for n, given in enumerate(arguments))
            > self._limit - self._added
        ):
            self.counts["expansion_stopped"] += 1
            return
        body = _filled(macro.body, arguments) if "#" in macro.body else macro.body
        if "\\ifmmode" in body and len(body) < MAX_MODES:
            body = _MODE.sub(lambda found: found[1] if self._in_math else found[2] or "", body)
        if not macro.n_arguments:
            if frame.text.startswith("{}", frame.at):
                frame.at += 0 if body.endswith("\\xspace") else 2
            else:
                frame.at = skip_blanks(frame.text, frame.at)
                if _ENDS_IN_WORD.search(body) and frame.text[frame.at : frame.at + 1].isalpha():
                    body += " "
        self.counts["macros_expanded"] += 1
        self._push(body)

    def _push(self, text: str) -> None:
        self._added += len(text)
        self._frames.append(_Frame(text))

    def _arguments(self, macro: Macro, frame: _Frame) -> list[str] | None:
        """Read the arguments of a macro, which may lie behind the replacement that it ends."""
        arguments: list[str] = []
        for n in range(macro.n_arguments):
            while frame.at >= len(frame.text) and len(self._frames) > 1:
                self._frames.pop()
                frame = self._frames[-1]
            if n < len(macro.optionals):
                given = optional(frame.text, frame.at)
                arguments.append(given[0] if given else macro.optionals[n])
                frame.at = given[1] if given else frame.at
                continue
            found = required(frame.text, frame.at)
            if found is None:
                return None
            arguments.append(found[0])
            frame.at = found[1]
        return arguments

    def _named(self, frame: _Frame, at: int) -> tuple[str, int] | None:
        if frame.text.startswith("*", at):
            at += 1
        found = _NAME.match(frame.text, at)
        return (found[1] or found[2], found.end()) if found else None

    def _keep(self, name: str, macro: Macro) -> None:
        """Note a definition, unless it is of a command that is read as it is, or programs."""
        if name in KNOWN and name not in self.macros:
            return
        if len(macro.body) > MAX_BODY or _PROGRAM.search(macro.body):
            self.macros.pop(name, None)
            self.counts["definitions_left"] += 1
            return
        self.macros[name] = macro

    def _define(self, frame: _Frame) -> bool:
        named = self._named(frame, frame.at)
        if named is None:
            return False
        name, at = named
        number = optional(frame.text, at)
        at = number[1] if number else at
        default = optional(frame.text, at) if number else None
        at = default[1] if default else at
        body = required(frame.text, at)
        if body is None:
            return False
        digits = number[0].strip() if number else "0"
        n = int(digits) if digits.isdigit() and len(digits) == 1 else 0
        provide = frame.text[max(0, frame.at - 16) : frame.at].rstrip("*").endswith("providecommand")
        if not (provide and name in self.macros):
            self._keep(name, Macro(n, body[0], (default[0],) if default else ()))
        frame.at = body[1]
        return True

    def _define_document(self, frame: _Frame) -> bool:
        named = self._named(frame, frame.at)
        kinds = required(frame.text, named[1]) if named else None
        body = required(frame.text, kinds[1]) if kinds else None
        if named is None or kinds is None or body is None:
            return False
        frame.at = body[1]
        signs = re.findall(r"[mos]|O\s*\{([^{}]*)\}|[^\s{}]", kinds[0])
        letters = re.findall(r"([mos])|(O)\s*\{[^{}]*\}|(\S)", kinds[0])
        kinds_only = "".join(a or b or c for a, b, c in letters)
        leading = re.fullmatch(r"([oO]*)(m*)", kinds_only)
        if leading:
            self._keep(named[0], Macro(len(kinds_only), body[0], tuple(signs[: len(leading[1])])))
        return True

    def _define_plain(self, frame: _Frame) -> bool:
        named = self._named(frame, frame.at)
        if named is None:
            return False
        parameters = _PARAMETERS.match(frame.text, named[1])
        if parameters is None:
            brace = frame.text.find("{", named[1], named[1] + 200)
            end = group_end(frame.text, brace) if brace >= 0 else -1
            if end < 0:
                return False
            frame.at = end  # delimited parameters: the definition goes, its uses are read as unknown commands
            self.counts["definitions_left"] += 1
            return True
        end = group_end(frame.text, parameters.end())
        if end < 0:
            return False
        self._keep(named[0], Macro(len(parameters[1]) // 2, frame.text[parameters.end() + 1 : end - 1]))
        frame.at = end
        return True

    def _define_alias(self, frame: _Frame) -> bool:
        named = self._named(frame, frame.at)
        if named is None:
            return False
        found = re.compile(r"\s*=?\s*(\\(?:[A-Za-z@]+|.)|\S)").match(frame.text, named[1])
        if found is None:
            return False
        frame.at = found.end()
        if named[0] in KNOWN:
            return True
        of = self.macros.get(found[1][1:]) if found[1][0] == "\\" else None
        self.macros[named[0]] = of or Macro(0, found[1] + (" " if found[1][1:].isalpha() else ""), is_alias=True)
        return True

    def _define_operator(self, frame: _Frame, *, starred: bool) -> bool:
        named = self._named(frame, frame.at)
        body = required(frame.text, named[1]) if named else None
        if named is None or body is None:
            return False
        frame.at = body[1]
        if named[0] not in KNOWN:
            operator = "\\operatorname*" if starred else "\\operatorname"
            self.macros[named[0]] = Macro(0, f"{operator}{{{body[0]}}}")
        return True

    def _define_theorem(self, frame: _Frame) -> bool:
        at = frame.at + frame.text.startswith("*", frame.at)
        name = required(frame.text, at)
        numbered = optional(frame.text, name[1]) if name else None
        title = required(frame.text, numbered[1] if numbered else name[1]) if name else None
        if name is None or title is None:
            return False
        within = optional(frame.text, title[1])
        self.theorems[name[0].strip()] = title[0]
        frame.at = within[1] if within else title[1]
        return True

    def _define_environment(self, frame: _Frame) -> bool:
        name = required(frame.text, frame.at + frame.text.startswith("*", frame.at))
        if name is None:
            return False
        number = optional(frame.text, name[1])
        default = optional(frame.text, number[1]) if number else None
        at = default[1] if default else number[1] if number else name[1]
        begin = required(frame.text, at)
        end = required(frame.text, begin[1]) if begin else None
        if begin is None or end is None:
            return False
        frame.at = end[1]
        digits = number[0].strip() if number else "0"
        n = int(digits) if digits.isdigit() and len(digits) == 1 else 0
        programs = (
            _PROGRAM.search(begin[0])
            or _PROGRAM.search(end[0])
            or re.search(r"\\begin\s*\{list\}|\\list(?![A-Za-z])", begin[0])
        )
        if not programs and name[0].strip() not in KNOWN:
            self.environments[name[0].strip()] = (Macro(n, begin[0], (default[0],) if default else ()), end[0])
        return True

    def _environment(self, which: str, frame: _Frame) -> bool:
        """Replace the begin or the end of an environment that the paper defines; note where mathematics begins."""
        found = required(frame.text, frame.at)
        if found is None or frame.text[found[1] - 1] != "}":
            return False
        name = found[0].strip()
        if name not in self.environments:
            if name.rstrip("*") in _MATH_ENVIRONMENTS:
                self._in_math = name if which == "begin" else ""
            return False
        frame.at = found[1]
        macro, end = self.environments[name]
        if which == "end":
            self._replace(Macro(0, end), frame) if end.strip() else None
        else:
            self._replace(macro, frame)
        return True


def _filled(body: str, arguments: list[str]) -> str:
    """Return a body with its arguments in place; a letter behind a command's name must not become part of it."""

    def argument(found: re.Match[str]) -> str:
        if found[1] == "#":
            return "#"
        given = arguments[int(found[1]) - 1] if int(found[1]) <= len(arguments) else ""
        joins = given[:1].isalpha() and _ENDS_IN_WORD.search(body, max(0, found.start() - 60), found.start())
        return f" {given}" if joins else given

    return _PARAMETER.sub(argument, body)
