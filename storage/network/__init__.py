"""Files elsewhere: object stores, web servers and the Hub, with retries."""
