"""Faults, injected on purpose: whatever is killed, cut or filled, the same command again ends with the same bytes.

``python -m tests.faults`` injects some hundred of them (``make torture``); the tests of this folder a dozen.
"""
