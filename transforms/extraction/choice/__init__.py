"""Which blocks are main content: features, the trained forest, the decision; the kind of page."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
