"""What callers can do. Every door goes through here, so that all of them validate, store and mask alike: one file per noun."""
