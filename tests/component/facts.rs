//! What is known about a component without an engine.
