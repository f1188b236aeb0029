//! Every WIT type passes in and out unchanged.
