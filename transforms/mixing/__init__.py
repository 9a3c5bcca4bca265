"""The mix: shares of sources, languages and quality bands."""
