"""LaTeX to text: comments, files, definitions, formulas, floats, formatting, on papers written here."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from transforms.sources.arxiv.latex import macros
from transforms.sources.arxiv.latex.paper import Paper, read_paper
from transforms.sources.arxiv.settings import ArxivReadConfig

DATA = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "arxiv" / "astropy-v2"
CONFIG = ArxivReadConfig()
HEAD = "\\documentclass{article}\n"


def read(body: str, preamble: str = "", config: ArxivReadConfig = CONFIG, **files: str) -> Paper:
    main = f"{HEAD}{preamble}\n\\begin{{document}}\n\\section{{S}}\n{body}\n\\end{{document}}\nbehind the end"
    named = {name.replace("__", "."): text.encode() for name, text in files.items()}
    return read_paper({"main.tex": main.encode(), **named}, "main.tex", config)


def text(body: str, preamble: str = "", config: ArxivReadConfig = CONFIG, **files: str) -> str:
    read_text = read(body, preamble, config, **files).text
    assert read_text.startswith("S\n\n") or not read_text
    return read_text.removeprefix("S\n\n")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        # RedPajama's regular expression ate the character before the sign, kept lone signs, and took \% for a comment
        ("one two% comment\nthree", "one twothree"),
        ("one two % comment\nthree", "one two three"),
        ("ends here.%\n\nNext.", "ends here.\n\nNext."),
        ("a\n% whole line\nb", "a b"),
        ("a\n%\n%\nb", "a b"),
        ("50\\% of all % of none", "50% of all"),
        ("a \\\\% comment\nb", "a b"),
        ("a\\\\\\% b", "a % b"),
        ("\\verb|50% of \\x| stays", "50% of \\x stays"),
        ("\\verb*+a%b+ and \\lstinline!x % 2!", "a%b and x % 2"),
        ("\\begin{comment}\nnone\n\\end{comment}some", "some"),
        ("\\iffalse none \\if x \\fi none\\fi some", "some"),
        ("\\iffalse none \\else this \\fi some", "this some"),
        ("text\\endinput none", "text"),
    ],
)
def test_comments(latex: str, expected: str) -> None:
    assert text(latex) == expected


@pytest.mark.parametrize(
    ("preamble", "latex", "expected"),
    [
        (r"\newcommand{\lp}{Laplace}", r"By \lp{} and \lp. \lp\ is", "By Laplace and Laplace. Laplace is"),
        (r"\newcommand{\lp}{Laplace\xspace}", r"By \lp and \lp. \lp{}s", "By Laplace and Laplace. Laplaces"),
        (r"\newcommand{\pk}[1]{\texttt{#1}\xspace}\newcommand{\py}{\pk{Python}}", r"\py is, \py.",
         "Python is, Python."),
        (r"\newcommand{\two}[2]{#2 before #1}", r"\two{b}{a} and \two cd", "a before b and d before c"),
        (r"\newcommand{\opt}[2][x]{#1#2}", r"\opt{y} \opt[z]{y}", "xy zy"),
        (r"\newcommand*\bare{B}", r"\bare", "B"),
        (r"\def\a{A}\def\b#1#2{#2#1}", r"\a\b{x}{y}", "Ayx"),
        (r"\gdef\a{A}\long\def\c#1{<#1>}", r"\a\c{x}", "A<x>"),
        (r"\providecommand{\a}{old}\providecommand{\a}{new}\renewcommand{\a}{newest}", r"\a", "newest"),
        (r"\newcommand{\a}{old}\providecommand{\a}{new}", r"\a", "old"),
        (r"\let\x=\y\newcommand{\y}{Y}", r"a\x b\y", "abY"),
        (r"\newcommand{\y}{Y}\let\x\y\renewcommand{\y}{Z}", r"\x\y", "YZ"),
        (r"\DeclareMathOperator{\rk}{rank}\DeclareMathOperator*{\am}{arg\,max}", r"$\rk A, \am_x$",
         r"$\operatorname{rank}A, \operatorname*{arg\,max}_x$"),
        (r"\newcommand{\R}{\ensuremath{\mathbb{R}}}", r"in \R{} and $x\in\R$", r"in $\mathbb{R}$ and $x\in\mathbb{R}$"),
        (r"\newcommand{\kms}{\ifmmode km\,s^{-1}\else km/s\fi}", r"5 \kms{} or $5\kms$", r"5 km/s or $5km\,s^{-1}$"),
        (r"\newcommand{\be}{\begin{equation}}\newcommand{\ee}{\end{equation}}",
         "so\n\\be x=1 \\label{e} \\ee that", "so\n\n$$x=1$$\n\nthat"),
        (r"\def\beq{\begin{eqnarray}}\def\eeq{\end{eqnarray}}", r"\beq a&=&b\\ c&=&d \eeq",
         r"$$\begin{aligned}a&=b\\ c&=d\end{aligned}$$"),
        (r"\newenvironment{claimed}[1]{\textbf{Claim #1.} }{ Done.}",
         r"\begin{claimed}{2}It holds.\end{claimed}", "Claim 2. It holds. Done."),
        (r"\newtheorem{thm}{Theorem}[section]\newtheorem{lem}[thm]{Lemma}",
         "\\begin{thm}[Gauss]A.\\end{thm}\n\\begin{lem}B.\\end{lem}", "Theorem (Gauss). A.\n\nLemma. B."),
        (r"\NewDocumentCommand{\nd}{O{d} m}{#1-#2}", r"\nd{a} \nd[b]{a}", "d-a b-a"),
        (r"\newcommand{\inner}{i}\newcommand{\outer}[1]{\inner#1\inner}", r"\outer{\outer{x}}", "iiixiii"[1:-1]),
        (r"\newcommand{\endswith}{\emph}", r"\endswith{this} word", "this word"),
        (r"\newcommand{\wraps}{\two}\newcommand{\two}[2]{#2#1}", r"\wraps{a}{b}", "ba"),
        (r"\def\until#1.{<#1>}", r"\until a. b", "a. b"),
        (r"\newcommand{\d}{\mathrm{d}}", r"$\d x$", r"$\mathrm{d}x$"),
        (r"\makeatletter\newcommand{\in@}{x}\def\prog{\@ifnextchar a{b}{c}}\makeatother", r"\prog text", "text"),
    ],
)  # fmt: skip
def test_definitions(preamble: str, latex: str, expected: str) -> None:
    assert text(latex, preamble) == expected


def test_definitions_hold_from_where_they_are_made_and_leave_no_trace() -> None:
    body = "\\newcommand{\\a}{one}\\a\n\n\\renewcommand{\\a}{two}\\a"
    paper = read(body)
    assert paper.text == "S\n\none\n\ntwo"
    assert paper.counts["macros_expanded"] == 2


@pytest.mark.parametrize(
    "preamble",
    [
        r"\def\a{\a x}",
        r"\newcommand{\a}{\b}\newcommand{\b}{\a}",
        r"\newcommand{\a}[1]{\a{#1#1}}",
        "".join(
            f"\\def\\{c}{{\\{d}\\{d}\\{d}\\{d}\\{d}\\{d}\\{d}\\{d}}}"
            for c, d in zip("abcdefghijk", "bcdefghijkl", strict=True)
        ),
    ],
)
def test_recursion_and_blow_up_are_bounded(preamble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macros, "MAX_EXPANSIONS", 5_000)
    started = time.process_time()
    paper = read(r"before \a{x} after", preamble)
    assert time.process_time() - started < 10
    assert paper.text.startswith("S\n\nbefore")
    assert paper.text.endswith("after")
    assert paper.counts["expansion_stopped"] + paper.counts["macros_without_arguments"] > 0
    assert len(paper.text) < 5 << 20


def test_files_in_the_order_in_which_they_are_read() -> None:
    """RedPajama joined them in the order of the tarball."""
    files = {
        "a__tex": "\\subsection{A}\nfrom a \\input{dir/b}",
        "dir/b__tex": "from b",
        "z__tex": "\\subsection{Z}\nfrom z",
    }
    paper = read("\\input{z}\n\\include{a}\n\\input missing \\input{gone.tex}\nlast", **files)
    assert paper.text.split("\n\n") == ["S", "Z", "from z", "A", "from a from b", "last"]
    assert paper.missing == ("missing", "gone.tex")
    assert paper.counts["missing_inputs"] == 2


def test_no_text_is_joined_or_lost_at_the_ends_of_files() -> None:
    files = {f"c{n}__tex": f"first{n} word{n}" for n in range(50)}
    body = "\n".join(f"\\input{{c{n}}}" for n in range(50))
    words = text(body, **files).split()
    assert words == [word for n in range(50) for word in (f"first{n}", f"word{n}")]


def test_files_that_read_each_other_are_refused() -> None:
    paper = read("\\input{a}end", a__tex="a \\input{b}", b__tex="b \\input{a} \\input{main} \\input{b}")
    assert paper.text == "S\n\na b end"
    assert paper.counts["refused_inputs"] == 3
    doubling = {f"f{n}__tex": f"\\input{{f{n + 1}}}\\input{{f{n + 1}}}" for n in range(28)}
    started = time.process_time()
    read("\\input{f0}", f28__tex="x" * 100, **doubling)
    assert time.process_time() - started < 60


def test_a_path_out_of_the_submission_is_missing() -> None:
    paper = read("a \\input{../../etc/passwd} \\input{/etc/hostname} b")
    assert paper.text == "S\n\na b"
    assert len(paper.missing) == 2


def test_subfiles_are_documents_of_their_own() -> None:
    sub = "\\documentclass[main]{subfiles}\\begin{document}\nfrom sub\n\\end{document} none"
    assert text("\\subfile{s}", s__tex=sub) == "from sub"
    assert text("\\import{d/}{s}\\subimport{d}{t}", **{"d/s__tex": "s ", "d/t__tex": "t"}) == "s t"


def test_everything_before_the_first_section_goes_and_the_bibliography() -> None:
    main = (
        HEAD
        + r"""\title{On \emph{Rivers}\thanks{Funded.}}\author{A. Long}
