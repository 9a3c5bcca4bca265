"""The language of a file by its name, its first line, and for endings that several languages share by its content.

Names are those of GitHub Linguist. The list has the 60 or so endings that RedPajama-1 keeps and those of The Stack's
larger languages; what is not in it is not known, and left out with its ending as the detail.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from transforms.sources.github.names import extension

_BY_ENDING_TEXT: Final = """
Ada: adb ads
Agda: agda
Assembly: asm s nasm
AsciiDoc: adoc asciidoc
Awk: awk
Batchfile: bat cmd
C: c
C#: cs csx
C++: cpp cc cxx c++ hpp hh hxx h++ tpp ipp
CMake: cmake
CSS: css
CSV: csv tsv
Clojure: clj cljs cljc
CoffeeScript: coffee
Common Lisp: lisp lsp cl
Cuda: cu cuh
D: d
Dart: dart
Dockerfile: dockerfile
Elixir: ex exs
Elm: elm
Emacs Lisp: el
Erlang: erl hrl
F#: fs fsx fsi
Fortran: f f90 f95 f03 f08 for
GLSL: glsl vert frag
Go: go
GraphQL: graphql gql
Groovy: groovy gradle
HCL: tf hcl
HTML: html htm xhtml
Haskell: hs lhs
INI: ini cfg conf properties editorconfig
JSON: json jsonc json5 geojson webmanifest
Java: java
JavaScript: js jsx mjs cjs
Julia: jl
Kotlin: kt kts
Less: less
Lua: lua
Makefile: mk mak
Markdown: md markdown mdx mkd
MATLAB: matlab
Meson: meson
Nim: nim nims
Nix: nix
OCaml: ml mli
Objective-C: mm
PHP: php php3 php4 php5 phtml
Pascal: pas pp dpr
Perl: pl pm
PowerShell: ps1 psm1 psd1
Prolog: pro
Protocol Buffer: proto
Python: py pyi pyw pyx pxd
R: r rmd
Ruby: rb rake gemspec
Rust: rs
SCSS: scss
SQL: sql
SVG: svg
Sass: sass
Scala: scala sc sbt
Scheme: scm ss rkt
Shell: sh bash zsh ksh
Solidity: sol
Stan: stan
Svelte: svelte
Swift: swift
SystemVerilog: sv svh
TOML: toml
Tcl: tcl
TeX: tex sty bib ltx
Terraform: tfvars
Text: txt text log
Thrift: thrift
TypeScript: tsx mts cts
VBScript: vbs
VHDL: vhd vhdl
Verilog: v
Vim Script: vim
Visual Basic .NET: vb
Vue: vue
XML: xml xsd xsl xslt plist csproj vcxproj resx xaml wsdl
YAML: yml yaml
Zig: zig
reStructuredText: rst rest
"""
_BY_ENDING: Final = {
    ending: name
    for line in _BY_ENDING_TEXT.strip().splitlines()
    for name, _, endings in [line.partition(": ")]
    for ending in endings.split()
}
_BY_NAME: Final = {
    "makefile": "Makefile", "gnumakefile": "Makefile", "dockerfile": "Dockerfile", "containerfile": "Dockerfile",
    "cmakelists.txt": "CMake", "gemfile": "Ruby", "rakefile": "Ruby", "vagrantfile": "Ruby", "podfile": "Ruby",
    "jenkinsfile": "Groovy", "build": "Starlark", "build.bazel": "Starlark", "workspace": "Starlark",
    "sconstruct": "Python", "meson.build": "Meson", "justfile": "Just", ".bashrc": "Shell", ".gitignore": "Ignore List",
    ".dockerignore": "Ignore List", ".npmignore": "Ignore List", ".gitattributes": "Git Attributes",
    "readme": "Text", "changelog": "Text", "changes": "Text", "news": "Text", "todo": "Text", "install": "Text",
    "requirements.txt": "Pip Requirements", ".editorconfig": "INI",
}  # fmt: skip
_BY_INTERPRETER: Final = {
    "sh": "Shell", "bash": "Shell", "dash": "Shell", "zsh": "Shell", "ksh": "Shell", "python": "Python",
    "pypy": "Python",
    "perl": "Perl", "ruby": "Ruby", "node": "JavaScript", "nodejs": "JavaScript", "deno": "TypeScript", "php": "PHP",
    "lua": "Lua", "rscript": "R", "awk": "Awk", "gawk": "Awk", "tclsh": "Tcl", "wish": "Tcl", "make": "Makefile",
    "groovy": "Groovy", "julia": "Julia", "escript": "Erlang", "runhaskell": "Haskell", "swift": "Swift",
}  # fmt: skip
_SHEBANG: Final = re.compile(r"#![ \t]*(?:\S*/)?(?:env(?:[ \t]+-\S+)*[ \t]+(?:\w+=\S*[ \t]+)*(?:\S*/)?)?([A-Za-z]+)")

# Endings that several languages share: the first whose pattern is found; the last is the default.
_SHARED: Final[dict[str, tuple[tuple[str, re.Pattern[str] | None], ...]]] = {
    "h": (
        ("Objective-C", re.compile(r"^\s*(?:@interface|@protocol|@property|@end|#import)\b", re.MULTILINE)),
        ("C++", re.compile(
            r"^\s*(?:class|namespace|template\s*<|using\s+\w|public:|private:|protected:)|\bstd::|^\s*#\s*include\s*<(?:vector|string|memory|map|iostream)>",
            re.MULTILINE)),
        ("C", None),
    ),
    "m": (
        ("Objective-C", re.compile(r"^\s*(?:@interface|@implementation|@import|#import|@class)\b", re.MULTILINE)),
        ("Mathematica", re.compile(r"^\s*\(\*|\bBeginPackage\[", re.MULTILINE)),
        ("MATLAB", None),
    ),
    "ts": (("XML", re.compile(r"\A\s*(?:<\?xml|<!DOCTYPE TS|<TS\b)")), ("TypeScript", None)),
    "pl": (
        ("Prolog", re.compile(r"^\s*:-\s*\w|^[a-z]\w*\([^()\n]*\)\s*:-", re.MULTILINE)),
        ("Perl", None),
    ),
    "v": (("Coq", re.compile(r"^\s*(?:Require|Theorem|Lemma|Proof|Qed|Inductive)\b", re.MULTILINE)), ("Verilog", None)),
    "cls": (
        ("TeX", re.compile(r"\\(?:NeedsTeXFormat|ProvidesClass)")),
        ("Apex", re.compile(r"\bclass\s+\w+\s*\{")),
        ("Visual Basic", None),
    ),
    "inc": (
        ("PHP", re.compile(r"<\?php")),
        ("C++", re.compile(r"^\s*#\s*(?:include|define|if)\b", re.MULTILINE)),
        ("Text", None),
    ),
    "ml": (("OCaml", None),),
    "html": (("HTML", None),),
}  # fmt: skip
PROSE: Final = frozenset({"Markdown", "reStructuredText", "AsciiDoc", "Text"})
DATA: Final = frozenset({"JSON", "YAML", "XML", "CSV", "SVG", "INI", "TOML", "Text"})


def language_of(path: str, head: str) -> str:
    """Return the language of a file, from its path and its first characters; '' when it is not known."""
    name, ending = posixpath.basename(path).lower(), extension(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if ending in _SHARED:
        return next(language for language, sign in _SHARED[ending] if sign is None or sign.search(head))
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    if name.startswith(("dockerfile.", "makefile.")):
        return _BY_NAME[name.partition(".")[0]]
    found = _SHEBANG.match(head)
    return _BY_INTERPRETER.get(found.group(1).lower(), "") if found else ""
