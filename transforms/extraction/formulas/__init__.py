"""Formulas of a page as LaTeX, whatever drew them: MathJax, KaTeX, MathML, AsciiMath, images."""
