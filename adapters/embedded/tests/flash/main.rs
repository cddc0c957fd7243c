//! Does the memory survive whatever power does to the flash, and what does it believe afterwards?

mod belief;
mod client;
mod cuts;
mod nor;
mod wear;
mod world;
