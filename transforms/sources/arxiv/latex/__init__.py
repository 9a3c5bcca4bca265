"""LaTeX to text with blocks, in passes.

files       bytes to characters; comments out, verbatim text stored; \\input in place
arguments   groups and optional arguments
macros      definitions, collected and expanded
symbols     accents, characters and commands by name
numbers     what \\ref shows, counted
units       quantities of siunitx in text
convert     what is left to blocks: sections, lists, formulas, code
paper       the passes in their order
"""
