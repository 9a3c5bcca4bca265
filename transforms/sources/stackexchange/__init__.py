"""StackExchange: questions with their answers, out of the dumps' Posts.xml.

dump.read_rows    bytes of a part -> rows, cut out one by one
post.judge        a row -> the header of a question or an answer, or why it is left out
thread            a question and its answers -> one text with blocks, and its facts
"""
