"""Tables: scores in, tidy CSV, Markdown and LaTeX out, the same bytes every time.

``scores`` reads and checks, ``summary`` averages and ranks, ``costs`` counts, ``render`` writes the table of a task,
``verdicts`` says in words what the numbers say, ``names`` holds how a thing is called on paper. ``statistics`` compares
two methods image by image, ``comparisons`` all of them, ``sentences``, ``cases`` and ``words`` say what that allows.
"""
