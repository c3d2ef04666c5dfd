"""Every bound of the package. Those of one call and one report are the server's (`src/task/limits.ts`)."""

# The server's.
MAX_BATCH_REPORTS = 1000
MAX_REPORT_METRICS = 256
MAX_NAME_LENGTH = 128  # of a metric, member or stage, in UTF-16 code units, as the server counts
MAX_RUN_NAME_LENGTH = 256
MAX_ERROR_TYPE_LENGTH = 256
MAX_MESSAGE_LENGTH = 4096
MAX_ERROR_LENGTH = 16_384
MAX_RESULT_BYTES = 65_536
MAX_COUNT = 2**53 - 1

# In the training's process.
MAX_QUEUED_REPORTS = 50_000  # called for, but not yet encoded; more are left out
MAX_BATCH_BYTES = 512 * 1024  # half of what a server takes by default
MAX_MEMORY_BYTES = 64 * 1024 * 1024  # encoded, not yet delivered, and not in a spool
MAX_SPOOL_BYTES = 1024 * 1024 * 1024  # one run's file
TRIM_SPOOL_BYTES = 4 * 1024 * 1024  # a file whose content is all delivered starts over at this size
MIN_GZIP_BYTES = 4096
MAX_REPLY_BYTES = 4 * 1024 * 1024
MAX_NESTING = 8

LINGER_SECONDS = 0.05  # between two looks at what was reported
AWAKE_SECONDS = 2.0  # without a report, before the thread that looks waits to be woken by the next
IO_TIMEOUT_SECONDS = 10.0  # to connect, and for each part of a reply
CALL_TIMEOUT_SECONDS = 30.0  # for a call as a whole
FIRST_BACKOFF_SECONDS = 0.25
MAX_BACKOFF_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 300.0
STOP_POLL_SECONDS = 10.0  # without a report, the server is asked whether to stop
FLUSH_SECONDS = 10.0  # for the rest, once the training has ended
SPOOLED_FLUSH_SECONDS = 3.0  # the same where the rest is on disk
MAX_REGISTRATIONS = 5  # of one run, where servers lose it