\begin{document}\maketitle
\begin{abstract}We measure.\end{abstract}
Front words.
\section*{Introduction}
Body \cite{a}.
\begin{thebibliography}{9}\bibitem{a} A. Author, Title, 2001.\end{thebibliography}
\appendix
\section{Proofs}
Appended.
\section{References}
\bibliography{refs}
\end{document}"""
    )
    files = {"m.tex": main.encode()}
    paper = read_paper(files, "m.tex", CONFIG)
    assert paper.text == "Introduction\n\nBody.\n\nProofs\n\nAppended."
    assert paper.title == "On Rivers"
    assert [kind for kind, _, _ in paper.blocks.spans()] == ["heading", "paragraph", "heading", "paragraph"]
    whole = ArxivReadConfig(title=True, abstract="keep", appendix="drop")
    assert read_paper(files, "m.tex", whole).text == "On Rivers\n\nWe measure.\n\nIntroduction\n\nBody."
    letter = main.replace("\\section*{Introduction}", "").replace("\\section{Proofs}", "")
    assert read_paper({"m.tex": letter.encode()}, "m.tex", CONFIG).text.startswith("Front words.\n\nBody.")


def test_formulas_are_blocks_and_stay_latex() -> None:
    paper = read(
        "Let $a_1 < b$ and \\(c\\) be so that\n"
        "\\begin{equation}\\label{e}\n  a^2 + \\text{for } b % no\n = c \\nonumber\n\\end{equation}"
        "\n\\begin{align*} x &= 1, \\\\ y &= 2 \\tag{*} \\end{align*} $$z$$ \\[ w. \\] by \\eqref{e} (\\ref{e})."
    )
    spans = [(kind, paper.text[start:end]) for kind, start, end in paper.blocks.spans()]
    assert spans == [
        ("heading", "S"),
        ("paragraph", "Let $a_1 < b$ and $c$ be so that"),
        ("formula", "$$a^2 + \\text{for } b = c$$"),
        ("formula", "$$\\begin{aligned}x &= 1, \\\\ y &= 2\\end{aligned}$$"),
        ("formula", "$$z$$"),
        ("formula", "$$w.$$"),
        ("paragraph", "by (1) (1)."),
    ]
    assert paper.n_formulas == 6


def test_figures_and_tables() -> None:
    body = (
        "Before\n\\begin{figure*}[t]\\includegraphics[width=3cm]{a.png}"
        "\\caption[x]{A \\emph{mill}.}\\label{f}\\end{figure*}\n"
        "after.\n\n\\begin{table}\\caption{Counts}"
        "\\begin{tabular}{l|c}\\hline a & $b$ \\\\ \\hline c \\& d & 2\\\\\\end{tabular}\\end{table}"
        "\\begin{deluxetable}{ll}\\tablehead{\\colhead{Name} & \\colhead{V}}"
        "\\startdata A & 1 \\\\ \\enddata\\end{deluxetable}"
        "\\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture} End."
    )
    assert text(body) == "Before after.\n\nEnd."
    kept = ArxivReadConfig(figures="captions", tables="keep")
    assert text(body, config=kept).split("\n\n") == [
        "A mill.", "Before after.", "Counts", "a\t$b$\nc & d\t2\nName\tV\nA\t1", "End."
    ]  # fmt: skip
    assert "begin" not in text("\\begin{figure} never closed\n\nNext.")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("\\textbf{a} {\\bf b} \\emph{\\textit{c}} {\\it d\\/} \\underline{e}", "a b c d e"),
        (
            'Erd\\H{o}s, G\\"odel, \\\'{e}, \\c c, \\v{s}, na\\"{\\i}ve, \\AA ngstr\\"om, stra\\ss e, \\o{}re',
            "Erdős, Gödel, é, ç, š, naïve, Ångström, straße, øre",
        ),
        ("``quoted'' -- and --- dashes \\ldots{} 5~km, a\\,b, \\S 3", "“quoted” – and — dashes … 5 km, a b, §3"),
        ("\\$5 \\& \\#1 \\_x \\{y\\} \\textbackslash", "$5 & #1 _x {y} \\"),
        ("(a new format; \\citealt{x}) or", "(a new format) or"),
        ("see \\cite{a,b}, and \\citep[see][p.~2]{c} or (e.g. \\cite{d}).", "see, and or."),
        ("in Fig.~\\ref{f} and \\autoref{sec:x}", "in Fig. and Section"),
        ("a\\label{x} b\\footnote{A \\emph{note}.} c", "a b c\n\nA note."),
        ("\\href{http://x.org/a_b}{the page} and \\url{http://y.org/~z}", "the page and http://y.org/~z"),
        ("\\begin{itemize}\\item one\\item[two] three\\end{itemize}", "one\ntwo three"),
        ("\\begin{quote}Said.\\end{quote}", "Said."),
        ("\\textcolor{red}{r} \\colorbox{blue}{b} \\parbox{3cm}{p} \\mbox{m}", "r b p m"),
        ("\\vspace{2cm}a\\hspace*{1em}b\\noindent c\\setcounter{x}{3}", "abc"),
        ("\\unknown[o]{kept} \\other", "kept"),
        ("a\\par b", "a\n\nb"),
        ("\\parindent=0pt a\\hskip 1.5em plus 2pt minus 1pt b\\penalty-100 c \\kern-.5em d", "a bc d"),
        ("\\pdfbookmark[1]{Contents}{toc}\\addcontentsline{toc}{section}{X}a", "a"),
        ("{\\tt\\string\\begin\\{figure\\}} a\\endnote{N.} b", "\\begin{figure} a b\n\nN."),
        (
            "\\SI{3.5}{\\micro\\metre}, \\qty[x=y]{1e-3}{\\kilo\\gram\\per\\cubic\\meter}, "
            "\\num{2 \\pm 1} \\si{m.s^{-1}}",
            "3.5 µm, 1×10^-3 kg/m³, 2±1 m·s^-1",
        ),
        ("\\SI{90}{\\degree} $\\SI{3}{\\metre}$", "90° $\\SI{3}{\\metre}$"),
        ("\\enquote{said} and `said'", "“said” and 'said'"),
        ("note$^{\\ref{x}}$ and $^{\\cite{y}}$.", "note and."),
        ("a~\\cite{x}.", "a."),
        ("{\\small\\begin{center}c\\end{center}}", "c"),
        ("x\\begin{minipage}{3cm}y\\end{minipage}", "x\n\ny"),
    ],
)
def test_formatting(latex: str, expected: str) -> None:
    assert text(latex) == expected


def test_references_are_the_numbers_that_latex_counts() -> None:
    body = r"""\label{one}
