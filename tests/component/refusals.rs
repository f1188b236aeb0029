//! What cannot run is refused with the reason.
