//! Sockets and name look-ups by network rules.
