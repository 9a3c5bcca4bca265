"""Personal data, dirty words and blocklists."""
