"""Figures: one look, one colour per method, the same bytes for the same numbers.

``style`` is the look, ``panels`` turns arrays into pictures and error maps, ``cases`` gathers what one image needs,
``comparison``, ``training`` and ``quality`` draw.
"""
