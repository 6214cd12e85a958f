"""``tasker demo``: a server with a month of history, for those who want to look around.

The history is no drawing: a real engine has lived it on a clock that leaps from one thing to do to
the next. ``story.py`` says what happened; ``past.py`` lets it happen; ``receivers.py`` plays all
that is called, so that nothing leaves the process.
"""
