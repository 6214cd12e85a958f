"""The schemas of merge patches, made from those of what they change."""

from collections.abc import Mapping
from typing import Any, Final

from tasker.api.openapi.parts import schema
from tasker.changing import FIXED

_SUFFIX: Final = "Change"
_NULL: Final = {"type": "null"}


class Changes:
    """Makes them. In a change every member may be missing, and null removes it, at every depth."""

    def __init__(self, schemas: Mapping[str, dict[str, Any]]) -> None:
        """Make it.

        Args:
            schemas: those of the description, by name.
        """
        self._schemas = schemas
        self.made: dict[str, dict[str, Any]] = {}
        """The schemas so far, by name."""

    def of(self, name: str) -> dict[str, Any]:
        """Return a reference to the change of what *name* describes."""
        changed = name.removeprefix("New") + _SUFFIX
        if changed not in self.made:
            self.made[changed] = {}  # it may be met again on the way
            self.made[changed] = self._change(self._schemas[name])
        return schema(changed)

    def _change(self, of: Mapping[str, Any]) -> dict[str, Any]:
        if "$ref" in of:
            return {**of, **self.of(of["$ref"].rpartition("/")[2])}
        if "anyOf" in of:
            return {**of, "anyOf": [self._change(each) for each in of["anyOf"]]}
        if of.get("type") != "object":
            return dict(of)
        # What an object has in the end depends on what it had.
        rest = {word: value for word, value in of.items() if word not in ("title", "required", "maxProperties")}
        if "properties" in of:
            rest["properties"] = {
                name: self._nullable(each) for name, each in of["properties"].items() if name not in FIXED
            }
        if isinstance(of.get("additionalProperties"), dict):
            rest["additionalProperties"] = self._nullable(of["additionalProperties"])
        return rest

    def _nullable(self, of: Mapping[str, Any]) -> dict[str, Any]:
        changed = self._change(of)
        changed.pop("default", None)  # what is missing stays as it is
        if not changed.keys() - {"description", "examples"}:
            return changed  # anything
        return {"anyOf": [changed, _NULL]}
