"""arXiv's submissions: LaTeX in tarballs, single files, folders.

source, reader   the source: parts and scan; the texts of selected papers
settings         what is left out, what is taken away
submissions      submissions in files: tarballs of them, tarballs and folders of one; hostile ones refused
identity         what the name of a submission says
main_file        the file in which a paper begins; withdrawn submissions
latex/           LaTeX to text with blocks
"""
