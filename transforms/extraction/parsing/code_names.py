"""Class names of listings, and of what stands in and around them: the highlighters' own, and what makers call code.

Pygments, Rouge, Chroma, highlight.js with line numbers, Prism, Shiki, SyntaxHighlighter 2-4, Crayon, GeSHi, wp_syntax,
Hexo, GitHub, GitLab, Gitea, cgit, doxygen, javadoc's source, LaTeXML's listings, CSDN, CodeMirror, Ace, Monaco.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from transforms.extraction.parsing.names import class_names, names

# Classes of elements that hold a whole listing, whose lines are not, or not only, in one `pre`.
WRAPPERS: Final = names(
    "ace_editor ace_text-layer blob blob-code-content blob-wrapper chroma cm-content cm-editor"
    " cm-s-default code-view codecolorer-container codehilite codehilitetable codemirror crayon-syntax"
    " crayon-table diff-table dp-c dp-highlighter enlighter enlighter-default file-content file-view"
    " fragment geshi highlight highlighttable hljs-ln js-blob-code-container js-file-line-container"
    " linenodiv-table lntable ltx_listing monaco-editor prettyprint react-code-lines rouge-table"
    " source-code sourcecode syntaxhighlighter view-lines wp_codebox wp_syntax"
)
# Listings that are recognised by their class alone; the others are listings when they hold one.
SURE: Final = names(
    "ace_text-layer cm-content codecolorer-container codehilitetable codemirror crayon-syntax"
    " crayon-table dp-c dp-highlighter enlighter-default highlighttable hljs-ln lntable ltx_listing"
    " rouge-table syntaxhighlighter view-lines wp_syntax"
)
GUTTERS: Final = names(
    "ace_gutter ace_gutter-layer blob-num cm-gutters code-line-number codemirror-gutter"
    " codemirror-gutter-wrapper codemirror-gutters codemirror-linenumber crayon-num crayon-nums"
    " diff-line-num ec-line-number enlighter-linenumber gutter hljs-ln-n hljs-ln-numbers js-line-number"
    " line-num line-number line-numbers-rows line-numbers-sidebar line_numbers lineno lineno-col linenodiv"
    " linenos linenumber linenumbers lines-num ln lnt lnum ltx_tag_listingline"
    " margin-view-overlays pre-numbering react-code-text-lineno react-line-number"
    " react-syntax-highlighter-line-number rouge-gutter source-line-no"
)
TOOLS: Final = names(
    "ltx_listing_data bar btn-clipboard clipboard clipboard-copy code-block-header code-copy code-header"
    " code-toolbar-item"
    " codemirror-cursors codemirror-measure copy copy-btn copy-button copy-code-button copybtn copycode"
    " crayon-info crayon-plain-wrap crayon-toolbar highlight-tools hljs-button hljs-copy signin toolbar"
    " tools zeroclipboard-container"
)
LINES: Final = names(
    "ace_line blob-code-inner cl-line cm-line code-line codemirror-line crayon-line ec-line hljs-ln-line"
    " line ltx_listingline react-file-line token-line view-line"
)
# An element is a listing by its class only with one of the wrappers' names, or a name with one of these parts.
CLASS_PARTS: Final = ("code", "listing", "snippet")
# Weaker: what its makers call code. `barcode`, `postcode`, `discount-code` hold no lines of it.
_CODE_NAME: Final = re.compile(
    r"(?<![a-z])(?:sample|source|example)?code(?:box|block|snippet|sample|listing|example|area|_?block|-block|-box)?(?![a-z])"
    r"|(?<!bb)code[-_]?(?:block|snippet|box|listing|sample|example)|(?<![a-z])(?:listing|programlisting|snippet)(?![a-z])",
    re.IGNORECASE,
)


@lru_cache(maxsize=65536)
def names_code(classes: str) -> bool:
    """Return whether an element's class says that it is, or may be, a listing."""
    return _CODE_NAME.search(classes) is not None or not WRAPPERS.isdisjoint(class_names(classes))
