"""Formulas of a page as LaTeX, whatever drew them: MathJax, KaTeX, MathML, AsciiMath, images."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
