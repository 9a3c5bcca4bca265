"""A page as blocks: one walk over its elements, and what the page declares of itself."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
