//! Values as JSON, MessagePack and text.
