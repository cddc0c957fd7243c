//! Do the two clients keep a credential, over scripted connections and a virtual clock, and do they agree?

mod both;
mod call;
mod cancel;
mod late;
mod world;
