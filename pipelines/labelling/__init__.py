"""`winnow label`: documents of a run or a table are drawn, judged by a teacher, and written as a table of labels."""
