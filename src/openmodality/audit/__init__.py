"""Messages of the audit trail (PS3.15 A.5) and how syslog carries them, without a database, a socket or a clock."""
