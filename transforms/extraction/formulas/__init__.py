"""Formulas of a page as LaTeX, from any renderer: MathJax, KaTeX, MathML, AsciiMath, images."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
