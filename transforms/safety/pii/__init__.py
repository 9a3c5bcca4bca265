"""Personal data: spans of e-mail and IP addresses, logins, keys, accounts, national and telephone numbers; replaced."""
