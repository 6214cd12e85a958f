"""A shop that sends invoices and reminders."""
