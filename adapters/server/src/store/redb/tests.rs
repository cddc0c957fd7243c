use std::{io, sync::Mutex};

use super::*;
use crate::store::{Lease, Owner, StoredToken};

fn key(n: u8) -> Key {
    Key::new([n; 32])
}

fn record(generation: u32, text: &str) -> Record {
    let token = StoredToken {
        text: zeroize::Zeroizing::new(text.to_owned()),
        life_ms: 7_198_000,
        saved_at_ms: 1,
        expires_at_ms: 2,
        boot_id: String::new(),
        boot_expires_at_ms: 0,
    };
    Record { generation, token: Some(token), ..Record::default() }
}

fn attempt(n: u8) -> Attempt {
    Attempt { key: key(n), owner: Owner(1) }
}

fn claim(n: u8, generation: u32) -> Claim {
    let lease = Lease { owner: Owner(1), taken_at_ms: 1_000, exchange_until_ms: 16_000, quiet_until_ms: 76_000 };
    Claim {
        key: key(n),
        generation,
        lease,
        nothing_held: false,
        ledger: StoredLedger { fetches: 1, forced: 0, ends_at_ms: 9 },
    }
}

fn open(path: &Path) -> (Redb, Opened) {
    Redb::open(path).expect("it opens")
}

#[tokio::test]
async fn what_was_committed_is_read_after_a_kill_and_a_claim_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.redb");
    let (store, opened) = open(&path);
    assert_eq!(opened, Opened::New);
    assert!(matches!(store.claim(claim(1, 0)).await, Ok(Claimed::Granted(_))));
    assert_eq!(store.commit(attempt(1), record(1, "one")).await, Ok(None));
    assert!(matches!(store.claim(claim(2, 0)).await, Ok(Claimed::Granted(_))));
    // A copy of the file while it is open is what a kill leaves behind.
    let copy = folder.path().join("killed.redb");
    std::fs::copy(&path, &copy).expect("copied");
    let (store, opened) = open(&copy);
    assert_eq!(opened, Opened::Existing);
    let read = store.read(vec![key(2), key(1), key(3)]).await.expect("read");
    let [claimed, held, none] = read.as_slice() else { panic!("three") };
    assert_eq!(
        held.as_ref().map(|r| (r.generation, r.token.as_ref().map(|t| t.text.as_str().to_owned()))),
        Some((1, Some("one".to_owned())))
    );
    assert_eq!(claimed.as_ref().map(|r| (r.ledger.fetches, r.lease.is_some())), Some((1, true)));
    assert!(none.is_none());
}

#[tokio::test]
async fn a_damaged_store_is_set_aside_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.redb");
    let good = {
        let (store, _) = open(&path);
        for n in 0..50 {
            assert_eq!(store.commit(attempt(n), record(1, &"t".repeat(200))).await, Ok(None));
        }
        store.close().await.expect("closed");
        std::fs::read(&path).expect("read")
    };
    let mut flipped = good.clone();
    // Every page's middle, but for the first, which says where the others are.
    for at in (4096 + 200..flipped.len()).step_by(512) {
        flipped[at] ^= 0xff;
    }
    let damages: [(&str, Vec<u8>); 4] = [
        ("not a store", b"listen = \"127.0.0.1:8440\"\n".repeat(400)),
        ("cut", good[..good.len() / 3].to_vec()),
        ("flipped", flipped),
        ("no header", [vec![0; 512], good[512..].to_vec()].concat()),
    ];
    for (name, bytes) in damages {
        std::fs::write(&path, &bytes).expect("written");
        let (store, opened) = open(&path);
        let Opened::SetAside { kept_as, .. } = opened else { panic!("{name}: {opened:?}") };
        assert_eq!(std::fs::read(&kept_as).expect("kept"), bytes, "{name}");
        assert_eq!(store.read(vec![key(1)]).await, Ok(vec![None]), "{name}");
        assert_eq!(store.commit(attempt(1), record(1, "new")).await, Ok(None), "{name}");
        store.close().await.expect("closed");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_room_is_used_again() {
    static FAIL: Mutex<Option<io::ErrorKind>> = Mutex::new(None);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.redb");
    let (store, _) = Redb::open_with(&path, file::Options { fail: Some(&FAIL) }).expect("it opens");
    assert_eq!(store.commit(attempt(1), record(1, "one")).await, Ok(None));
    for (kind, want) in
        [(io::ErrorKind::StorageFull, Failing::Full), (io::ErrorKind::ReadOnlyFilesystem, Failing::ReadOnly)]
    {
        *FAIL.lock().expect("whole") = Some(kind);
        assert_eq!(store.commit(attempt(1), record(2, "two")).await, Err(want.clone()));
        assert_eq!(store.claim(claim(2, 0)).await.map(|_| ()), Err(want));
        let read = store.read(vec![key(1)]).await.expect("it can still be read");
        assert_eq!(read[0].as_ref().map(|r| r.generation), Some(1));
    }
    *FAIL.lock().expect("whole") = None;
    assert_eq!(store.commit(attempt(1), record(2, "two")).await, Ok(None));
}

#[test]
fn a_mistake_of_the_operator_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.redb");
    assert!(matches!(Redb::open(folder.path()), Err(CannotOpen::IsFolder)));
    assert!(matches!(Redb::open(&folder.path().join("none/s.redb")), Err(CannotOpen::NoFolder)));
    let _first = Redb::open(&path).expect("it opens");
    assert!(matches!(Redb::open(&path), Err(CannotOpen::InUse)));
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.redb");
    let _store = Redb::open(&path).expect("it opens");
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
}
