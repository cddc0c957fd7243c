//! What is shown of the client's threads? See `main.rs`, the only thing here.
