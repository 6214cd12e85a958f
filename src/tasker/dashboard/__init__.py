"""The dashboard: pages for people, at ``/ui/``.

A page is a file in ``screens/`` and a template of the same name. Screens ask the service, never the
store, and add no rule and no figure of their own.
"""
