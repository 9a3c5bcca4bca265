"""Commands by name: accents, characters, what has arguments that are no text, what is read in a way of its own."""

from __future__ import annotations

import unicodedata
from typing import Final

ACCENTS: Final = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331", "t": "\u0361",
}  # fmt: skip

CHARACTERS: Final = {
    "ss": "ß", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "l": "ł",
    "L": "Ł", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
    "NG": "Ŋ", "SS": "SS", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "textsterling": "£", "euro": "€",
    "texteuro": "€", "yen": "¥", "dots": "…", "ldots": "…", "textellipsis": "…", "dag": "†", "ddag": "‡",
    "textdagger": "†", "textdaggerdbl": "‡", "textendash": "–", "textemdash": "—", "textquotedblleft": "“",
    "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’", "textbullet": "•", "textdegree": "°",
    "degree": "°", "textregistered": "®", "texttrademark": "™", "textbackslash": "\\", "textasciitilde": "~",
    "textasciicircum": "^", "textbar": "|", "textless": "<", "textgreater": ">", "textunderscore": "_",
    "textmu": "µ", "textperiodcentered": "·", "textpm": "±", "texttimes": "×", "textquotesingle": "'",
    "guillemotleft": "«", "guillemotright": "»", "og": "« ", "fg": " »", "glqq": "„", "grqq": "“",
    "quotedblbase": "„", "quotesinglbase": "‚", "textordfeminine": "ª", "textordmasculine": "º",
    "textexclamdown": "¡", "textquestiondown": "¿", "LaTeX": "LaTeX", "TeX": "TeX", "LaTeXe": "LaTeX2e",
    "BibTeX": "BibTeX", "XeTeX": "XeTeX", "lq": "‘", "rq": "’", "slash": "/", "nobreakspace": " ", "space": " ",
    "quad": " ", "qquad": " ", "enspace": " ", "thinspace": " ", "hfill": " ", "hfil": " ",
    "textvisiblespace": " ", "enskip": " ", "dotfill": " ", "today": "", "colon": ":", "lbrace": "{", "rbrace": "}",
    "AmS": "AMS", "nodata": "", "checkmark": "✓", "cmark": "✓", "xmark": "✗", "ding": "",
}  # fmt: skip

# One character behind the backslash.
SINGLES: Final = {
    "%": "%", "&": "&", "$": "$", "#": "#", "_": "_", "{": "{", "}": "}", " ": " ", ",": " ", ";": " ", ":": " ",
    "!": "", "/": "", "-": "", "@": "", ">": "", "<": "", "+": "", "\n": " ", "\t": " ", "|": "‖",
    "*": "", "]": "", ")": "",
}  # fmt: skip

# Signs of more than one character, and those that stand for others.
SIGNS: Final = {"---": "—", "--": "–", "``": "“", "''": "”", "~": " ", "&": " ", "`": "'"}

# Commands whose arguments are no text: how many in braces go with them; those in brackets always do.
DROPPED: Final = {
    name: n
    for n, names in {
        0: (
            "noindent indent centering raggedright raggedleft small tiny large Large LARGE huge Huge "
            "normalsize footnotesize scriptsize bf it rm sf tt sl em sc bfseries itshape rmfamily sffamily "
            "ttfamily slshape scshape upshape mdseries normalfont newpage clearpage cleardoublepage pagebreak "
            "linebreak nopagebreak nolinebreak bigskip medskip smallskip maketitle tableofcontents "
            "listoffigures listoftables appendices frontmatter mainmatter backmatter sloppy fussy onecolumn "
            "singlespacing doublespacing onehalfspacing relax protect null par leavevmode allowbreak break "
            "goodbreak filbreak eject vfill vfil smallbreak medbreak bigbreak hline toprule midrule bottomrule "
            "endfirsthead endhead endfoot endlastfoot qed qedhere unskip ignorespaces xspace strut "
            "phantomsection printbibliography printindex makeatletter makeatother begingroup endgroup bgroup "
            "egroup boldmath unboldmath displaystyle textstyle scriptstyle balance flushbottom raggedbottom "
            "twocolumn columnbreak nonumber notag samepage obeylines frenchspacing nonfrenchspacing fi else"
        ),
        1: (
            "label caption vspace hspace pagestyle thispagestyle usepackage documentclass documentstyle "
            "bibliographystyle bibliography includegraphics epsfig psfig epsfbox plotone input include "
            "graphicspath hyphenation pagenumbering phantom hphantom vphantom color pagecolor nocite index "
            "glossary thanks tnoteref fnref corref cortext fntext address affil affiliation affiliations "
            "institute institution email ead date keywords keyword pacs subjclass msc author authors title "
            "titlerunning authorrunning shorttitle shortauthors running received revised accepted published "
            "preprint orcid orcidlink correspondingauthor collaboration altaffiliation altaffilmark offprints "
            "addbibresource RequirePackage PassOptionsToPackage usetikzlibrary tikzset pgfplotsset "
            "allowdisplaybreaks linespread arraystretch cline cmidrule morecmidrules theoremstyle newif "
            "newcounter stepcounter refstepcounter newlength newsavebox usebox bibitem markright ccsdesc "
            "acmConference citestyle setcitestyle bibpunct hypersetup lstset sisetup DeclareGraphicsExtensions "
            "microtypesetup geometry enlargethispage todo listoftodos marginpar marginnote cellcolor rowcolor "
            "columncolor captionsetup floatstyle tablewidth tabletypesize tablecolumns tablenum rotate "
            "fontfamily fontseries fontshape mathversion eprint doi editor journal submitjournal volumeauthor "
            "dedicatory copyrightyear acmYear acmDOI acmISBN setcopyright inst"
        ),
        2: (
            "pdfbookmark currentpdfbookmark subpdfbookmark addtocontents deftranslation "
            "setlength addtolength setcounter addtocounter rule hypertarget fontsize definecolor colorlet "
            "newtheorem plottwo markboth altaffiltext numberwithin settowidth settoheight "
            "DeclareMathOperator setlist crefname Crefname SetKwInOut newfloat floatname"
        ),
        3: ("addcontentsline titlespacing"),
    }.items()
    for name in names.split()
}