\subsection{A}\label{sub}\section*{No number}\section{Two}\label{two}
\begin{figure}\label{early}\caption{F}\label{f1}\end{figure}\begin{table*}\caption{T}\label{t1}\end{table*}
\begin{figure}\caption{F}\label{f2}\end{figure}
\begin{equation}a\label{e1}\end{equation}\begin{equation*}b\end{equation*}
\begin{align}c\label{e2}\\d\nonumber\\e\label{e3}\end{align}
\begin{theorem}\label{thm}G.\end{theorem}
\appendix\section{Three}\label{app}
Sec.~\ref{one}, \ref{sub}, \ref{two}; \autoref{f1}, \cref{f1,f2}, Table~\ref{t1}; \eqref{e1}, \eqref{e2}, \eqref{e3};
Thm.~\ref{thm}, \ref{early}, App.~\ref{app}."""
    said = "Sec. 1, 1.1, 2; Figure 1, Figure 1, 2, Table 1; (1), (2), (3); Thm.,, App. A."
    assert read(body).text.split("\n\n")[-1] == said
    within = read(body, "\\numberwithin{equation}{section}").text.split("\n\n")[-1]
    assert "(2.1), (2.2), (2.3)" in within
    dropped = read(body, config=ArxivReadConfig(references="drop")).text.split("\n\n")[-1]
    assert "1" not in dropped


def test_citations_in_a_sentence_are_what_the_bibliography_calls_them() -> None:
    bbl = "\\begin{thebibliography}{}\\bibitem[{Long \\& Short(2001)}]{ls} X"
    bbl += "\\bibitem[Doe et~al.(1999a)Doe, Roe]{doe} Y\\end{thebibliography}"
    body = "As \\citet{ls} and \\citeauthor{doe} (\\citeyear{doe}) show \\citep{ls}."
    assert text(body, main__bbl=bbl) == "As Long & Short (2001) and Doe et al. (1999a) show."


def test_verbatim_text_is_code_as_it_is() -> None:
    paper = read(
        "Run:\n\\begin{lstlisting}[language=C]\nint a; % no \\comment\n\\begin{figure}\n\\end{lstlisting}\nend"
    )
    assert paper.text == "S\n\nRun:\n\nint a; % no \\comment\n\\begin{figure}\n\nend"
    assert [kind for kind, _, _ in paper.blocks.spans()] == ["heading", "paragraph", "code", "paragraph"]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("utf8", "utf-8"), ("latin1", "latin-1"), ("latin1", "cp1252"), ("ansinew", "cp1252"), ("applemac",
     "mac-roman"), ("latin1", "utf-8"), ("", "latin-1")],
)  # fmt: skip
def test_encodings(declared: str, codec: str) -> None:
    """RedPajama left out what was not UTF-8."""
    preamble = f"\\usepackage[{declared}]{{inputenc}}" if declared else ""
    main = f"{HEAD}{preamble}\\begin{{document}}\\section{{É}}\nÜber naïve Größen.\r\\end{{document}}"
    assert read_paper({"m.tex": main.encode(codec)}, "m.tex", CONFIG).text == "É\n\nÜber naïve Größen."
    russian = main.replace(declared or "x", "cp1251").replace("Über naïve Größen", "Привет")
    if declared == "ansinew":
        assert "Привет" in read_paper({"m.tex": russian.replace("É", "E").encode("cp1251")}, "m.tex", CONFIG).text


def test_definitions_of_a_style_file_of_ones_own() -> None:
    style = "\\ProvidesPackage{mine}\\newcommand{\\hello}[1]{Hello #1}\\RequirePackage{amsmath}"
    assert text("\\hello{you}", "\\usepackage{amsmath, mine}", mine__sty=style) == "Hello you"


def test_a_book_of_fifty_files_with_heavy_definitions() -> None:
    """Each chapter reads sections, whose prose, formulas and theorems are behind definitions within definitions."""
    dice = random.Random(1)
    preamble = r"""
