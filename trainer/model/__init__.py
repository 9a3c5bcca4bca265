"""The model: its classes, its optimiser, its weights out and averaged."""
