//! Components that try to outlive or outgrow their limits.