# Lengths that plain TeX sets without braces: \\hskip 1em plus 2pt, \\parindent=0pt, \\penalty-100.
LENGTHS: Final = frozenset(
    ("hskip", "vskip", "kern", "mskip", "leftskip", "rightskip", "parindent", "parskip", "baselineskip", "lineskip",
     "hsize", "vsize", "hoffset", "voffset", "textwidth", "textheight", "topmargin", "oddsidemargin",
     "evensidemargin", "columnsep", "abovedisplayskip", "belowdisplayskip", "tabcolsep", "arraycolsep", "penalty",
     "raise", "lower", "hangindent", "hangafter", "tolerance", "hbadness", "vbadness", "interlinepenalty",
     "clubpenalty", "widowpenalty", "skip", "looseness", "itemsep", "parsep", "topsep", "partopsep", "leftmargin",
     "fboxsep", "fboxrule", "linewidth", "columnwidth")
)  # fmt: skip

# Commands of which the first arguments are no text and the last one is: how many go before it.
UNWRAPPED: Final = {
    "textcolor": 1, "colorbox": 1, "fcolorbox": 2, "resizebox": 2, "scalebox": 1, "rotatebox": 1, "parbox": 1,
    "makebox": 0, "framebox": 0, "raisebox": 1, "href": 1, "hyperlink": 1, "hyperref": 0, "multicolumn": 2,
    "multirow": 2, "foreignlanguage": 1, "adjustbox": 1, "texorpdfstring": 0, "bibinfo": 1, "MakeUppercase": 0,
    "minipage": 1,
}  # fmt: skip

HEADINGS: Final = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 6,
}  # fmt: skip

CITATIONS: Final = frozenset(
    ("cite", "citep", "citet", "citealt", "citealp", "citeauthor", "citeyear", "citeyearpar", "citenum", "citetext",
     "parencite", "textcite", "autocite", "footcite", "fullcite", "supercite", "onlinecite", "Citet", "Citep",
     "Citealt", "Citealp", "citeauthoryear", "shortcite", "citeN", "citeA", "citeNP", "citefullauthor", "nocite",
     "textcites", "parencites", "autocites", "cites", "smartcite", "Textcite", "Parencite", "Autocite",
     "citeasnoun", "possessivecite")
)  # fmt: skip
TEXTUAL: Final = frozenset(
    ("citet", "citealt", "citeauthor", "textcite", "Citet", "Citealt", "Textcite", "citeN", "citeasnoun", "citealp",
     "Citealp", "citeA", "citeauthoryear")
)  # fmt: skip
REFERENCES: Final = frozenset(
    ("ref", "eqref", "pageref", "autoref", "cref", "Cref", "nameref", "vref", "Vref", "vpageref", "labelcref",
     "subref", "namecref", "fref", "Fref", "sref", "thref", "prettyref", "cpageref", "crefrange", "Crefrange")
)  # fmt: skip

_READ: Final = (
    "begin", "end", "item", "caption", "footnote", "footnotemark", "footnotetext", "url", "nolinkurl", "path",
    "verb", "appendix", "def", "let", "newcommand", "emph", "textbf", "textit", "texttt", "textsc", "textsf",
    "textrm", "text", "mbox", "hbox", "underline", "uline", "sout", "title", "author", "abstract",
)  # fmt: skip
# References that name what they refer to.
NAMED_KINDS: Final = frozenset(
    ("autoref", "cref", "Cref", "vref", "Vref", "fref", "Fref", "sref", "thref", "prettyref")
)

# Words that labels begin with, for \\autoref and its like.
TYPES: Final = {
    "fig": "Figure", "f": "Figure", "tab": "Table", "tbl": "Table", "t": "Table", "sec": "Section", "s": "Section",
    "ss": "Section", "subsec": "Section", "eq": "Equation", "eqn": "Equation", "e": "Equation", "thm": "Theorem",
    "lem": "Lemma", "def": "Definition", "prop": "Proposition", "cor": "Corollary", "alg": "Algorithm",
    "app": "Appendix", "ap": "Appendix", "rem": "Remark", "ch": "Chapter", "chap": "Chapter", "ex": "Example",
    "apx": "Appendix", "appendix": "Appendix",
}  # fmt: skip

# What a paper cannot redefine; its own accents and characters win, as in TeX.
KNOWN: Final = frozenset((*HEADINGS, *CITATIONS, *REFERENCES, *_READ, *UNWRAPPED)) | frozenset(
    name for name in DROPPED if len(name) > 2
)


def accented(accent: str, letter: str) -> str:
    """Return a letter with an accent as one character where there is one."""
    letter = {"ı": "i", "ȷ": "j", "\\i": "i", "\\j": "j"}.get(letter, letter)
    if not letter:
        return ""
    return unicodedata.normalize("NFC", letter[0] + ACCENTS[accent] + letter[1:])
