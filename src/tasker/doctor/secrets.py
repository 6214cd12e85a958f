"""Are webhooks signed, and are the secrets for that kept?"""

from collections.abc import Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.doctor.secret_files import open_to_all, words
from tasker.model.diagnosis import Finding, Level, Problem, fine
from tasker.model.number_words import many

CHECK: Final = "secrets"

READABLE: Final = Problem(
    CHECK, "secrets_readable", Level.WARNING, "whoever reads them can sign calls that receivers take for tasker's"
)

PROBLEMS: Final = (READABLE,)


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the signing secrets. None is shown."""
    path = case.settings.webhook_secrets_file
    if path is not None and path in open_to_all(case.settings):
        what, mend = words(path)
        return [READABLE.found(what, mend=mend)]
    number = len(case.settings.webhook_secrets)
    if not number:
        return [fine(CHECK, "there are none: webhooks are not signed")]
    return [fine(CHECK, f"webhooks are signed with {many(number, 'secret')}")]