\newcommand{\vect}[1]{\boldsymbol{#1}} \newcommand{\norm}[2][]{\lVert #2 \rVert_{#1}} \DeclareMathOperator{\tr}{tr}
\newcommand{\kw}[1]{\textsf{#1}\xspace} \newcommand{\proj}{\kw{Winnow}} \def\eg{e.g.,\ }
\newenvironment{boxed}[1][Box]{\begin{quote}\textbf{#1:} }{\end{quote}} \newtheorem{thm}{Theorem}
\newcommand{\bea}{\begin{eqnarray}}\newcommand{\eea}{\end{eqnarray}}
\newcommand{\fig}[2]{\begin{figure}\includegraphics{#1}\caption{#2}\end{figure}}
"""
    files, expected = {}, []
    for n in range(49):
        words = " ".join(dice.choice(["river", "mill", "stone", "bridge", "village"]) for _ in range(40))
        deeper = f"\\input{{s{n + 1}}}" if n % 7 < 6 and n < 48 else ""
        files[f"s{n}__tex"] = (
            f"% chapter {n}\n\\subsection{{Part {n}}}\nWord{n} \\proj {words}, \\eg here "
            f"($\\norm[2]{{\\vect{{x}}}}$).%\n\n"
            f"\\fig{{a{n}}}{{Caption {n}}}\n\\begin{{thm}}Claim{n}.\\end{{thm}}\n"
            f"\\bea a_{n} &=& \\tr A \\\\ b &=& 2 \\eea\n\\begin{{boxed}}Note{n}.\\end{{boxed}}\nEnd{n}.\n{deeper}"
        )
        expected.append(n)
    body = "".join(f"\\include{{s{n}}}\n" for n in range(0, 49, 7))
    paper = read(body, preamble, **files)
    for word in ("Word", "Claim", "Note", "End"):
        assert [int(found) for found in re.findall(rf"\b{word}(\d+)\b", paper.text)] == expected
    assert "Winnow" in paper.text
    assert "e.g., here ($\\lVert \\boldsymbol{x} \\rVert_{2}$)." in paper.text
    assert paper.text.count("$$\\begin{aligned}") == 49
    prose = "\n".join(
        paper.text[start:end] for kind, start, end in paper.blocks.spans() if kind not in ("formula", "code")
    )
    assert not re.search(r"\\begin|\\end|\\[A-Za-z]+(?![^$]*\$)|Caption|[{}]", re.sub(r"\$[^$]*\$", "", prose))
    assert paper.missing == ()
    assert paper.counts["figures_removed"] == 49


@pytest.mark.parametrize(
    "attack",
    ["{", "\\x{", "\\x[", "[{", "\\begin{figure}", "\\begin{equation}", "\\begin{verbatim}", "\\iffalse ", "$\\[",
     "\\(", "\\footnote{", "\\section{", "\\verb|", "\\cite[", "(see also ", "(Ref.", "\\item[", "\\newcommand{\\a",
     "\\def\\a#1",
     "\\begin{itemize}",
     "\\'{\\'", "\\left(", "%", "\\begin{tabular}{", "\\caption{"],
)  # fmt: skip
def test_what_is_never_closed_takes_time_in_proportion(attack: str) -> None:
    body = attack * (30_000 // len(attack))
    started = time.process_time()
    read(f"{body} end")
    assert time.process_time() - started < 2


def test_an_argument_that_is_repeated_is_bounded() -> None:
    paper = read(f"\\a{{{'x' * 100_000}}} end", f"\\newcommand{{\\a}}[1]{{{'#1' * 10_000}}}")
    assert paper.counts["expansion_stopped"] == 1
    assert paper.text.endswith("end")


def test_any_bytes_give_some_text() -> None:
    dice = random.Random(7)
    tokens = ["\\begin{", "\\end{", "}", "{", "$", "$$", "\\[", "figure", "equation", "[", "]", "%", "\n",
     "\n\n", "\\newcommand", "\\a",
              "\\def", "#1", "\\input{a}", "\\item", "\\verb|", "&", "\\\\", "text ", "\\section", "\\cite",
               "\x02b0\x03", "é"]  # fmt: skip
    for _ in range(300):
        body = "".join(dice.choice(tokens) for _ in range(60))
        assert isinstance(
            read_paper({"main.tex": (HEAD + body).encode(), "a.tex": body.encode()}, "main.tex", CONFIG).text, str
        )


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the checkout")
def test_a_real_paper() -> None:
    files = {str(path.relative_to(DATA)): path.read_bytes() for path in sorted(DATA.rglob("*")) if path.is_file()}
    paper = read_paper(files, "main.tex", CONFIG)
    assert paper.title.startswith("The Astropy Project: Building an open-science project")
    assert paper.text.startswith("Introduction\n\nAll modern astronomical research makes use of software")
    spans = [(kind, paper.text[start:end]) for kind, start, end in paper.blocks.spans()]
    prose = " ".join(text for kind, text in spans if kind not in ("code", "formula"))
    assert not re.search(r"\\|[{}~]|``|''|\bxspace\b", re.sub(r"\$[^$]*\$", "", prose))
    assert 9_000 < len(paper.text.split()) < 10_500
    assert sum(kind == "heading" for kind, _ in spans) > 50
    assert "(Section 2.5)" in paper.text  # the release cycle is the fifth of its section
