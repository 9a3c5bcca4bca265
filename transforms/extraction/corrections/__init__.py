"""What is put right in the model's choice of blocks, one rule a file; `order` says which kind of page gets which.

The model judges block by block. What depends on other blocks, or on names that it weighs too little, is here. What
each rule gains on the benchmark's pages is in LOG.md.
"""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
