"""Public lists: what there is, how it is fetched, and the settings that name it."""
