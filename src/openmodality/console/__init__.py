"""The operator's console, a web page that the device serves itself (ADR 57).

``server`` is its thread, ``app`` puts it together. ``security`` is who may do what, ``live`` tells browsers what
changes, ``pages`` has a file for each screen: from the device to view data, from view data to HTML. ``templates`` and
``static`` are what browsers get. A screen decides nothing that ``app`` and ``activities`` do not decide for all fronts.
"""
