//! `wxtoken key new`: by which key does a client ask a token server? By one that only the client holds; the server keeps
//! its hash.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::args::{Key, KeyCommand};
use crate::exit::{Exit, Stop};
use crate::output::Output;

/// What a key begins with, so that whoever finds one knows what it is, scanners of sources included.
const PREFIX: &str = "wxtk_";

pub(crate) fn run(args: &Key, out: &mut Output) -> Result<Exit, Stop> {
    match args.command {
        KeyCommand::New => {
            let mut random = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *random)
                .map_err(|error| Stop::With(Exit::Failed, format!("the system gives no random numbers: {error}")))?;
            let mut key = Zeroizing::new(String::with_capacity(PREFIX.len() + 64));
            key.push_str(PREFIX);
            hex(&*random, &mut key);
            let mut hash = String::with_capacity(64);
            hex(&Sha256::digest(key.as_bytes()), &mut hash);
            // The key itself is shown this once, and kept nowhere.
            let told = Zeroizing::new(format!("key = \"{}\"\nkey_sha256 = \"{hash}\"\n", &*key));
            out.bytes(told.as_bytes())?;
            Ok(Exit::Ok)
        }
    }
}

fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
}
