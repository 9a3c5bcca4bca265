"""What a page says of itself: title, date, language, description, and texts that it need not show."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
