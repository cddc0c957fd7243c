//! Does the state machine keep its promises? See `properties`, `simulation` and `museum`, the only things here.
