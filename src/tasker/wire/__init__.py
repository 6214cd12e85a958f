"""The JSON shapes that the server writes and the client reads.

A task in JSON is an object with one member, named for its task type. Inside stand what the type was
given (its *fields*: a subclass of ``TaskFields``), beside ``execution_time`` in a request and
beside the members of ``TaskView`` in an answer.
"""
