"""What a record is: frozen dataclasses, their Arrow schemas, typed settings, errors and where records live."""
