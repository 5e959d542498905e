"""How much each method loses where its input is not what it was made for: perturbed test samples, scored as ever.

``perturbations`` names them all, ``guides`` and ``inputs`` hold them, ``settings`` is their part of a study's settings,
``curves`` measures. One more perturbation is one class and one line in ``perturbations``.
"""
