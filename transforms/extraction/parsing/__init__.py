"""A page as blocks: one walk over its elements."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
