"""Pages in a real browser, and what they complain of."""

from playwright.sync_api import expect

PATIENCE = 30_000
"""Milliseconds until what is awaited has to be there: a live page on a busy machine rests for seconds."""

expect.set_options(timeout=PATIENCE)


class Looked:
    """Makes contexts of the browser, and notes what they complain of."""

    def __init__(self, browser):
        self._browser = browser
        self.complaints = []
        self._contexts = []

    def page(self, **options):
        """A page in a context of its own: 1280 x 800, light, in Berlin."""
        options = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
        } | options
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def close(self):
        for context in self._contexts:
            context.close()
