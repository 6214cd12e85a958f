"""Helpers for tests against tasker, for this project and for yours."""
