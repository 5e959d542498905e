"""The report: every result of a study on one page that needs no network.

``folder`` finds the files of a study, ``grids`` and ``strips`` lay out numbers, ``viewers`` the pictures,
``failures`` and ``provenance`` say what went wrong and where each number is from, ``sections`` and ``page`` put it all
together; the look stands in ``page.html.jinja``, ``macros.html.jinja``, ``style.css`` and ``page.js``.
"""
